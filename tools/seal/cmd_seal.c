/* SPDX-License-Identifier: BSD-3-Clause */
/* cmd_seal.c - vtpm-seal seal. */
#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "tools/common/file.h"
#include "tools/seal/cmd_common.h"
#include "tools/seal/commands.h"
#include "tools/seal/seal_open.h"

#define SCRYPT_COST 15 /* 32 MiB, a tenth of a second */

struct args {
	const char *tcti, *owner_auth, *in, *out;
	const char *authority, *ref, *passphrase, *recovery_key;
	uint32_t index;
	struct sel_arg pcrs;
	struct tpm_name srk_name; /* len 0: any */
};

/* --- what to seal to --------------------------------------------------------
 */

static int
to_pcrs(struct esys *e, const struct args *a, struct seal_blob *b)
{
	char why[WHY_MAX];
	int rc;

	b->sel = a->pcrs.sel;
	if ((rc = seal_read_pcrs(e, &b->sel, &b->pcrs)) != VT_OK)
		return rc;
	rc = seal_check_pcrs(&b->sel, &b->pcrs, why, sizeof(why));
	if (rc != VT_OK)
		log_err("refused: %s", why);
	return rc;
}

static int
tpm_takes(struct esys *e, const char *path, const struct seal_key *k)
{
	int rc = seal_tpm_takes(e, k);

	if (rc != VT_OK)
		log_err("%s: this TPM does not take the key: %s", path,
		    rc == VT_E_TPM ? esys_why(e) : vt_strerror(rc));
	return rc;
}

static int
to_authority(struct esys *e, const struct args *a, struct seal_blob *b)
{
	uint64_t epoch = 0;
	int rc;

	if ((rc = seal_read_key(a->authority, &b->authority)) != VT_OK ||
	    (rc = tpm_takes(e, a->authority, &b->authority)) != VT_OK)
		return rc;
	memcpy(b->ref, a->ref, strlen(a->ref) + 1);
	b->flags |= SB_AUTHORITY;
	b->epoch_index = a->index;
	rc = seal_epoch_read(e, a->index, &epoch);
	if (rc == VT_E_NOTFOUND) {
		rc = seal_epoch_make(e, a->index, &epoch);
		if (rc == VT_E_TPM)
			log_err("cannot make the epoch counter 0x%08x: %s",
			    a->index, esys_why(e));
	} else if (rc != VT_OK) {
		seal_say_epoch(e, a->index, rc);
	}
	if (rc == VT_OK)
		log_info("opens in each state that the key approves for %s; "
			 "the epoch is %llu",
		    b->ref, (unsigned long long)epoch);
	return rc;
}

/* auth: SHA256_LEN bytes, filled if there is a passphrase. */
static int
add_recovery(
    struct esys *e, const struct args *a, struct seal_blob *b, uint8_t *auth)
{
	uint8_t *p = NULL;
	size_t n = 0;
	int rc = VT_OK;

	if (a->recovery_key != NULL) {
		b->flags |= SB_RECOVERY_KEY;
		if ((rc = seal_read_key(a->recovery_key, &b->recovery)) !=
			VT_OK ||
		    (rc = tpm_takes(e, a->recovery_key, &b->recovery)) != VT_OK)
			return rc;
	}
	if (a->passphrase == NULL)
		return rc;
	b->flags |= SB_PASSPHRASE;
	b->cost = SCRYPT_COST;
	if ((rc = seal_read_pass(a->passphrase, &p, &n)) != VT_OK)
		return rc;
	if ((rc = random_bytes(b->salt, sizeof(b->salt))) == VT_OK)
		rc = seal_stretch(b, p, n, auth);
	if (rc != VT_OK)
		log_err("the passphrase: %s", vt_strerror(rc));
	mem_wipe_free(p, n);
	return rc;
}

/* --- the blob ---------------------------------------------------------------
 */

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

/* in: the secret, and the passphrase's value or NULL. */
static int
make_blob(struct esys *e, struct seal_blob *b, const struct seal_srk *srk,
    const struct seal_secret *in, struct wr *w)
{
	bool bulk = in->len > SB_DIRECT_MAX;
	struct seal_secret s = *in;
	struct seal_branches br;
	struct seal_object obj;
	uint8_t key[GCM_KEY_LEN];
	int rc;

	b->srk_handle = srk->handle;
	b->srk_name = srk->name;
	b->flags |= bulk ? SB_BULK : 0;
	if ((rc = seal_blob_policy(b, &br)) != VT_OK ||
	    (rc = random_bytes(key, sizeof(key))) != VT_OK)
		return rc;
	if (bulk) {
		s.p = key;
		s.len = sizeof(key);
	}
	rc = seal_tpm_seal(e, srk, br.policy, seal_blob_attrs(b), &s, &obj);
	if (rc == VT_OK) {
		b->pub = obj.pub;
		b->pub_len = obj.pub_len;
		b->priv = obj.priv;
		b->priv_len = obj.priv_len;
		seal_blob_head(w, b);
		rc = wr_err(w);
	}
	if (rc == VT_OK && bulk)
		rc = add_bulk(w, key, in->p, in->len);
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

static int
write_blob(struct esys *e, const struct args *a, struct seal_blob *b,
    const struct seal_srk *srk, const struct seal_secret *s)
{
	char name[2 * sizeof(srk->name.b) + 1];
	struct wr w;
	int rc;

	wr_grow(&w, SB_FILE_MAX);
	rc = make_blob(e, b, srk, s, &w);
	if (rc != VT_OK)
		log_err("cannot seal: %s",
		    rc == VT_E_TPM ? esys_why(e) : vt_strerror(rc));
	if (rc == VT_OK)
		rc = tool_write(a->out, w.buf, w.len, 0600);
	if (rc == VT_OK) {
		hex_encode(srk->name.b, srk->name.len, name);
		log_info("sealed under storage key %s", name);
	}
	wr_free(&w);
	return rc;
}

static int
seal_with(
    struct esys *e, const struct args *a, const uint8_t *secret, size_t len)
{
	struct seal_srk srk = { .tr = ESYS_TR_NONE };
	struct seal_secret s = { .p = secret, .len = len };
	uint8_t auth[SHA256_LEN];
	struct seal_blob b = { 0 };
	int rc;

	rc = a->authority != NULL ? to_authority(e, a, &b) : to_pcrs(e, a, &b);
	if (rc == VT_OK)
		rc = add_recovery(e, a, &b, auth);
	if (rc == VT_OK)
		rc =
		    seal_find_srk(e, &a->srk_name, ESYS_SRK_HANDLE, true, &srk);
	if (rc == VT_OK) {
		s.auth = (b.flags & SB_PASSPHRASE) != 0 ? auth : NULL;
		rc = write_blob(e, a, &b, &srk, &s);
		seal_srk_done(e, &srk);
	}
	OPENSSL_cleanse(auth, sizeof(auth));
	return rc;
}

/* Before a TPM is opened or a secret is read. */
static int
check_args(struct args *a)
{
	char why[WHY_MAX];

	if ((a->authority != NULL) != (a->ref != NULL))
		return opt_bad(&seal_cmd, "--authority and --ref go together");
	if (a->authority != NULL && a->pcrs.given)
		return opt_bad(&seal_cmd,
		    "--authority has no --pcrs: each approval names its own");
	if (a->ref != NULL && seal_ref_check(a->ref) != VT_OK)
		return opt_bad(&seal_cmd,
		    "'%s' is not UUID:ROLE, a UUID in lower case and a role "
		    "of at most %d letters, digits, '.', '_' and '-'",
		    a->ref, SB_ROLE_MAX);
	if (a->index == 0)
		a->index = SEAL_EPOCH_INDEX;
	if (a->authority != NULL)
		return OPT_GO;
	if (!a->pcrs.given &&
	    pcr_sel_parse(DEFAULT_PCRS, &a->pcrs.sel) != VT_OK)
		return SX_FAILED;
	if (seal_check_sel(&a->pcrs.sel, why, sizeof(why)) != VT_OK) {
		log_err("refused: %s", why);
		return SX_REFUSED;
	}
	return OPT_GO;
}

static int
run(void *ctx, void *args, int argc, char **argv)
{
	struct args *a = args;
	uint8_t *secret = NULL;
	size_t len = 0;
	struct esys e;
	int rc;

	(void)ctx;
	(void)argc;
	(void)argv;
	if ((rc = check_args(a)) != OPT_GO)
		return rc;
	if (seal_read_in(a->in, SB_SECRET_MAX, &secret, &len) != VT_OK)
		return SX_FAILED;
	if (len == 0) {
		log_err("the secret is empty");
		free(secret);
		return SX_FAILED;
	}
	if ((rc = seal_open_tpm(&e, a->tcti, a->owner_auth)) == VT_OK)
		rc = seal_with(&e, a, secret, len);
	esys_close(&e);
	mem_wipe_free(secret, len);
	return seal_exit(rc);
}

/* --- options ----------------------------------------------------------------
 */

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

static const struct opt opts[] = {
	OPT_TCTI(struct args),
	OPT_OWNER(struct args),
	OPT_SELECT("pcrs", struct args, pcrs,
	    "PCRs to seal to (default " DEFAULT_PCRS "); 17 binds to the "
	    "host's launch record, too"),
	{ OPT_TEXT("authority", 0, "KEY.pub", struct args, authority,
	    "seal to the states that this key approves, in place of the PCRs "
	    "of this boot: vtpm-seal approve") },
	{ OPT_TEXT("ref", 0, "UUID:ROLE", struct args, ref,
	    "what approvals must be for: this machine, and what the secret is "
	    "for") },
	OPT_EPOCH_INDEX(struct args,
	    "NV counter whose rise revokes approvals (default 0x0180ec01); it "
	    "is made if there is none"),
	{ OPT_TEXT("recovery-passphrase", 0, "FILE", struct args, passphrase,
	    "the passphrase in FILE opens the secret in any state; the TPM "
	    "limits wrong ones") },
	{ OPT_TEXT("recovery-key", 0, "KEY.pub", struct args, recovery_key,
	    "the private half of this key opens the secret in any state") },
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

const struct opt_command seal_cmd = {
	.name = "vtpm-seal seal",
	.about = "Seal a secret to this TPM, and to the PCRs of this boot or "
		 "to whatever state a key approves.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.run = run,
	.more = "Examples:\n"
		"  vtpm-seal seal -i disk.key -o disk.blob\n"
		"  vtpm-seal seal --authority boot.pub --ref "
		"\"$(cat uuid):root\" \\\n"
		"    --recovery-passphrase words -i disk.key -o disk.blob\n",
};
