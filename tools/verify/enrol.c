/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * enrol.c - vtpm-verify enrol: is this a TPM that its manufacturer certified,
 * and does it hold this AK?  A challenge, and the host's response.
 */
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/check_on.h"
#include "base/log.h"
#include "base/util.h"
#include "measure/cert/make_credential.h"
#include "tools/common/file.h"
#include "tools/common/json.h"
#include "tools/verify/commands.h"
#include "tools/verify/input.h"
#include "tools/verify/verdict.h"

#define SECRET_LEN 32
#define FILE_MAX (512u * 1024)

struct args {
	const char *identity, *roots, *state, *response, *out;
};

/* --- challenge ------------------------------------------------------------ */

static void
print_checks(const struct host_identity_report *r)
{
	int s;

	for (s = 0; s < HS_N; s++) {
		enum host_identity_step st = (enum host_identity_step)s;

		if (r->outcome[s] != STEP_NOT_REACHED)
			(void)printf("%s  %-16s %s\n",
			    r->outcome[s] == STEP_PASS ? "ok  " : "FAIL",
			    host_identity_step_id(st),
			    r->outcome[s] == STEP_PASS
				? host_identity_step_words(st)
				: r->why);
	}
}

/* The intermediates that the host did not bring but the roots file had. */
static int
keep_chain(struct host_identity *h, const struct host_identity_report *r)
{
	int i, rc = VT_OK;

	for (i = 0; rc == VT_OK && i < sk_X509_num(r->chain); i++) {
		unsigned char *der = NULL;
		int len = i2d_X509(sk_X509_value(r->chain, i), &der);

		rc = len > 0 ? host_identity_add_chain(h, der, (size_t)len)
			     : VT_E_CRYPTO;
		OPENSSL_free(der);
	}
	return rc;
}

static int
write_challenge(const struct args *a, const struct host_identity *h,
    const struct host_identity_report *r)
{
	uint8_t secret[SECRET_LEN];
	const uint8_t *ek;
	struct credential c;
	char *record = NULL;
	size_t len = 0;
	int rc;

	if ((rc = tpm_pub_unwrap(h->part[HI_EK_PUBLIC].p,
		 h->part[HI_EK_PUBLIC].len, &ek, &len)) != VT_OK ||
	    (rc = random_bytes(secret, sizeof(secret))) != VT_OK ||
	    (rc = credential_make(
		 ek, len, &r->ak_name, secret, sizeof(secret), &c)) != VT_OK ||
	    (rc = host_identity_format(h, HOST_IDENTITY_RECORD, &record)) !=
		VT_OK) {
		log_err(
		    "cannot make a challenge for this EK: %s", vt_strerror(rc));
		return rc;
	}
	/* The state first: a challenge without it is of no use. */
	rc = tool_json_save(a->state,
	    json_pack("{s:s, s:i, s:o, s:o}", "format", "vtpm-enrol-state",
		"version", 1, "secret", tool_json_b64(secret, sizeof(secret)),
		"host", json_loads(record, 0, NULL)),
	    0600);
	if (rc == VT_OK)
		rc = tool_json_save(a->out,
		    json_pack("{s:s, s:i, s:o, s:o}", "format",
			"vtpm-enrol-challenge", "version", 1, "credential",
			tool_json_b64(c.id, c.id_len), "secret",
			tool_json_b64(c.enc, c.enc_len)),
		    0644);
	OPENSSL_cleanse(secret, sizeof(secret));
	free(record);
	return rc;
}

static int
challenge(void *ctx, void *args, int argc, char **argv)
{
	struct host_identity_report rep = { 0 };
	struct host_roots *roots = NULL;
	struct host_identity *h = NULL;
	const struct args *a = args;
	int ex = VX_UNDECIDED;

	(void)ctx;
	(void)argc;
	(void)argv;
	if (input_host_identity(a->identity, HOST_IDENTITY_IDENTITY, &h) !=
		VT_OK ||
	    input_roots(a->roots, &roots) != VT_OK)
		goto out;
	if (host_identity_check(h, roots, 0, &rep) != VT_OK) {
		print_checks(&rep);
		(void)printf("REFUSED: %s\n", rep.why);
		ex = VX_REFUSED;
		goto out;
	}
	print_checks(&rep);
	if (keep_chain(h, &rep) == VT_OK &&
	    write_challenge(a, h, &rep) == VT_OK)
		ex = VX_ACCEPTED;
out:
	host_identity_report_done(&rep);
	host_roots_free(roots);
	host_identity_free(h);
	return ex;
}

/* --- finish --------------------------------------------------------------- */

static int
get_secret(json_t *root, uint8_t ret[SECRET_LEN])
{
	uint8_t *raw = NULL;
	size_t len = 0;
	int rc = tool_json_get_b64(root, "secret", &raw, &len);

	if (rc == VT_OK && len != SECRET_LEN)
		rc = VT_E_FORMAT;
	if (rc == VT_OK)
		memcpy(ret, raw, len);
	free(raw);
	return rc;
}

static int
write_record(const struct args *a, json_t *host)
{
	char err[HOST_IDENTITY_ERR_MAX], *text = json_dumps(host, 0);
	struct host_identity *h = NULL;
	int rc = VT_E_NOMEM;

	if (text != NULL && (rc = host_identity_parse(text, strlen(text),
				 HOST_IDENTITY_RECORD, &h, err)) != VT_OK)
		log_err("%s: %s", a->state, err);
	free(text);
	if (rc != VT_OK)
		return rc;
	h->enrolled_s = wall_ms() / 1000;
	text = NULL;
	if ((rc = host_identity_format(h, HOST_IDENTITY_RECORD, &text)) ==
		VT_OK &&
	    (rc = tool_write_line(a->out, text, 0644)) == VT_OK)
		log_info("host '%s' is enrolled: its TPM holds this EK and "
			 "this AK",
		    h->host);
	free(text);
	host_identity_free(h);
	return rc;
}

static int
finish(void *ctx, void *args, int argc, char **argv)
{
	uint8_t want[SECRET_LEN], got[SECRET_LEN];
	const struct args *a = args;
	json_t *state, *answer = NULL;
	int ex = VX_UNDECIDED;

	(void)ctx;
	(void)argc;
	(void)argv;
	state = tool_json_load(a->state, FILE_MAX, "vtpm-enrol-state");
	if (state == NULL || (answer = tool_json_load(a->response, FILE_MAX,
				  "vtpm-enrol-response")) == NULL)
		goto out;
	if (get_secret(state, want) != VT_OK) {
		log_err("%s: has no secret", a->state);
		goto out;
	}
	if ((get_secret(answer, got) != VT_OK ||
		!mem_equal(want, got, sizeof(want))) &&
	    check_on("enrol-secret")) {
		(void)printf("REFUSED: the host could not open the challenge: "
			     "its AK is not in the TPM of this EK\n");
		ex = VX_REFUSED;
		goto out;
	}
	if (write_record(a, json_object_get(state, "host")) == VT_OK)
		ex = VX_ACCEPTED;
out:
	OPENSSL_cleanse(want, sizeof(want));
	json_decref(state);
	json_decref(answer);
	return ex;
}

/* --- tables --------------------------------------------------------------- */

#define STATE                                                           \
	{                                                               \
		OPT_TEXT("state", 0, "FILE", struct args, state,        \
		    "what this verifier remembers in between; keep it " \
		    "secret, and "                                      \
		    "delete it afterwards"),                            \
		    .needed = true                                      \
	}

static const struct opt challenge_opts[] = {
	{ OPT_TEXT("identity", 0, "FILE", struct args, identity,
	      "the host's identity, from vtpmctl host enrol -o"),
	    .needed = true },
	{ OPT_TEXT("roots", 0, "PATH", struct args, roots,
	      "certificates of TPM manufacturers, roots and intermediates, PEM "
	      "or DER: a file or a folder"),
	    .needed = true },
	STATE,
	{ OPT_TEXT("out", 'o', "CHALLENGE", struct args, out,
	      "write the challenge, for vtpmctl host enrol --challenge"),
	    .needed = true },
	OPT_END,
};

static const struct opt_command challenge_cmd = {
	.name = "vtpm-verify enrol challenge",
	.about = "Check a host's identity up to a manufacturer's root, and "
		 "make a challenge that only its TPM can open.\n",
	.opts = challenge_opts,
	.size = sizeof(struct args),
	.run = challenge,
};

static const struct opt finish_opts[] = {
	{ OPT_TEXT("response", 0, "FILE", struct args, response,
	      "the host's response, from vtpmctl host enrol --challenge"),
	    .needed = true },
	STATE,
	{ OPT_TEXT("out", 'o', "HOST", struct args, out,
	    "write the host's record (default: standard output)") },
	OPT_END,
};

static const struct opt_command finish_cmd = {
	.name = "vtpm-verify enrol finish",
	.about = "Check a host's response to the challenge, and write the "
		 "host's record.\n",
	.opts = finish_opts,
	.size = sizeof(struct args),
	.run = finish,
};

static const struct opt_command *const commands[] = { &challenge_cmd,
	&finish_cmd, NULL };

const struct opt_command verify_enrol = {
	.name = "vtpm-verify enrol",
	.about = "Enrol a host: prove that its TPM is genuine and holds its "
		 "attestation key.\n",
	.commands = commands,
	.more = "Exit status: 0 done, 1 refused, 2 failed, or wrong usage.\n",
};
