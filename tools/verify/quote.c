/* SPDX-License-Identifier: BSD-3-Clause */
/* quote.c - vtpm-verify quote: what tpm2_quote wrote, by our own rules. */
#include <stdlib.h>

#include "base/log.h"
#include "measure/evidence/bundle.h"
#include "measure/library/vtpm_verify.h"
#include "tools/common/file.h"
#include "tools/verify/commands.h"
#include "tools/verify/verdict.h"

#define PART_MAX 16384

struct args {
	const char *ak, *quote, *sig, *pcrs, *ek;
	bool json;
	struct opt_bytes nonce;
};

/* A file, if one is named. */
static int
read_part(const char *path, uint8_t **buf, const void **ret, size_t *ret_len)
{
	int rc;

	if (path == NULL)
		return VT_OK;
	if ((rc = tool_read(path, PART_MAX, buf, ret_len)) == VT_OK)
		*ret = *buf;
	return rc;
}

static int
judge(const struct args *a)
{
	struct vtpm_verifier *v = vtpm_verifier_new();
	struct vtpm_quote q = { .size = sizeof(q),
		.nonce = a->nonce.b,
		.nonce_len = a->nonce.len };
	uint8_t *buf[5] = { NULL };
	struct vtpm_report *r;
	int ex = VERDICT_NONE;
	size_t i;

	if (v == NULL)
		log_err("out of memory");
	else if (read_part(a->ak, &buf[0], &q.ak, &q.ak_len) == VT_OK &&
		 read_part(a->quote, &buf[1], &q.quote, &q.quote_len) ==
		     VT_OK &&
		 read_part(a->sig, &buf[2], &q.signature, &q.signature_len) ==
		     VT_OK &&
		 read_part(a->pcrs, &buf[3], &q.pcrs, &q.pcrs_len) == VT_OK &&
		 read_part(a->ek, &buf[4], &q.ek, &q.ek_len) == VT_OK) {
		if (vtpm_verifier_judge_quote(v, &q, &r) == 0)
			ex = verdict_print(r, a->json, false);
		else
			log_err("%s: %s", a->quote, vtpm_verifier_error(v));
	}
	for (i = 0; i < 5; i++)
		free(buf[i]);
	vtpm_verifier_free(v);
	return ex;
}

static int
quote(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;

	(void)ctx;
	(void)argc;
	(void)argv;
	return verdict_of(judge(a), a->json);
}

static const struct opt opts[] = {
	{ OPT_TEXT("ak", 0, "FILE", struct args, ak,
	      "the AK's public area, as tpm2_readpublic writes it"),
	    .needed = true },
	{ OPT_TEXT("quote", 0, "FILE", struct args, quote,
	      "the attestation, from tpm2_quote --message"),
	    .needed = true },
	{ OPT_TEXT("sig", 0, "FILE", struct args, sig,
	      "the signature, from tpm2_quote --signature, as a "
	      "TPMT_SIGNATURE"),
	    .needed = true },
	{ OPT_TEXT("pcrs", 0, "FILE", struct args, pcrs,
	      "the values, from tpm2_quote --pcr, serialized or values"),
	    .needed = true },
	{ OPT_HEX("nonce", "HEX", struct args, nonce, BUNDLE_NONCE_MIN,
	      BUNDLE_NONCE_MAX,
	      "the nonce that the TPM was given, 8 to 64 bytes: tpm2_quote "
	      "--qualification"),
	    .needed = true },
	{ OPT_TEXT("ek", 0, "FILE", struct args, ek,
	    "certificate (DER) or public area of the EK that the AK must be a "
	    "child of (default: the AK is trusted as it is)") },
	{ OPT_FLAG("json", 0, struct args, json,
	    "print the verdict and every check as JSON") },
	OPT_END,
};

const struct opt_command verify_quote = {
	.name = "vtpm-verify quote",
	.about = "Judge a quote that tpm2_quote or other software made; no "
		 "boot is judged.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.run = quote,
	.more =
	    "Exit status: 0 accepted, 1 refused, 2 cannot decide, or wrong "
	    "usage.\n"
	    "Example:\n"
	    "  tpm2_quote -c ak.ctx -l sha256:0,7 -q $NONCE -m q -s s -o p\n"
	    "  vtpm-verify quote --ak ak.pub --quote q --sig s --pcrs p "
	    "--nonce $NONCE\n",
};
