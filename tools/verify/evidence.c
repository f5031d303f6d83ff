/* SPDX-License-Identifier: BSD-3-Clause */
/* evidence.c - vtpm-verify -e: prints every check, and a verdict. */
#include <stdlib.h>

#include "base/log.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "measure/appraise/policy.h"
#include "measure/cert/x509.h"
#include "measure/evidence/bundle.h"
#include "measure/library/vtpm_verify.h"
#include "tools/common/file.h"
#include "tools/verify/commands.h"
#include "tools/verify/input.h"
#include "tools/verify/verdict.h"

struct args {
	const char *evidence, *policy, *ca, *previous;
	const char *host, *states, *roots;
	bool json, all, have_uuid;
	uint8_t uuid[UUID_LEN];
	struct opt_bytes nonce, firmware, channel_key;
};

static int
set_uuid(void *dst, const struct opt *o, const char *arg)
{
	struct args *a = dst;

	(void)o;
	a->have_uuid = true;
	return uuid_parse(arg, a->uuid);
}

static int
set_inputs(struct vtpm_verifier *v, const struct args *a)
{
	int rc =
	    input_set(v, a->policy, POLICY_MAX_LEN, vtpm_verifier_set_policy);

	if (rc == VT_OK && a->ca != NULL)
		rc = input_set(v, a->ca, X509_CA_MAX, vtpm_verifier_set_ca);
	if (rc == VT_OK && a->host != NULL)
		rc = input_host(v, a->host, a->states, a->roots);
	return rc;
}

static int
judge(struct vtpm_verifier *v, const struct args *a)
{
	uint64_t firmware = be64_get(a->firmware.b);
	struct vtpm_expect x = {
		.size = sizeof(x),
		.nonce = a->nonce.b,
		.nonce_len = a->nonce.len,
		.uuid = a->have_uuid ? a->uuid : NULL,
		.channel_key = a->channel_key.len > 0 ? a->channel_key.b : NULL,
		.firmware = a->firmware.len > 0 ? &firmware : NULL,
	};
	uint8_t *ev = NULL, *old = NULL;
	struct vtpm_report *r;
	size_t len = 0;
	int ex = VERDICT_NONE;

	if (tool_read(a->evidence, BUNDLE_MAX_LEN, &ev, &len) != VT_OK ||
	    (a->previous != NULL && tool_read(a->previous, BUNDLE_MAX_LEN, &old,
					&x.previous_len) != VT_OK))
		goto out;
	x.previous = old;
	if (vtpm_verifier_judge(v, ev, len, &x, &r) == 0)
		ex = verdict_print(r, a->json, a->all);
	else
		log_err("%s: %s", a->evidence, vtpm_verifier_error(v));
out:
	free(ev);
	free(old);
	return ex;
}

static int
evidence(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	struct vtpm_verifier *v;
	int ex = VERDICT_NONE;

	(void)ctx;
	(void)argc;
	(void)argv;
	if (a->host == NULL &&
	    (a->states != NULL || a->roots != NULL || a->channel_key.len > 0))
		return opt_bad(&verify_program,
		    "--host-states, --roots and --channel-key go with --host");
	if ((v = vtpm_verifier_new()) == NULL)
		log_err("out of memory");
	else if (set_inputs(v, a) == VT_OK)
		ex = judge(v, a);
	vtpm_verifier_free(v);
	return verdict_of(ex, a->json);
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
	{ OPT_FLAG("all", 0, struct args, all,
	    "print every event that differs from the policy") },
	{ OPT_FLAG("json", 0, struct args, json,
	    "print the verdict and every check as JSON") },
	OPT_END,
};

static const struct opt_command *const commands[] = { &verify_policy,
	&verify_show, &verify_replay, &verify_quote, &verify_enrol,
	&verify_host_states, &verify_host_quote, &verify_nonce, NULL };

const struct opt_command verify_program = {
	.name = "vtpm-verify",
	.about = "Judge a guest's evidence: print each check and a verdict.\n",
	.usage =
	    "-e EVIDENCE --nonce HEX --policy FILE [--ca FILE] [--uuid UUID] "
	    "[--previous FILE] [--firmware HEX] [--host FILE] [--host-states "
	    "FILE] [--roots PATH] [--channel-key HEX] [--all] [--json]\n"
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
