/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_states.c - vtpm-verify host-states: a list of the states that a host
 * may be in, from approvals or from a host as it is.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/util.h"
#include "measure/host/approval.h"
#include "measure/host/host_state.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "tools/common/file.h"
#include "tools/common/json.h"
#include "tools/verify/commands.h"
#include "tools/verify/verdict.h"

#define KEY_FILE_MAX 65536

struct args {
	const char *key, *out, *pcrs, *select, *label;
	uint64_t epoch;
};

/* --- of approvals --------------------------------------------------------- */

static int
read_key(const char *path, struct host_states *st)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = tool_read(path, KEY_FILE_MAX, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = approval_key_read(buf, len, st->key)) != VT_OK)
		log_err("%s: not a P-256 key in PEM", path);
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
		log_err("more than %d approvals", HOST_STATE_MAX);
		return VX_UNDECIDED;
	}
	if (tool_read(path, APPROVAL_MAX_LEN, &buf, &len) != VT_OK)
		return VX_UNDECIDED;
	rc = approval_get(buf, len, &s->a);
	free(buf);
	if (rc != VT_OK) {
		log_err("%s: not an approval: it %s", path,
		    vt_input_error(rc, len));
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
take_pcrs(const char *path, const json_t *o, const struct pcr_sel *sel,
    struct approval *a)
{
	uint16_t alg = sel->banks[0].alg;
	uint8_t val[DIGEST_MAX];
	uint32_t i;
	int rc;

	o = json_object_get(json_object_get(o, "pcrs"), digest_name(alg));
	if ((rc = pcr_set_init(&a->pcrs, &alg, 1)) != VT_OK)
		return rc;
	for (i = 0; i < PCR_COUNT; i++) {
		if ((sel->banks[0].mask >> i & 1) == 0)
			continue;
		if (!tool_json_get_pcr(o, alg, i, val) ||
		    pcr_put(&a->pcrs, alg, i, val) != VT_OK) {
			log_err("%s: there is no value of PCR %u (%s)", path, i,
			    digest_name(alg));
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

	o = tool_json_load(path, HOST_STATE_MAX_LEN, "vtpm-host-pcrs");
	if (o == NULL)
		return VX_UNDECIDED;
	if (select == NULL)
		select = json_string_value(json_object_get(o, "deep_pcrs"));
	if (label == NULL)
		label = json_string_value(json_object_get(o, "host"));
	if (select == NULL)
		log_err("%s does not name the PCRs in the host's quotes: give "
			"--select",
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

static int
make(struct host_states *st, const struct args *a, char **files, int n)
{
	int ex = VX_ACCEPTED, i;
	char *text = NULL;

	if (a->key != NULL && read_key(a->key, st) != VT_OK)
		return VX_UNDECIDED;
	if (a->pcrs != NULL)
		ex = add_host(a->pcrs, a->select, a->label, st);
	for (i = 0; ex == VX_ACCEPTED && i < n; i++)
		ex = add_approval(files[i], st);
	if (ex == VX_ACCEPTED &&
	    (host_states_format(st, &text) != VT_OK ||
		tool_write_line(a->out, text, 0644) != VT_OK))
		ex = VX_UNDECIDED;
	free(text);
	return ex;
}

static int
host_states(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	struct host_states *st;
	int ex;

	(void)ctx;
	if ((a->key != NULL) == (a->pcrs != NULL))
		return opt_bad(
		    &verify_host_states, "give one of --key and --pcrs");
	if (a->key != NULL && (a->select != NULL || a->label != NULL))
		return opt_bad(
		    &verify_host_states, "--select and --label go with --pcrs");
	if ((a->key != NULL) != (argc > 0))
		return opt_bad(&verify_host_states,
		    a->key != NULL ? "APPROVAL is missing"
				   : "--pcrs takes no approvals");
	if ((st = calloc(1, sizeof(*st))) == NULL) {
		log_err("out of memory");
		return VX_UNDECIDED;
	}
	st->epoch = a->epoch;
	ex = make(st, a, argv, argc);
	free(st);
	return ex;
}

static const struct opt opts[] = {
	{ OPT_TEXT("key", 0, "PEM", struct args, key,
	    "the approval key, its public half is enough; approvals that it "
	    "did not sign are refused") },
	{ OPT_U64("epoch", "N", struct args, epoch, 0, INT64_MAX - 1,
	    "approvals of epochs below N are revoked (default 0)") },
	{ OPT_TEXT("pcrs", 0, "FILE", struct args, pcrs,
	    "from vtpmctl host pcrs, on a host whose present state you "
	    "trust") },
	{ OPT_TEXT("select", 0, "LIST", struct args, select,
	    "PCRs that the host's quotes must cover, as sha256:0-7 (default: "
	    "those that FILE names)") },
	{ OPT_TEXT("label", 0, "TEXT", struct args, label,
	    "name of the state in verdicts (default: the host's name)") },
	{ OPT_TEXT("out", 'o', "FILE", struct args, out,
	    "write the list to FILE (default: standard output)") },
	OPT_END,
};

const struct opt_command verify_host_states = {
	.name = "vtpm-verify host-states",
	.about = "List the states that a host may be in, for --host-states.\n"
		 "They come from approvals (vtpmctl host approve), or from one "
		 "host as it is now.\n",
	.usage = "--key PEM [--epoch N] [-o FILE] APPROVAL...\n"
		 "--pcrs FILE [--epoch N] [--select LIST] [--label TEXT] "
		 "[-o FILE]\n",
	.operands = "APPROVAL",
	.nmax = OPT_ANY,
	.opts = opts,
	.size = sizeof(struct args),
	.run = host_states,
	.more = "Exit status: 0 made, 1 an approval or the state is not valid, "
		"2 failed, or wrong usage.\n",
};
