/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_quote.c - vtpm-verify host-quote: a quote of the host's TPM by a
 * group's AK, up to the manufacturer's root.
 */
#include <stdlib.h>

#include "base/log.h"
#include "measure/host/tenant_config.h"
#include "measure/library/vtpm_verify.h"
#include "tools/common/file.h"
#include "tools/verify/commands.h"
#include "tools/verify/input.h"
#include "tools/verify/verdict.h"

struct args {
	const char *quote, *host, *states, *roots;
	bool json, have_group;
	uint32_t group;
	uint64_t sequence;
	struct opt_bytes nonce;
};

static int
set_group(void *dst, const struct opt *o, const char *arg)
{
	struct args *a = dst;

	(void)o;
	a->have_group = true;
	return dec_u32(arg, &a->group);
}

static int
judge(struct vtpm_verifier *v, const struct args *a)
{
	const struct vtpm_expect_host x = {
		.size = sizeof(x),
		.nonce = a->nonce.b,
		.nonce_len = a->nonce.len,
		.group = a->have_group ? &a->group : NULL,
		.min_sequence = a->sequence,
	};
	struct vtpm_report *r;
	uint8_t *buf = NULL;
	size_t len = 0;
	int ex = VERDICT_NONE;

	if (tool_read(a->quote, TENANT_QUOTE_MAX, &buf, &len) != VT_OK)
		return VERDICT_NONE;
	if (vtpm_verifier_judge_host(v, buf, len, &x, &r) == 0)
		ex = verdict_print(r, a->json, false);
	else
		log_err("%s: %s", a->quote, vtpm_verifier_error(v));
	free(buf);
	return ex;
}

static int
host_quote(void *ctx, void *args, int argc, char **argv)
{
	struct vtpm_verifier *v = vtpm_verifier_new();
	const struct args *a = args;
	int ex = VERDICT_NONE;

	(void)ctx;
	(void)argc;
	(void)argv;
	if (v == NULL)
		log_err("out of memory");
	else if (input_host(v, a->host, a->states, a->roots) == VT_OK)
		ex = judge(v, a);
	vtpm_verifier_free(v);
	return verdict_of(ex, a->json);
}

static const struct opt opts[] = {
	{ OPT_TEXT("quote", 0, "FILE", struct args, quote,
	      "the quote, from vtpmctl group quote"),
	    .needed = true },
	{ OPT_HEX("nonce", "HEX", struct args, nonce, TENANT_NONCE_MIN,
	      TENANT_NONCE_MAX, "the nonce that the host was given"),
	    .needed = true },
	{ OPT_TEXT("host", 0, "FILE", struct args, host,
	      "the host's record, from vtpm-verify enrol"),
	    .needed = true },
	{ OPT_TEXT("host-states", 0, "FILE", struct args, states,
	    "states that the host may be in; without it nothing is "
	    "accepted") },
	{ OPT_TEXT("roots", 0, "PATH", struct args, roots,
	    "certificates of TPM manufacturers, a file or a folder; check the "
	    "host's EK certificate again") },
	{ OPT_CALL("group", "N", set_group, "the number of a group",
	    "accept only a quote for this group (default: any group of the "
	    "host)") },
	{ OPT_U64("min-sequence", "N", struct args, sequence, 0, UINT64_MAX,
	    "accept only a group configuration with this sequence number or a "
	    "later one (default 0)") },
	{ OPT_FLAG("json", 0, struct args, json,
	    "print the verdict and every check as JSON") },
	OPT_END,
};

const struct opt_command verify_host_quote = {
	.name = "vtpm-verify host-quote",
	.about = "Judge a quote of a host's TPM, from vtpmctl group quote; no "
		 "guest is involved.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.run = host_quote,
	.more = "Exit status: 0 accepted, 1 refused, 2 cannot decide, or wrong "
		"usage.\n",
};
