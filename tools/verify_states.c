/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify_states.c - vtpm-verify host-states: a list of the states that a
 * host may be in, from approvals.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "tools/verify_cmd.h"

static const char usage[] =
    "usage: vtpm-verify host-states --key PEM [--epoch N] -o FILE "
    "APPROVAL...\n"
    "A list of host states for vtpm-verify --host-states, from approvals as\n"
    "`vtpmctl host approve` writes them.\n"
    "  --key PEM    the approval key; its public half is enough\n"
    "  --epoch N    approvals whose epoch is below N are dead\n"
    "  -o FILE      the list (default: standard output)\n"
    "Exit: 0 made, 1 an approval is not good, 2 could not.\n";

static const struct option options[] = {
	{ "key", required_argument, NULL, 'k' },
	{ "epoch", required_argument, NULL, 'E' },
	{ "out", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
read_key(const char *path, struct hoststates *st)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = verify_read(path, 65536, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = approval_key_read(buf, len, st->key)) != VT_OK)
		log_err("%s: not a key on P-256 in PEM", path);
	st->have_key = rc == VT_OK;
	free(buf);
	return rc;
}

/* VX_*. */
static int
add_approval(const char *path, struct hoststates *st)
{
	struct hoststate *s = &st->state[st->n];
	uint8_t *buf = NULL;
	char text[160];
	size_t len = 0;
	int rc;

	if (st->n == HOSTSTATE_MAX) {
		log_err("too many approvals");
		return VX_UNDECIDED;
	}
	if (verify_read(path, APPROVAL_MAX_LEN, &buf, &len) != VT_OK)
		return VX_UNDECIDED;
	rc = approval_get(buf, len, &s->a);
	free(buf);
	if (rc != VT_OK) {
		log_err("%s: not an approval: %s", path, vt_strerror(rc));
		return VX_UNDECIDED;
	}
	if (approval_check(&s->a, text, sizeof(text)) != VT_OK) {
		log_err("%s: %s", path, text);
		return VX_REFUSED;
	}
	if (approval_verify(&s->a, st->key) != VT_OK) {
		log_err("%s: not signed by this key", path);
		return VX_REFUSED;
	}
	s->signed_ = true;
	st->n++;
	return VX_ACCEPTED;
}

static bool
set_epoch(struct hoststates *st, const char *arg)
{
	char *end = NULL;

	errno = 0;
	st->epoch = strtoull(arg, &end, 10);
	if (errno == 0 && end != arg && *end == '\0' && st->epoch < INT64_MAX)
		return true;
	log_err("--epoch: a number");
	return false;
}

static int
make(struct hoststates *st, const char *key, const char *out, char **files,
    int n)
{
	int ex = VX_ACCEPTED, i;
	char *text = NULL;

	if (read_key(key, st) != VT_OK)
		return VX_UNDECIDED;
	for (i = 0; ex == VX_ACCEPTED && i < n; i++)
		ex = add_approval(files[i], st);
	if (ex == VX_ACCEPTED && (hoststates_format(st, &text) != VT_OK ||
				     verify_write(out, text) != VT_OK))
		ex = VX_UNDECIDED;
	free(text);
	return ex;
}

int
verify_cmd_states(int argc, char **argv)
{
	const char *key = NULL, *out = NULL;
	struct hoststates *st = calloc(1, sizeof(*st));
	int c, ex = VX_UNDECIDED;
	bool good = st != NULL;

	while (
	    good && (c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		if (c == 'h') {
			(void)fputs(usage, stdout);
			free(st);
			return VX_ACCEPTED;
		}
		if (c == 'k')
			key = optarg;
		else if (c == 'o')
			out = optarg;
		else
			good = c == 'E' && set_epoch(st, optarg);
	}
	if (good && key != NULL && optind < argc)
		ex = make(st, key, out, argv + optind, argc - optind);
	else if (good)
		(void)fputs(usage, stderr);
	free(st);
	return ex;
}
