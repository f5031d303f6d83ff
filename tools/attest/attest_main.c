/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * attest_main.c - vtpm-attest: in the guest, gather the evidence of its boot
 * into one file.
 *
 * Runs in an initramfs too: no configuration, no files but the output and the
 * kernel's event log.  It decides nothing; vtpm-verify does, elsewhere.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/options.h"
#include "base/util.h"
#include "tools/attest/gather.h"
#include "tools/common/file.h"

#define DEFAULT_PCRS "sha256:0-15"

enum { EX_DONE = 0, EX_FAILED = 1 }; /* and OPT_BAD */

struct args {
	const char *tcti, *log, *out, *channel_key;
	uint32_t ak;
	bool no_journal, deep, have_sel;
	struct pcr_sel sel;
	struct opt_bytes nonce;
};

static const struct opt_command vtpm_attest;

static int
set_pcrs(void *dst, const struct opt *o, const char *arg)
{
	struct args *a = dst;

	(void)o;
	a->have_sel = true;
	return pcr_sel_parse(arg, &a->sel);
}

static int
set_ak(void *dst, const struct opt *o, const char *arg)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 0);

	(void)o;
	((struct args *)dst)->ak = (uint32_t)v;
	return *arg != '\0' && *end == '\0' && v >> 24 == 0x81 ? VT_OK
							       : VT_E_FORMAT;
}

static int
write_evidence(const struct bundle *ev, const char *out)
{
	char *text;
	int rc;

	if ((rc = bundle_format(ev, &text)) != VT_OK) {
		log_err("cannot write %s: %s", out, vt_strerror(rc));
		return rc;
	}
	rc = strcmp(out, "-") == 0 ? tool_write_line(out, text, 0)
				   : tool_write(out, text, strlen(text), 0644);
	free(text);
	return rc;
}

static int
attest(void *ctx, void *args, int argc, char **argv)
{
	const struct args *o = args;
	struct attest a = { .log = o->log,
		.ak = o->ak,
		.no_journal = o->no_journal,
		.deep = o->deep,
		.channel_key = o->channel_key,
		.sel = o->sel,
		.default_pcrs = !o->have_sel,
		.ak_tr = ESYS_TR_NONE };
	int ex = EX_FAILED;

	(void)ctx;
	(void)argc;
	(void)argv;
	if (o->channel_key != NULL && !o->deep)
		return opt_bad(&vtpm_attest, "--channel-key goes with --deep");
	if (bundle_new(&a.ev) != VT_OK ||
	    bundle_set(a.ev, BUNDLE_NONCE, o->nonce.b, o->nonce.len) != VT_OK ||
	    (!o->have_sel && pcr_sel_parse(DEFAULT_PCRS, &a.sel) != VT_OK))
		log_err("out of memory");
	else if (esys_open(&a.e, o->tcti) != VT_OK)
		log_err("%s", esys_why(&a.e));
	else if (gather(&a) == VT_OK && write_evidence(a.ev, o->out) == VT_OK)
		ex = EX_DONE;
	esys_close(&a.e);
	bundle_free(a.ev);
	return ex;
}

static const struct opt opts[] = {
	{ OPT_HEX("nonce", "HEX", struct args, nonce, BUNDLE_NONCE_MIN,
	      BUNDLE_NONCE_MAX,
	      "the verifier's nonce, 8 to 64 bytes; vtpm-verify nonce makes "
	      "one"),
	    .needed = true },
	{ OPT_TEXT("out", 'o', "FILE", struct args, out,
	      "write the evidence to FILE; - is standard output"),
	    .needed = true },
	{ OPT_TEXT("tcti", 0, "CONF", struct args, tcti,
	    "the TPM, as tpm2-tss names it (default device:/dev/tpmrm0, or "
	    "else device:/dev/tpm0)") },
	{ OPT_CALL("pcrs", "LIST", set_pcrs,
	    "a PCR selection, as sha256:0-7,17",
	    "PCRs to quote, as sha256:0-9,14+sha384:0 (default 0-15, and 17 if "
	    "the host measured the launch, of the first active bank out of "
	    "sha256, sha384 and sha512)") },
	{ OPT_CALL("ak", "HANDLE", set_ak, "a persistent handle, as 0x81000003",
	    "persistent handle of the attestation key (default 0x81000003)") },
	{ OPT_TEXT("log", 0, "FILE", struct args, log,
	    "event log (default: the kernel's, if it has one)") },
	{ OPT_FLAG("deep", 0, struct args, deep,
	    "have the host's TPM vouch for the quote; takes up to a minute") },
	{ OPT_TEXT("channel-key", 0, "FILE", struct args, channel_key,
	    "with --deep: have the host vouch for this public key, too") },
	{ OPT_FLAG("no-journal", 0, struct args, no_journal,
	    "continue if the TPM has no extend journal because it is not a "
	    "vTPM "
	    "of vtpm-managerd") },
	OPT_END,
};

static const struct opt_command vtpm_attest = {
	.name = "vtpm-attest",
	.about = "Gather evidence of this guest's boot for vtpm-verify.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.defaults = &(const struct args){ .ak = ESYS_AK_HANDLE },
	.run = attest,
	.more = "Exit status: 0 written, 1 failed, 2 wrong usage.\n"
		"Example:\n"
		"  vtpm-attest --nonce $NONCE -o evidence.json\n",
};

int
main(int argc, char **argv)
{
	log_open("vtpm-attest", LOG_L_INFO);
	return opt_run(&vtpm_attest, NULL, argc, argv);
}
