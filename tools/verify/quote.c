/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote.c - vtpm-verify host-quote: a quote of the host's TPM by a
 * group's AK, up to the manufacturer's root.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "measure/evidence/verify_deep.h"
#include "tools/verify/cmd.h"

static const char usage[] =
    "usage: vtpm-verify host-quote --quote FILE --nonce HEX --host FILE\n"
    "                              [options]\n"
    "Judges what `vtpmctl group quote` wrote.\n"
    "  --quote FILE         the quote\n"
    "  --nonce HEX          the nonce that it was asked for with\n"
    "  --host FILE          the host's record, from vtpm-verify enrol\n"
    "  --host-states FILE   the states that the host may be in\n"
    "  --roots PATH         TPM manufacturers' certificates, a file or a\n"
    "                       folder\n"
    "  --group N            it must be for this group\n"
    "  --min-sequence N     by a configuration of the group not older than\n"
    "                       this\n"
    "  --json               the verdict as JSON\n"
    "Exit: 0 accepted, 1 refused, 2 could not decide.\n";

struct job {
	const char *quote, *host, *states, *roots;
	bool json, have_group;
	uint64_t group, sequence;
	uint8_t nonce[GROUP_NONCE_MAX];
	size_t nonce_len;
	struct host_identity *id;
	struct host_roots *r;
	struct host_states *st;
	struct deep_host *h;
};

enum {
	O_QUOTE = 256,
	O_NONCE,
	O_HOST,
	O_STATES,
	O_ROOTS,
	O_GROUP,
	O_SEQUENCE,
	O_JSON
};

static const struct option options[] = {
	{ "quote", required_argument, NULL, O_QUOTE },
	{ "nonce", required_argument, NULL, O_NONCE },
	{ "host", required_argument, NULL, O_HOST },
	{ "host-states", required_argument, NULL, O_STATES },
	{ "roots", required_argument, NULL, O_ROOTS },
	{ "group", required_argument, NULL, O_GROUP },
	{ "min-sequence", required_argument, NULL, O_SEQUENCE },
	{ "json", no_argument, NULL, O_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool
number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static bool
set_option(struct job *j, int c, const char *arg)
{
	switch (c) {
	case O_QUOTE:
		j->quote = arg;
		return true;
	case O_NONCE:
		return hex_decode(arg, j->nonce, sizeof(j->nonce),
			   &j->nonce_len) == VT_OK &&
		       j->nonce_len >= GROUP_NONCE_MIN;
	case O_HOST:
		j->host = arg;
		return true;
	case O_STATES:
		j->states = arg;
		return true;
	case O_ROOTS:
		j->roots = arg;
		return true;
	case O_GROUP:
		j->have_group = true;
		return number(arg, &j->group) && j->group <= UINT32_MAX;
	case O_SEQUENCE:
		return number(arg, &j->sequence);
	case O_JSON:
		j->json = true;
		return true;
	default:
		return false;
	}
}

static int
read_inputs(struct job *j, struct group_quote *q)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = verify_read(j->quote, GROUP_QUOTE_MAX, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = group_quote_get(buf, len, q)) != VT_OK)
		log_err("%s: not a host quote: %s", j->quote, vt_strerror(rc));
	free(buf);
	if (rc != VT_OK ||
	    (rc = verify_read_hostid(j->host, HOST_IDENTITY_RECORD, &j->id)) !=
		VT_OK ||
	    (j->roots != NULL &&
		(rc = verify_read_roots(j->roots, &j->r)) != VT_OK) ||
	    (j->states != NULL &&
		(rc = verify_read_states(j->states, &j->st)) != VT_OK))
		return rc;
	return deep_host_new(j->id, j->r, j->st, 0, &j->h);
}

/* What the caller asked for beyond the quote itself. */
static void
check_wanted(
    const struct job *j, const struct group_quote *q, struct report *rep)
{
	struct report_check *c = &rep->checks[rep->n];

	if (rep->verdict == AP_REFUSED || rep->n >= REPORT_MAX_CHECKS)
		return;
	if (j->have_group && q->group != j->group)
		(void)snprintf(c->words, sizeof(c->words),
		    "the quote is for group %u", q->group);
	else if (q->sequence < j->sequence)
		(void)snprintf(c->words, sizeof(c->words),
		    "the group's configuration on that host is older: "
		    "sequence %llu",
		    (unsigned long long)q->sequence);
	else
		return;
	c->id = "group";
	c->outcome = REPORT_FAIL;
	rep->n++;
	rep->verdict = AP_REFUSED;
}

int
verify_cmd_quote(int argc, char **argv)
{
	struct report *rep = calloc(1, sizeof(*rep));
	struct group_quote q;
	struct job j = { 0 };
	int c, ex = VX_UNDECIDED;
	bool good = rep != NULL;

	while (good && (c = getopt_long(argc, argv, "h", options, NULL)) != -1)
		if (c == 'h') {
			free(rep);
			return fputs(usage, stdout) >= 0 ? VX_ACCEPTED
							 : VX_UNDECIDED;
		} else
			good = set_option(&j, c, optarg);
	if (!good || optind != argc || j.quote == NULL || j.host == NULL ||
	    j.nonce_len == 0) {
		(void)fputs(usage, stderr);
		free(rep);
		return VX_UNDECIDED;
	}
	if (read_inputs(&j, &q) == VT_OK) {
		verify_deep_quote(j.h, &q, j.nonce, j.nonce_len, rep);
		check_wanted(&j, &q, rep);
		ex = verify_report(rep, j.json);
	}
	report_free(rep);
	deep_host_free(j.h);
	free(j.st);
	host_roots_free(j.r);
	host_identity_free(j.id);
	return ex;
}
