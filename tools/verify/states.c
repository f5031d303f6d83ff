/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * states.c - vtpm-verify host-states: a list of the states that a
 * host may be in, from approvals or from a host as it is.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "tools/verify/cmd.h"

static const char usage[] =
    "usage: vtpm-verify host-states --key PEM [--epoch N] [-o FILE] "
    "APPROVAL...\n"
    "       vtpm-verify host-states --pcrs FILE [--select LIST] [--label "
    "TEXT]\n"
    "                   [-o FILE]\n"
    "A list of host states for vtpm-verify --host-states: from approvals as\n"
    "`vtpmctl host approve` writes them, or of one host as it is now.\n"
    "  --key PEM      the approval key; its public half is enough\n"
    "  --epoch N      approvals whose epoch is below N are dead\n"
    "  --pcrs FILE    what `vtpmctl host pcrs` wrote on a host whose state\n"
    "                 you trust\n"
    "  --select LIST  the PCRs that the host's quote must cover, as\n"
    "                 sha256:0-7 (default: those that FILE says it does)\n"
    "  --label TEXT   what the state is called (default: the host's name)\n"
    "  -o FILE        the list (default: standard output)\n"
    "Exit: 0 made, 1 an approval or the state is not good, 2 could not.\n";

static const struct option options[] = {
	{ "key", required_argument, NULL, 'k' },
	{ "epoch", required_argument, NULL, 'E' },
	{ "pcrs", required_argument, NULL, 'p' },
	{ "select", required_argument, NULL, 's' },
	{ "label", required_argument, NULL, 'l' },
	{ "out", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
read_key(const char *path, struct host_states *st)
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
add_approval(const char *path, struct host_states *st)
{
	struct host_state *s = &st->state[st->n];
	uint8_t *buf = NULL;
	char text[160];
	size_t len = 0;
	int rc;

	if (st->n == HOST_STATE_MAX) {
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

/* --- of a host as it is --------------------------------------------------- */

static int
load_pcrs(const char *path, json_t **ret)
{
	const char *format = NULL;
	uint8_t *buf = NULL;
	int version = 0, rc;
	size_t len = 0;
	json_error_t je;
	json_t *o;

	if ((rc = verify_read(path, HOST_STATE_MAX_LEN, &buf, &len)) != VT_OK)
		return rc;
	o = json_loadb((char *)buf, len, JSON_REJECT_DUPLICATES, &je);
	free(buf);
	if (o == NULL ||
	    json_unpack(
		o, "{s:s, s:i}", "format", &format, "version", &version) != 0 ||
	    strcmp(format, "vtpm-host-pcrs") != 0 || version != 1) {
		log_err("%s: %s", path,
		    o == NULL ? je.text
			      : "this is not a vtpm-host-pcrs file of "
				"version 1");
		json_decref(o);
		return VT_E_FORMAT;
	}
	*ret = o;
	return VT_OK;
}

static int
take_pcrs(const char *path, const json_t *o, const struct pcr_sel *sel,
    struct approval *a)
{
	uint16_t alg = sel->banks[0].alg;
	uint8_t val[DIGEST_MAX];
	const char *hex;
	char key[4];
	uint32_t i;
	size_t n;
	int rc;

	o = json_object_get(json_object_get(o, "pcrs"), digest_name(alg));
	if ((rc = pcr_set_init(&a->pcrs, &alg, 1)) != VT_OK)
		return rc;
	for (i = 0; i < PCR_COUNT; i++) {
		if ((sel->banks[0].mask >> i & 1) == 0)
			continue;
		(void)snprintf(key, sizeof(key), "%u", (unsigned)i);
		hex = json_string_value(json_object_get(o, key));
		if (hex == NULL ||
		    hex_decode(hex, val, sizeof(val), &n) != VT_OK ||
		    n != digest_len(alg) ||
		    pcr_put(&a->pcrs, alg, i, val) != VT_OK) {
			log_err("%s: there is no value of PCR %s (%s)", path,
			    key, digest_name(alg));
			return VT_E_NOTFOUND;
		}
	}
	return VT_OK;
}

/* VX_*. */
static int
add_host(const char *path, const char *select, const char *label,
    struct host_states *st)
{
	struct approval *a = &st->state[st->n].a;
	int ex = VX_UNDECIDED;
	struct pcr_sel sel;
	json_t *o = NULL;
	char text[160];

	if (load_pcrs(path, &o) != VT_OK)
		return VX_UNDECIDED;
	if (select == NULL)
		select = json_string_value(json_object_get(o, "deep_pcrs"));
	if (label == NULL)
		label = json_string_value(json_object_get(o, "host"));
	if (select == NULL)
		log_err("%s does not say which PCRs are in the host's quotes: "
			"--select says it",
		    path);
	else if (pcr_sel_parse(select, &sel) != VT_OK || sel.n != 1)
		log_err("'%s': not PCRs of one bank, as sha256:0-7", select);
	else if (take_pcrs(path, o, &sel, a) != VT_OK)
		;
	else if (approval_check(a, text, sizeof(text)) != VT_OK) {
		log_err("%s: %s", path, text);
		ex = VX_REFUSED;
	} else {
		(void)snprintf(a->label, sizeof(a->label), "%s",
		    label != NULL ? label : "");
		st->n++;
		ex = VX_ACCEPTED;
	}
	json_decref(o);
	return ex;
}

/* --- the command ---------------------------------------------------------- */

struct sargs {
	const char *key, *out, *pcrs, *select, *label;
};

static bool
set_epoch(struct host_states *st, const char *arg)
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
make(struct host_states *st, const struct sargs *a, char **files, int n)
{
	int ex = VX_ACCEPTED, i;
	char *text = NULL;

	if (a->key != NULL && read_key(a->key, st) != VT_OK)
		return VX_UNDECIDED;
	if (a->pcrs != NULL)
		ex = add_host(a->pcrs, a->select, a->label, st);
	for (i = 0; ex == VX_ACCEPTED && i < n; i++)
		ex = add_approval(files[i], st);
	if (ex == VX_ACCEPTED && (host_states_format(st, &text) != VT_OK ||
				     verify_write(a->out, text) != VT_OK))
		ex = VX_UNDECIDED;
	free(text);
	return ex;
}

static bool
set_text(struct sargs *a, int c, const char *arg)
{
	const struct {
		int c;
		const char **to;
	} texts[] = {
		{ 'k', &a->key },
		{ 'o', &a->out },
		{ 'p', &a->pcrs },
		{ 's', &a->select },
		{ 'l', &a->label },
	};
	size_t i;

	for (i = 0; i < VT_NELEM(texts); i++)
		if (texts[i].c == c) {
			*texts[i].to = arg;
			return true;
		}
	return false;
}

int
verify_cmd_states(int argc, char **argv)
{
	struct host_states *st = calloc(1, sizeof(*st));
	struct sargs a = { 0 };
	int c, ex = VX_UNDECIDED;
	bool good = st != NULL;

	while (
	    good && (c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		if (c == 'h') {
			(void)fputs(usage, stdout);
			free(st);
			return VX_ACCEPTED;
		}
		good = set_text(&a, c, optarg) ||
		       (c == 'E' && set_epoch(st, optarg));
	}
	/* Either approvals and their key, or a host. */
	if (good && (a.key != NULL) == (optind < argc) &&
	    (a.key != NULL) != (a.pcrs != NULL) &&
	    (a.pcrs != NULL || (a.select == NULL && a.label == NULL)))
		ex = make(st, &a, argv + optind, argc - optind);
	else if (good)
		(void)fputs(usage, stderr);
	free(st);
	return ex;
}
