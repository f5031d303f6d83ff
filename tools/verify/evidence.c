/* SPDX-License-Identifier: BSD-3-Clause */
/* evidence.c - vtpm-verify -e: every check in words, and a verdict. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "measure/evidence/verify.h"
#include "tools/common/file.h"
#include "tools/verify/commands.h"
#include "tools/verify/input.h"
#include "tools/verify/verdict.h"

struct args {
	const char *evidence, *policy, *ca, *previous;
	const char *host, *states, *roots;
	bool json, have_uuid;
	uint8_t uuid[UUID_LEN];
	struct opt_bytes nonce, firmware, channel_key;
};

struct job {
	struct bundle *ev;
	struct policy *policy;
	uint8_t *ca;
	size_t ca_len;
	struct quote_attest last;
	struct input_host host;
	struct report *rep;
};

static int
set_uuid(void *dst, const struct opt *o, const char *arg)
{
	struct args *a = dst;

	(void)o;
	a->have_uuid = true;
	return uuid_parse(arg, a->uuid);
}

/* The clock of an earlier quote by the same AK. */
static int
read_previous(const struct args *a, struct job *j)
{
	const struct bundle_blob *now = &j->ev->part[BUNDLE_AK_PUBLIC], *ak, *q;
	struct bundle *old = NULL;
	int rc;

	if ((rc = input_evidence(a->previous, &old)) != VT_OK)
		return rc;
	ak = &old->part[BUNDLE_AK_PUBLIC];
	q = &old->part[BUNDLE_QUOTE];
	if (ak->len != now->len || memcmp(ak->p, now->p, ak->len) != 0) {
		log_err("%s: made by another AK", a->previous);
		rc = VT_E_FORMAT;
	} else if ((rc = quote_attest_get(q->p, q->len, &j->last)) != VT_OK) {
		log_err("%s: has no quote", a->previous);
	}
	bundle_free(old);
	return rc;
}

static int
read_policy(const struct args *a, struct job *j)
{
	char err[POLICY_ERR_MAX];
	uint8_t *buf = NULL;
	size_t len = 0;
	int rc;

	if ((rc = tool_read(a->policy, POLICY_MAX_LEN, &buf, &len)) != VT_OK)
		return rc;
	if ((rc = policy_parse(buf, len, &j->policy, err)) != VT_OK)
		log_err("%s: %s", a->policy, err);
	free(buf);
	return rc;
}

static int
read_inputs(const struct args *a, struct job *j)
{
	int rc;

	if ((rc = input_evidence(a->evidence, &j->ev)) != VT_OK ||
	    (rc = read_policy(a, j)) != VT_OK ||
	    (a->ca != NULL && (rc = tool_read(a->ca, X509_CA_MAX, &j->ca,
				   &j->ca_len)) != VT_OK) ||
	    (a->host != NULL && (rc = input_host(&j->host, a->host, a->states,
				     a->roots)) != VT_OK))
		return rc;
	return a->previous != NULL ? read_previous(a, j) : VT_OK;
}

static int
judge(const struct args *a, struct job *j)
{
	struct verify_want w = { .nonce = a->nonce.b,
		.nonce_len = a->nonce.len };
	uint64_t firmware = be64_get(a->firmware.b);
	int rc;

	w.policy = j->policy;
	w.ca = j->ca;
	w.ca_len = j->ca_len;
	w.uuid = a->have_uuid ? a->uuid : NULL;
	w.last = a->previous != NULL ? &j->last : NULL;
	w.firmware = a->firmware.len > 0 ? &firmware : NULL;
	w.host = j->host.deep;
	w.channel_key = a->channel_key.len > 0 ? a->channel_key.b : NULL;
	if ((rc = verify_bundle(j->ev, &w, &j->rep)) != VT_OK) {
		log_err("cannot judge: %s", vt_strerror(rc));
		return VX_UNDECIDED;
	}
	return verdict_print(j->rep, a->json);
}

static int
evidence(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	struct job j = { 0 };
	int ex = VX_UNDECIDED;

	(void)ctx;
	(void)argc;
	(void)argv;
	if (a->host == NULL &&
	    (a->states != NULL || a->roots != NULL || a->channel_key.len > 0))
		return opt_bad(&verify_program,
		    "--host-states, --roots and --channel-key go with --host");
	if (read_inputs(a, &j) == VT_OK)
		ex = judge(a, &j);
	report_free(j.rep);
	input_host_done(&j.host);
	policy_free(j.policy);
	bundle_free(j.ev);
	free(j.ca);
	return ex;
}

static const struct opt opts[] = {
	{ OPT_TEXT("evidence", 'e', "FILE", struct args, evidence,
	      "the evidence, from vtpm-attest"),
	    .needed = true },
	{ OPT_HEX("nonce", "HEX", struct args, nonce, BUNDLE_NONCE_MIN,
	      BUNDLE_NONCE_MAX,
	      "the nonce that the guest was given; use each nonce once"),
	    .needed = true },
	{ OPT_TEXT("policy", 0, "FILE", struct args, policy,
	      "which boots are accepted; see vtpm-policy(5)"),
	    .needed = true },
	{ OPT_TEXT("ca", 0, "FILE", struct args, ca,
	    "certificate of the vTPM manager's CA, PEM or DER (default: that "
	    "in --host's record; without either nothing is accepted)") },
	{ OPT_CALL("uuid", "UUID", set_uuid, "a UUID",
	    "accept this vTPM only (default: any vTPM of the CA)") },
	{ OPT_TEXT("previous", 0, "FILE", struct args, previous,
	    "earlier accepted evidence of this vTPM, whose counters must not "
	    "have run backwards since") },
	{ OPT_HEX("firmware", "HEX", struct args, firmware, 8, 8,
	    "accept only this firmwareVersion of the TPM, 8 bytes, as "
	    "vtpm-verify show prints it") },
	{ OPT_TEXT("host", 0, "FILE", struct args, host,
	    "the host's record, from vtpm-verify enrol: require a deep quote "
	    "of this host") },
	{ OPT_TEXT("host-states", 0, "FILE", struct args, states,
	    "with --host: states that the host may be in; without it nothing "
	    "on a host is accepted") },
	{ OPT_TEXT("roots", 0, "PATH", struct args, roots,
	    "with --host: certificates of TPM manufacturers, a file or a "
	    "folder; check the host's EK certificate again") },
	{ OPT_HEX("channel-key", "HEX", struct args, channel_key, SHA256_LEN,
	    SHA256_LEN,
	    "with --host: SHA-256 of the key at the other end of the channel, "
	    "which the deep quote must name") },
	{ OPT_FLAG("json", 0, struct args, json,
	    "print the verdict and every check as JSON") },
	OPT_END,
};

static const struct opt_command *const commands[] = { &verify_policy,
	&verify_show, &verify_enrol, &verify_host_states, &verify_host_quote,
	&verify_nonce, NULL };

const struct opt_command verify_program = {
	.name = "vtpm-verify",
	.about = "Judge a guest's evidence: print each check and a verdict.\n",
	.usage =
	    "-e EVIDENCE --nonce HEX --policy FILE [--ca FILE] [--uuid UUID] "
	    "[--previous FILE] [--firmware HEX] [--host FILE] [--host-states "
	    "FILE] [--roots PATH] [--channel-key HEX] [--json]\n"
	    "COMMAND [ARGS]\n",
	.opts = opts,
	.size = sizeof(struct args),
	.run = evidence,
	.commands = commands,
	.more = "`vtpm-verify COMMAND --help` describes a command.\n"
		"Exit status: 0 accepted or done, 1 refused, 2 cannot decide, "
		"or wrong usage.\n"
		"Example:\n"
		"  NONCE=$(vtpm-verify nonce)\n"
		"  vtpm-verify -e evidence.json --nonce $NONCE --policy "
		"policy.json --ca ca.pem\n",
};
