/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * enrol.c - vtpm-verify enrol: is this the TPM that its maker
 * certified, and does it hold this AK?  A challenge, and what came back.
 */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "base/base64.h"
#include "base/check_on.h"
#include "measure/cert/make_credential.h"
#include "tools/verify/cmd.h"

#define SECRET_LEN 32
#define FILE_MAX (512u * 1024)

static const char usage[] =
    "usage: vtpm-verify enrol challenge --identity FILE --roots FILE|FOLDER\n"
    "                   -o CHALLENGE --state FILE\n"
    "       vtpm-verify enrol finish --response FILE --state FILE -o HOST\n"
    "  --identity FILE   what `vtpmctl host enrol` wrote on the host\n"
    "  --roots PATH      certificates of TPM manufacturers: roots and what\n"
    "                    lies between, PEM or DER\n"
    "  --state FILE      what this verifier must remember: keep it to\n"
    "                    yourself, and delete it after\n"
    "  --response FILE   what `vtpmctl host enrol --challenge` wrote\n"
    "  -o FILE           the challenge, or the host record\n"
    "Exit: 0 done, 1 refused, 2 could not.\n";

enum { O_IDENTITY = 256, O_ROOTS, O_STATE, O_RESPONSE };

static const struct option options[] = {
	{ "identity", required_argument, NULL, O_IDENTITY },
	{ "roots", required_argument, NULL, O_ROOTS },
	{ "state", required_argument, NULL, O_STATE },
	{ "response", required_argument, NULL, O_RESPONSE },
	{ "out", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct job {
	const char *identity, *roots, *state, *response, *out;
};

static json_t *
json_b64(const uint8_t *p, size_t len)
{
	char *text = b64_make(p, len);
	json_t *val = text != NULL ? json_string(text) : NULL;

	free(text);
	return val;
}

/* Takes over root. */
static int
save(const char *path, json_t *root, unsigned int mode)
{
	char *text = root != NULL ? json_dumps(root, JSON_INDENT(1)) : NULL;
	int rc = VT_E_NOMEM;

	json_decref(root);
	if (text != NULL)
		rc = write_file_atomic(path, text, strlen(text), mode);
	if (rc != VT_OK)
		log_err("cannot write %s: %s", path, vt_strerror(rc));
	free(text);
	return rc;
}

/* --- challenge -------------------------------------------------------------
 */

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
write_challenge(const struct job *j, const struct host_identity *h,
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
	rc = save(j->state,
	    json_pack("{s:s, s:i, s:o, s:o}", "format", "vtpm-enrol-state",
		"version", 1, "secret", json_b64(secret, sizeof(secret)),
		"host", json_loads(record, 0, NULL)),
	    0600);
	if (rc == VT_OK)
		rc = save(j->out,
		    json_pack("{s:s, s:i, s:o, s:o}", "format",
			"vtpm-enrol-challenge", "version", 1, "credential",
			json_b64(c.id, c.id_len), "secret",
			json_b64(c.enc, c.enc_len)),
		    0644);
	OPENSSL_cleanse(secret, sizeof(secret));
	free(record);
	return rc;
}

static int
challenge(const struct job *j)
{
	struct host_identity_report rep = { 0 };
	struct host_roots *roots = NULL;
	struct host_identity *h = NULL;
	int ex = VX_UNDECIDED;

	if (verify_read_hostid(j->identity, HOST_IDENTITY_IDENTITY, &h) !=
		VT_OK ||
	    verify_read_roots(j->roots, &roots) != VT_OK)
		goto out;
	if (host_identity_check(h, roots, 0, &rep) != VT_OK) {
		print_checks(&rep);
		(void)printf("REFUSED: %s\n", rep.why);
		ex = VX_REFUSED;
		goto out;
	}
	print_checks(&rep);
	if (keep_chain(h, &rep) == VT_OK &&
	    write_challenge(j, h, &rep) == VT_OK)
		ex = VX_ACCEPTED;
out:
	host_identity_report_done(&rep);
	host_roots_free(roots);
	host_identity_free(h);
	return ex;
}

/* --- finish ----------------------------------------------------------------
 */

static json_t *
load(const char *path, const char *format)
{
	uint8_t *buf = NULL;
	json_t *root = NULL;
	const char *f = NULL;
	size_t len = 0;
	int version = 0;

	if (verify_read(path, FILE_MAX, &buf, &len) != VT_OK)
		return NULL;
	root = json_loadb((char *)buf, len, JSON_REJECT_DUPLICATES, NULL);
	free(buf);
	if (root == NULL ||
	    json_unpack(
		root, "{s:s, s:i}", "format", &f, "version", &version) != 0 ||
	    strcmp(f, format) != 0 || version != 1) {
		log_err("%s: this is not a %s file of version 1", path, format);
		json_decref(root);
		return NULL;
	}
	return root;
}

static int
get_secret(json_t *root, uint8_t ret[SECRET_LEN])
{
	const json_t *val = json_object_get(root, "secret");
	uint8_t *raw = NULL;
	size_t len = 0;
	int rc = VT_E_FORMAT;

	if (json_is_string(val))
		rc = b64_get(json_string_value(val), json_string_length(val),
		    &raw, &len);
	if (rc == VT_OK && len == SECRET_LEN)
		memcpy(ret, raw, len);
	else
		rc = VT_E_FORMAT;
	free(raw);
	return rc;
}

static int
write_record(const struct job *j, json_t *host)
{
	char err[HOST_IDENTITY_ERR_MAX], *text = json_dumps(host, 0);
	struct host_identity *h = NULL;
	int rc = VT_E_NOMEM;

	if (text != NULL && (rc = host_identity_parse(text, strlen(text),
				 HOST_IDENTITY_RECORD, &h, err)) != VT_OK)
		log_err("%s: %s", j->state, err);
	free(text);
	if (rc != VT_OK)
		return rc;
	h->enrolled_s = wall_ms() / 1000;
	text = NULL;
	if ((rc = host_identity_format(h, HOST_IDENTITY_RECORD, &text)) ==
		VT_OK &&
	    (rc = verify_write(j->out, text)) == VT_OK)
		(void)fprintf(stderr,
		    "host '%s' is enrolled: it holds this EK and this AK\n",
		    h->host);
	free(text);
	host_identity_free(h);
	return rc;
}

static int
finish(const struct job *j)
{
	uint8_t want[SECRET_LEN], got[SECRET_LEN];
	json_t *state = load(j->state, "vtpm-enrol-state"), *answer = NULL;
	int ex = VX_UNDECIDED;

	if (state == NULL ||
	    (answer = load(j->response, "vtpm-enrol-response")) == NULL)
		goto out;
	if (get_secret(state, want) != VT_OK) {
		log_err("%s: no secret in it", j->state);
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
	if (write_record(j, json_object_get(state, "host")) == VT_OK)
		ex = VX_ACCEPTED;
out:
	OPENSSL_cleanse(want, sizeof(want));
	json_decref(state);
	json_decref(answer);
	return ex;
}

static bool
set_option(struct job *j, int c, const char *arg)
{
	switch (c) {
	case O_IDENTITY:
		j->identity = arg;
		return true;
	case O_ROOTS:
		j->roots = arg;
		return true;
	case O_STATE:
		j->state = arg;
		return true;
	case O_RESPONSE:
		j->response = arg;
		return true;
	case 'o':
		j->out = arg;
		return true;
	default:
		return false;
	}
}

int
verify_cmd_enrol(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct job j = { 0 };
	int c;

	if (argc > 1 && argv[1][0] != '-') {
		argc--;
		argv++;
	}
	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		if (c == 'h') {
			(void)fputs(usage, stdout);
			return VX_ACCEPTED;
		}
		if (!set_option(&j, c, optarg))
			return VX_UNDECIDED;
	}
	if (optind == argc && strcmp(what, "challenge") == 0 &&
	    j.identity != NULL && j.roots != NULL && j.state != NULL &&
	    j.out != NULL)
		return challenge(&j);
	if (optind == argc && strcmp(what, "finish") == 0 &&
	    j.response != NULL && j.state != NULL)
		return finish(&j);
	(void)fputs(usage, stderr);
	return VX_UNDECIDED;
}
