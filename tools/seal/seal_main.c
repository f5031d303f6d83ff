/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seal_main.c - vtpm-seal: seal a secret to this guest's boot, and open it
 * after a boot that was measured the same.
 */
#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/options.h"
#include "base/util.h"
#include "tools/common/file.h"
#include "tools/esys/esys_ctx.h"
#include "tools/seal/seal_blob.h"
#include "tools/seal/seal_tpm.h"

#define WHY_MAX 1024
#define DEFAULT_PCRS "sha256:0,2,4,7,8,9"

enum { SX_DONE = 0, SX_REFUSED = 1, SX_FAILED = 2 }; /* OPT_BAD is 2, too */

struct args {
	const char *tcti, *in, *out;
	bool have_sel;
	struct pcr_sel sel;
	struct tpm_name srk_name; /* len 0: any */
};

static int
read_in(const char *path, size_t max, uint8_t **ret, size_t *ret_len)
{
	int rc;

	if (path != NULL && strcmp(path, "-") != 0)
		return tool_read(path, max, ret, ret_len);
	rc = read_fd(STDIN_FILENO, max, ret, ret_len);
	if (rc != VT_OK)
		log_err("cannot read standard input: %s", vt_strerror(rc));
	return rc;
}

static void
wipe(uint8_t *p, size_t len)
{
	if (p != NULL)
		OPENSSL_cleanse(p, len);
	free(p);
}

/* --- seal ------------------------------------------------------------------
 */

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
		log_err("the key at 0x%08x is not a storage key", handle);
	else if (rc == VT_E_NOTFOUND)
		log_err("the storage key at 0x%08x that this was sealed under "
			"is gone: this is another TPM, or it was cleared",
		    handle);
	else if (rc == VT_E_PROTO)
		log_err("the TPM's storage key does not match its Name: the "
			"path to the TPM is tampered with");
	else if (rc != VT_OK)
		log_err("no storage key: %s", esys_why(e));
	if (rc != VT_OK)
		return rc;
	if (want->len != 0 && !tpm_name_equal(want, &srk->name)) {
		log_err("refused: this TPM's storage key is another one than "
			"expected: this is another TPM, or it was cleared");
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
		rc = tool_write(a->out, w.buf, w.len, 0600);
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
cmd_seal(void *ctx, void *args, int argc, char **argv)
{
	struct args *a = args;
	uint8_t *secret = NULL;
	char why[WHY_MAX];
	size_t len = 0;
	struct esys e;
	int rc;

	(void)ctx;
	(void)argc;
	(void)argv;
	if (!a->have_sel && pcr_sel_parse(DEFAULT_PCRS, &a->sel) != VT_OK)
		return SX_FAILED;
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

/* --- unseal ----------------------------------------------------------------
 */

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
	/* The TPM decides; this names the PCRs. */
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
			    rc == VT_E_TPM     ? esys_why(e)
			    : rc == VT_E_AGAIN ? "PCRs keep changing"
					       : vt_strerror(rc));
		goto out;
	}
	rc = open_secret(b, key, key_len, &secret, &len);
	if (rc != VT_OK)
		log_err("the blob was changed since it was sealed");
	else
		rc = tool_write(a->out, secret, len, 0600);
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
		log_err("not a sealed blob, or damaged: %s", vt_strerror(rc));
		free(*buf);
		*buf = NULL;
	}
	return rc;
}

static int
cmd_unseal(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	uint8_t *buf = NULL;
	struct seal_blob b;
	struct esys e;
	int rc;

	(void)ctx;
	(void)argc;
	(void)argv;
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
cmd_show(void *ctx, void *args, int argc, char **argv)
{
	char hex[2 * DIGEST_MAX + 8], sel[256];
	uint8_t *buf = NULL;
	struct seal_blob b;
	const uint8_t *val;
	uint32_t k, i;

	(void)ctx;
	(void)args;
	(void)argc;
	if (read_blob(argv[0], &buf, &b) != VT_OK)
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

/* --- options -------------------------------------------------------------- */

static int
set_pcrs(void *dst, const struct opt *o, const char *arg)
{
	struct args *a = dst;

	(void)o;
	a->have_sel = true;
	if (arg[0] == '\0' || arg[strlen(arg) - 1] == ':') {
		a->sel.n = 0; /* refused later, with a reason */
		return VT_OK;
	}
	return pcr_sel_parse(arg, &a->sel);
}

static int
set_srk_name(void *dst, const struct opt *o, const char *arg)
{
	struct tpm_name *n = &((struct args *)dst)->srk_name;
	size_t len = 0;
	int rc = hex_decode(arg, n->b, sizeof(n->b), &len);

	(void)o;
	if (rc == VT_OK && len <= 2)
		rc = VT_E_RANGE;
	n->len = (uint16_t)len;
	return rc;
}

#define TCTI                                                   \
	{                                                      \
		OPT_TEXT("tcti", 0, "CONF", struct args, tcti, \
		    "the TPM, as tpm2-tss names it (default "  \
		    "device:/dev/tpmrm0, or "                  \
		    "else device:/dev/tpm0)")                  \
	}

static const struct opt seal_opts[] = {
	TCTI,
	{ OPT_CALL("pcrs", "LIST", set_pcrs,
	    "a PCR selection, as sha256:0,2,4,7,8,9",
	    "PCRs to seal to (default " DEFAULT_PCRS "); 17 binds to the "
	    "host's launch record, too") },
	{ OPT_CALL("srk-name", "HEX", set_srk_name, "a TPM Name in hex",
	    "Name that the storage key must have (default: trust the TPM that "
	    "answers)") },
	{ OPT_TEXT("in", 'i', "FILE", struct args, in,
	    "the secret (default, and -: standard input)") },
	{ OPT_TEXT("out", 'o', "BLOB", struct args, out,
	      "write the sealed blob, with mode 0600; - is standard output"),
	    .needed = true },
	OPT_END,
};

static const struct opt unseal_opts[] = {
	TCTI,
	{ OPT_TEXT("in", 'i', "BLOB", struct args, in,
	    "the sealed blob (default, and -: standard input)") },
	{ OPT_TEXT("out", 'o', "FILE", struct args, out,
	    "write the secret, with mode 0600 (default, and -: standard "
	    "output)") },
	OPT_END,
};

static const struct opt_command seal_cmd = {
	.name = "vtpm-seal seal",
	.about = "Seal a secret to this TPM and to the PCRs of this boot.\n",
	.opts = seal_opts,
	.size = sizeof(struct args),
	.run = cmd_seal,
	.more = "Example:\n"
		"  vtpm-seal seal -i disk.key -o disk.blob\n",
};

static const struct opt_command unseal_cmd = {
	.name = "vtpm-seal unseal",
	.about = "Open a sealed secret, or name the PCRs that differ.\n",
	.opts = unseal_opts,
	.size = sizeof(struct args),
	.run = cmd_unseal,
	.more = "Example:\n"
		"  vtpm-seal unseal -i disk.blob | cryptsetup open --key-file "
		"- /dev/vda2 root\n",
};

static const struct opt_command show_cmd = {
	.name = "vtpm-seal show",
	.about = "Show what a blob is sealed to; no TPM is needed.\n",
	.operands = "BLOB",
	.nmin = 1,
	.nmax = 1,
	.run = cmd_show,
};

static const struct opt_command *const commands[] = { &seal_cmd, &unseal_cmd,
	&show_cmd, NULL };

static const struct opt_command vtpm_seal = {
	.name = "vtpm-seal",
	.about = "Seal secrets to PCR values: only this TPM opens them, and "
		 "only after a boot that was measured the same.\n",
	.commands = commands,
	.more = "`vtpm-seal COMMAND --help` describes a command.\n"
		"Exit status: 0 done, 1 refused (the PCRs differ), 2 failed, "
		"or wrong usage.\n",
};

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
	log_open("vtpm-seal", LOG_L_INFO);
	no_dumps();
	return opt_run(&vtpm_seal, NULL, argc, argv);
}
