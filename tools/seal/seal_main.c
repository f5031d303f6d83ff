/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seal_main.c - vtpm-seal: seal a secret to this guest's boot, and open it
 * again after an equal boot.
 */
#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "tools/esys/esys_ctx.h"
#include "tools/seal/seal_blob.h"
#include "tools/seal/seal_tpm.h"

#define WHY_MAX 1024
#define DEFAULT_PCRS "sha256:0,2,4,7,8,9"

enum { SX_DONE = 0, SX_REFUSED = 1, SX_FAILED = 2 };

static const char usage[] =
    "usage: vtpm-seal seal [--tcti CONF] [--pcrs LIST] [-i FILE] -o BLOB\n"
    "       vtpm-seal unseal [--tcti CONF] -i BLOB [-o FILE]\n"
    "       vtpm-seal show BLOB\n"
    "Seals a secret to PCR values: only this TPM opens it, and only after a\n"
    "boot that was measured the same.\n"
    "  --tcti CONF      TPM to use (default device:/dev/tpmrm0, then\n"
    "                   device:/dev/tpm0)\n"
    "  --pcrs LIST      seal to these (default sha256:0,2,4,7,8,9)\n"
    "  --srk-name HEX   seal: the Name that the storage key must have\n"
    "  -i, --in FILE    the secret, or the blob; - or none: standard input\n"
    "  -o, --out FILE   the blob, or the secret; - or none: standard output\n"
    "Exit: 0 done, 1 refused (the state is not right), 2 failed.\n";

struct args {
	const char *tcti, *in, *out;
	struct pcr_sel sel;
	struct tpm_name srk_name; /* len 0: any */
};

/* --- files
 * ---------------------------------------------------------------------- */

static int
read_in(const char *path, size_t max, uint8_t **ret, size_t *ret_len)
{
	int rc;

	if (path == NULL || strcmp(path, "-") == 0) {
		rc = read_fd(STDIN_FILENO, max, ret, ret_len);
		path = "standard input";
	} else {
		rc = read_file(path, max, ret, ret_len);
	}
	if (rc != VT_OK)
		log_err("cannot read %s: %s", path, vt_strerror(rc));
	return rc;
}

static int
write_out(const char *path, const void *buf, size_t len)
{
	int rc;

	if (path == NULL || strcmp(path, "-") == 0) {
		rc = write_all(STDOUT_FILENO, buf, len);
		path = "standard output";
	} else {
		rc = write_file_atomic(path, buf, len, 0600);
	}
	if (rc != VT_OK)
		log_err("cannot write %s: %s", path, vt_strerror(rc));
	return rc;
}

static void
wipe(uint8_t *p, size_t len)
{
	if (p != NULL)
		OPENSSL_cleanse(p, len);
	free(p);
}

/* --- seal
 * ------------------------------------------------------------------------ */

static int
check_state(struct esys *e, const struct args *a, struct seal_blob *b)
{
	char why[WHY_MAX];
	uint32_t counter;
	int rc;

	b->sel = a->sel;
	rc = esys_pcr_read(e, &b->sel, &b->pcrs, &counter);
	if (rc != VT_OK) {
		log_err("cannot read the PCRs: %s",
		    rc == VT_E_AGAIN ? "they keep changing" : esys_why(e));
		return rc;
	}
	rc = seal_check_pcrs(&b->sel, &b->pcrs, why, sizeof(why));
	if (rc != VT_OK)
		log_err("refused: %s", why);
	return rc;
}

static int
find_srk(struct esys *e, const struct tpm_name *want, uint32_t handle,
    bool may_make, struct seal_srk *srk)
{
	int rc = seal_srk_find(e, handle, may_make, srk);

	if (rc == VT_E_POLICY)
		log_err("what lies at 0x%08x is not a storage key", handle);
	else if (rc == VT_E_NOTFOUND)
		log_err("the storage key at 0x%08x that this was sealed under "
			"is gone: another TPM, or it was cleared",
		    handle);
	else if (rc == VT_E_PROTO)
		log_err("the TPM's storage key has a Name that is not its own: "
			"somebody is in between");
	else if (rc != VT_OK)
		log_err("no storage key to be had: %s", esys_why(e));
	if (rc != VT_OK)
		return rc;
	if (want->len != 0 && !tpm_name_equal(want, &srk->name)) {
		log_err("refused: this TPM's storage key is another one than "
			"expected: another TPM, or one that was cleared");
		seal_srk_done(e, srk);
		return VT_E_POLICY;
	}
	return VT_OK;
}

/* Over SB_DIRECT_MAX the TPM seals a key, and the key the secret. */
static int
add_bulk(struct wr *w, const uint8_t key[GCM_KEY_LEN], const uint8_t *secret,
    size_t len)
{
	uint8_t iv[GCM_IV_LEN], tag[GCM_TAG_LEN], *ct;
	size_t ad_len = w->len;
	int rc;

	if ((ct = malloc(len)) == NULL)
		return VT_E_NOMEM;
	if ((rc = random_bytes(iv, sizeof(iv))) == VT_OK &&
	    (rc = gcm_seal(key, iv, w->buf, ad_len, secret, len, ct, tag)) ==
		VT_OK) {
		wr_bytes(w, iv, sizeof(iv));
		wr_blob32(w, ct, len);
		wr_bytes(w, tag, sizeof(tag));
		rc = wr_err(w);
	}
	free(ct);
	return rc;
}

static int
make_blob(struct esys *e, struct seal_blob *b, const struct seal_srk *srk,
    const uint8_t *secret, size_t len, struct wr *w)
{
	uint8_t policy[SHA256_LEN], key[GCM_KEY_LEN], pub[SB_PUB_MAX];
	uint8_t priv[SB_PRIV_MAX];
	bool bulk = len > SB_DIRECT_MAX;
	int rc;

	b->srk_handle = srk->handle;
	b->srk_name = srk->name;
	b->flags = bulk ? SB_BULK : 0;
	b->pub = pub;
	b->priv = priv;
	if ((rc = seal_policy_digest(&b->sel, &b->pcrs, policy)) != VT_OK ||
	    (rc = random_bytes(key, sizeof(key))) != VT_OK)
		return rc;
	rc = seal_tpm_seal(e, srk, policy, bulk ? key : secret,
	    bulk ? sizeof(key) : len, pub, &b->pub_len, priv, &b->priv_len);
	if (rc == VT_OK) {
		seal_blob_head(w, b);
		rc = wr_err(w);
	}
	if (rc == VT_OK && bulk)
		rc = add_bulk(w, key, secret, len);
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

static int
seal_with(
    struct esys *e, const struct args *a, const uint8_t *secret, size_t len)
{
	struct seal_srk srk = { .tr = ESYS_TR_NONE };
	struct seal_blob b = { 0 };
	char name[2 * sizeof(srk.name.b) + 1];
	struct wr w;
	int rc;

	if ((rc = check_state(e, a, &b)) != VT_OK ||
	    (rc = find_srk(e, &a->srk_name, ESYS_SRK_HANDLE, true, &srk)) !=
		VT_OK)
		return rc;
	wr_grow(&w, SB_FILE_MAX);
	rc = make_blob(e, &b, &srk, secret, len, &w);
	if (rc != VT_OK)
		log_err("cannot seal: %s",
		    rc == VT_E_TPM ? esys_why(e) : vt_strerror(rc));
	if (rc == VT_OK)
		rc = write_out(a->out, w.buf, w.len);
	if (rc == VT_OK) {
		hex_encode(srk.name.b, srk.name.len, name);
		log_info("sealed under storage key %s", name);
	}
	wr_free(&w);
	seal_srk_done(e, &srk);
	return rc;
}

static int
exit_code(int rc)
{
	if (rc == VT_OK)
		return SX_DONE;
	return rc == VT_E_POLICY ? SX_REFUSED : SX_FAILED;
}

static int
cmd_seal(const struct args *a)
{
	uint8_t *secret = NULL;
	char why[WHY_MAX];
	size_t len = 0;
	struct esys e;
	int rc;

	if (seal_check_sel(&a->sel, why, sizeof(why)) != VT_OK) {
		log_err("refused: %s", why);
		return SX_REFUSED;
	}
	if (read_in(a->in, SB_SECRET_MAX, &secret, &len) != VT_OK)
		return SX_FAILED;
	if (len == 0) {
		log_err("the secret is empty");
		free(secret);
		return SX_FAILED;
	}
	if ((rc = esys_open(&e, a->tcti)) != VT_OK)
		log_err("%s", esys_why(&e));
	else
		rc = seal_with(&e, a, secret, len);
	esys_close(&e);
	wipe(secret, len);
	return exit_code(rc);
}

/* --- unseal
 * ------------------------------------------------------------------------ */

/* Say which PCRs are not as at sealing time; VT_E_POLICY if there are. */
static int
explain(struct esys *e, const struct seal_blob *b)
{
	char words[WHY_MAX];
	struct pcr_set now;
	uint32_t counter, n;
	int rc;

	rc = esys_pcr_read(e, &b->sel, &now, &counter);
	if (rc != VT_OK) {
		log_err("cannot read the PCRs: %s",
		    rc == VT_E_AGAIN ? "they keep changing" : esys_why(e));
		return rc;
	}
	if ((n = seal_differs(b, &now, words, sizeof(words))) == 0)
		return VT_OK;
	log_err("refused: %s %s not as at sealing time", words,
	    n == 1 ? "is" : "are");
	return VT_E_POLICY;
}

static int
open_secret(const struct seal_blob *b, uint8_t *key, size_t len, uint8_t **ret,
    size_t *ret_len)
{
	size_t n = (b->flags & SB_BULK) != 0 ? b->bulk_len : len;
	uint8_t *out;
	int rc;

	if ((out = malloc(n > 0 ? n : 1)) == NULL)
		return VT_E_NOMEM;
	if ((b->flags & SB_BULK) == 0) {
		memcpy(out, key, n);
		rc = VT_OK;
	} else if (len != GCM_KEY_LEN) {
		rc = VT_E_CORRUPT;
	} else {
		rc = gcm_open(
		    key, b->iv, b->ad, b->ad_len, b->bulk, n, b->tag, out);
	}
	if (rc != VT_OK) {
		wipe(out, n);
		return rc;
	}
	*ret = out;
	*ret_len = n;
	return VT_OK;
}

static int
unseal_with(struct esys *e, const struct args *a, const struct seal_blob *b)
{
	struct seal_srk srk = { .tr = ESYS_TR_NONE };
	uint8_t key[SB_DIRECT_MAX], *secret = NULL;
	size_t key_len = 0, len = 0;
	int rc;

	if ((rc = find_srk(e, &b->srk_name, b->srk_handle, b->srk_handle == 0,
		 &srk)) != VT_OK)
		return rc;
	/* The TPM decides; this is for the words. */
	if ((rc = explain(e, b)) != VT_OK)
		goto out;
	rc = seal_tpm_unseal(e, &srk, b, key, &key_len);
	if (rc == VT_E_POLICY && (rc = explain(e, b)) == VT_OK) {
		log_err("refused: the TPM does not accept its PCRs, though "
			"they read as at sealing time");
		rc = VT_E_POLICY;
		goto out;
	}
	if (rc != VT_OK) {
		if (rc != VT_E_POLICY)
			log_err("cannot unseal: %s",
			    rc == VT_E_TPM ? esys_why(e)
			    : rc == VT_E_AGAIN
				? "PCRs are being extended all the time"
				: vt_strerror(rc));
		goto out;
	}
	rc = open_secret(b, key, key_len, &secret, &len);
	if (rc != VT_OK)
		log_err("the blob was changed since it was sealed");
	else
		rc = write_out(a->out, secret, len);
	wipe(secret, len);
out:
	OPENSSL_cleanse(key, sizeof(key));
	seal_srk_done(e, &srk);
	return rc;
}

static int
read_blob(const char *path, uint8_t **buf, struct seal_blob *ret)
{
	size_t len = 0;
	int rc;

	if ((rc = read_in(path, SB_FILE_MAX, buf, &len)) != VT_OK)
		return rc;
	if ((rc = seal_blob_get(*buf, len, ret)) != VT_OK) {
		log_err("this is not a sealed blob, or it is damaged: %s",
		    vt_strerror(rc));
		free(*buf);
		*buf = NULL;
	}
	return rc;
}

static int
cmd_unseal(const struct args *a)
{
	uint8_t *buf = NULL;
	struct seal_blob b;
	struct esys e;
	int rc;

	if (read_blob(a->in, &buf, &b) != VT_OK)
		return SX_FAILED;
	if ((rc = esys_open(&e, a->tcti)) != VT_OK)
		log_err("%s", esys_why(&e));
	else
		rc = unseal_with(&e, a, &b);
	esys_close(&e);
	free(buf);
	return exit_code(rc);
}

static int
cmd_show(const char *path)
{
	char hex[2 * DIGEST_MAX + 8], sel[256];
	uint8_t *buf = NULL;
	struct seal_blob b;
	const uint8_t *val;
	uint32_t k, i;

	if (read_blob(path, &buf, &b) != VT_OK)
		return SX_FAILED;
	pcr_sel_format(&b.sel, sel, sizeof(sel));
	hex_encode(b.srk_name.b, b.srk_name.len, hex);
	(void)printf("sealed to %s\nstorage key %s%s\n", sel, hex,
	    b.srk_handle == 0 ? " (standard primary key)" : "");
	for (k = 0; k < b.sel.n; k++)
		for (i = 0; i < PCR_COUNT; i++) {
			val = pcr_get(&b.pcrs, b.sel.banks[k].alg, i);
			if (val == NULL)
				continue;
			hex_encode(val, digest_len(b.sel.banks[k].alg), hex);
			(void)printf("%s PCR %-2u %s\n",
			    digest_name(b.sel.banks[k].alg), i, hex);
		}
	free(buf);
	return SX_DONE;
}

/* --- arguments
 * ------------------------------------------------------------------------ */

enum { O_TCTI = 256, O_PCRS, O_SRK_NAME };

static const struct option options[] = {
	{ "tcti", required_argument, NULL, O_TCTI },
	{ "pcrs", required_argument, NULL, O_PCRS },
	{ "srk-name", required_argument, NULL, O_SRK_NAME },
	{ "in", required_argument, NULL, 'i' },
	{ "out", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool
set_option(struct args *a, int c, const char *arg)
{
	size_t len = 0;

	switch (c) {
	case O_TCTI:
		a->tcti = arg;
		return true;
	case O_PCRS:
		if (arg[0] == '\0' || arg[strlen(arg) - 1] == ':') {
			a->sel.n = 0; /* refused later, with a reason */
			return true;
		}
		if (pcr_sel_parse(arg, &a->sel) == VT_OK)
			return true;
		log_err("--pcrs: like sha256:0,2,4,7,8,9");
		return false;
	case O_SRK_NAME:
		if (hex_decode(arg, a->srk_name.b, sizeof(a->srk_name.b),
			&len) == VT_OK &&
		    len > 2) {
			a->srk_name.len = (uint16_t)len;
			return true;
		}
		log_err("--srk-name: a TPM Name in hex");
		return false;
	case 'i':
		a->in = arg;
		return true;
	case 'o':
		a->out = arg;
		return true;
	default:
		return false;
	}
}

/* Secrets are in this process's memory: no core dump, no debugger. */
static void
no_dumps(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int
main(int argc, char **argv)
{
	struct args a = { 0 };
	const char *cmd = argc > 1 ? argv[1] : "";
	int c;

	log_open("vtpm-seal", LOG_L_INFO);
	no_dumps();
	if (strcmp(cmd, "--help") == 0 || strcmp(cmd, "-h") == 0 ||
	    strcmp(cmd, "help") == 0) {
		(void)fputs(usage, stdout);
		return SX_DONE;
	}
	if (pcr_sel_parse(DEFAULT_PCRS, &a.sel) != VT_OK || argc < 2)
		goto bad;
	argc--;
	argv++;
	while ((c = getopt_long(argc, argv, "i:o:h", options, NULL)) != -1) {
		if (c == 'h') {
			(void)fputs(usage, stdout);
			return SX_DONE;
		}
		if (!set_option(&a, c, optarg))
			return SX_FAILED;
	}
	if (strcmp(cmd, "show") == 0 && optind + 1 == argc)
		return cmd_show(argv[optind]);
	if (optind != argc)
		goto bad;
	if (strcmp(cmd, "seal") == 0 && a.out != NULL)
		return cmd_seal(&a);
	if (strcmp(cmd, "unseal") == 0)
		return cmd_unseal(&a);
bad:
	(void)fputs(usage, stderr);
	return SX_FAILED;
}
