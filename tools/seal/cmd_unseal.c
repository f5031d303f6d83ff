/* SPDX-License-Identifier: BSD-3-Clause */
/* cmd_unseal.c - vtpm-seal unseal. */
#include <openssl/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "tools/common/file.h"
#include "tools/seal/cmd_common.h"
#include "tools/seal/commands.h"
#include "tools/seal/seal_open.h"

#define PCR_NONE UINT32_MAX
#define PCR_FIXED_LAST 15 /* PCRs 16 and 23 a guest may reset */

struct args {
	const char *tcti, *in, *out, *approvals, *passphrase, *recovery_key;
	uint32_t cap;
};

struct work {
	const struct args *a;
	struct esys e;
	struct seal_blob b;
	struct approvals appr;
	struct seal_proof proof;
	uint8_t *proof_buf; /* a secret */
};

/* --- which way in -----------------------------------------------------------
 */

/* Say which PCRs are not as at sealing time; VT_E_POLICY if there are. */
static int
explain_pcrs(struct work *w)
{
	const struct seal_blob *b = &w->b;
	char words[WHY_MAX];
	struct pcr_set now;
	uint32_t n;
	int rc;

	if ((rc = seal_read_pcrs(&w->e, &b->sel, &now)) != VT_OK)
		return rc;
	n = seal_differs(&b->sel, &b->pcrs, &now, words, sizeof(words));
	if (n == 0)
		return VT_OK;
	log_err("refused: %s %s not as at sealing time", words,
	    n == 1 ? "is" : "are");
	return VT_E_POLICY;
}

static int
say_open(uint32_t pcr, const char *why)
{
	log_err("capping PCR %u would not close the secret: %s", pcr, why);
	return VT_E_FORMAT;
}

/* With the PCR capped, does another approval still fit this boot? */
static int
check_closes(const struct work *w, uint64_t epoch, const struct pcr_set *now)
{
	const struct approved *one = NULL;
	struct pcr_set then = *now;
	char why[WHY_MAX];
	uint32_t k;

	if (w->a->cap == PCR_NONE)
		return VT_OK;
	for (k = 0; k < then.nbanks; k++)
		then.banks[k].val[w->a->cap][0] ^= 0xff;
	if (approvals_choose(
		&w->appr, &w->b, epoch, &then, &one, why, sizeof(why)) != VT_OK)
		return VT_OK;
	(void)snprintf(why, sizeof(why),
	    "approval '%s' does not look at that PCR", one->label);
	return say_open(w->a->cap, why);
}

/* Select the approval of this boot, or say what is wrong. */
static int
explain_approvals(struct work *w)
{
	struct pcr_set now = { 0 };
	char why[WHY_MAX];
	struct pcr_sel sel;
	uint64_t epoch = 0;
	int rc;

	rc = seal_epoch_read(&w->e, w->b.epoch_index, &epoch);
	if (rc != VT_OK) {
		seal_say_epoch(&w->e, w->b.epoch_index, rc);
		return rc == VT_E_NOTFOUND ? VT_E_POLICY : rc;
	}
	approvals_sel(&w->appr, &sel);
	if ((rc = seal_read_known_pcrs(&w->e, &sel, &now)) != VT_OK)
		return rc;
	rc = approvals_choose(
	    &w->appr, &w->b, epoch, &now, &w->proof.approved, why, sizeof(why));
	if (rc != VT_OK) {
		log_err("refused: %s", why);
		return rc;
	}
	return check_closes(w, epoch, &now);
}

/* The TPM decides; this selects what to show it, and names what differs. */
static int
explain(struct work *w)
{
	if (w->proof.way != SEAL_BY_STATE)
		return VT_OK;
	return (w->b.flags & SB_AUTHORITY) != 0 ? explain_approvals(w)
						: explain_pcrs(w);
}

static int
check_way(const struct work *w)
{
	if (w->proof.way == SEAL_BY_PASSPHRASE &&
	    (w->b.flags & SB_PASSPHRASE) == 0) {
		log_err("refused: this secret was sealed without a recovery "
			"passphrase");
		return VT_E_POLICY;
	}
	if (w->proof.way == SEAL_BY_KEY &&
	    (w->b.flags & SB_RECOVERY_KEY) == 0) {
		log_err("refused: this secret was sealed without a recovery "
			"key");
		return VT_E_POLICY;
	}
	return VT_OK;
}

/* What the user gave to open it with. */
static int
read_proof(struct work *w)
{
	const struct args *a = w->a;
	int rc;

	if (a->passphrase != NULL) {
		w->proof.way = SEAL_BY_PASSPHRASE;
		rc =
		    seal_read_pass(a->passphrase, &w->proof_buf, &w->proof.len);
	} else if (a->recovery_key != NULL) {
		w->proof.way = SEAL_BY_KEY;
		rc = tool_read(a->recovery_key, SEAL_PEM_MAX, &w->proof_buf,
		    &w->proof.len);
	} else {
		return VT_OK;
	}
	w->proof.p = w->proof_buf;
	return rc == VT_OK ? check_way(w) : rc;
}

static int
read_approvals(struct work *w)
{
	if ((w->b.flags & SB_AUTHORITY) == 0 || w->proof.way != SEAL_BY_STATE)
		return VT_OK;
	if (w->a->approvals != NULL) {
		approvals_free(&w->appr);
		return seal_read_approvals(w->a->approvals, false, &w->appr);
	}
	if (w->appr.root != NULL)
		return VT_OK; /* beside the blob */
	log_err("this secret opens by an approval for %s: give the file of "
		"approvals, --approvals",
	    w->b.ref);
	return VT_E_FORMAT;
}

/* --- the secret -------------------------------------------------------------
 */

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
		mem_wipe_free(out, n);
		return rc;
	}
	*ret = out;
	*ret_len = n;
	return VT_OK;
}

static int
say_refused(struct work *w, int rc)
{
	if (rc == VT_E_AUTH) {
		log_err("refused: the TPM does not accept the %s",
		    w->proof.way == SEAL_BY_PASSPHRASE ? "passphrase"
		    : w->proof.way == SEAL_BY_KEY      ? "recovery key"
						  : "approval's signature");
		return rc;
	}
	if (rc == VT_E_POLICY && (rc = explain(w)) == VT_OK) {
		log_err("refused: the TPM does not accept its PCRs, though "
			"they read as %s",
		    (w->b.flags & SB_AUTHORITY) != 0 ? "approved"
						     : "at sealing time");
		return VT_E_POLICY;
	}
	if (rc != VT_E_POLICY)
		log_err("cannot unseal: %s",
		    rc == VT_E_TPM     ? esys_why(&w->e)
		    : rc == VT_E_AGAIN ? "PCRs keep changing"
		    : rc == VT_E_FORMAT && w->proof.way == SEAL_BY_KEY
			? "the recovery key is not a private key in PEM"
			: vt_strerror(rc));
	return rc;
}

/* Nobody opens it again in this boot; without that, nobody gets it now. */
static int
cap(struct work *w)
{
	int rc;

	if (w->a->cap == PCR_NONE)
		return VT_OK;
	if ((rc = seal_tpm_cap(&w->e, w->a->cap)) != VT_OK)
		log_err("cannot cap PCR %u, so the secret is not given out: %s",
		    w->a->cap, esys_why(&w->e));
	return rc;
}

static int
unseal_with(struct work *w)
{
	struct seal_srk srk = { .tr = ESYS_TR_NONE };
	uint8_t key[SB_DIRECT_MAX], *secret = NULL;
	size_t key_len = 0, len = 0;
	int rc;

	if ((rc = seal_find_srk(&w->e, &w->b.srk_name, w->b.srk_handle,
		 w->b.srk_handle == 0, &srk)) != VT_OK)
		return rc;
	if ((rc = explain(w)) != VT_OK)
		goto out;
	rc = seal_tpm_unseal(&w->e, &srk, &w->b, &w->proof, key, &key_len);
	if (rc != VT_OK) {
		rc = say_refused(w, rc);
		goto out;
	}
	if ((rc = cap(w)) != VT_OK)
		goto out;
	rc = open_secret(&w->b, key, key_len, &secret, &len);
	if (rc != VT_OK) {
		log_err("the blob was changed since it was sealed");
		rc = VT_E_CORRUPT;
	} else {
		rc = tool_write(w->a->out, secret, len, 0600);
	}
	mem_wipe_free(secret, len);
out:
	OPENSSL_cleanse(key, sizeof(key));
	seal_srk_done(&w->e, &srk);
	return rc;
}

/* --- the command ------------------------------------------------------------
 */

/* Capping a PCR that no policy looks at closes nothing.  check_closes() asks
 * more of the approvals that fit this boot. */
static int
check_cap(const struct work *w)
{
	struct pcr_sel sel = w->b.sel;
	uint32_t i;

	if (w->a->cap == PCR_NONE)
		return VT_OK;
	if ((w->b.flags & SB_AUTHORITY) != 0)
		approvals_sel(&w->appr, &sel);
	for (i = 0; i < sel.n; i++)
		if ((sel.banks[i].mask >> w->a->cap & 1) != 0)
			return VT_OK;
	return say_open(w->a->cap, "it is not sealed to that PCR");
}

static int
run(void *ctx, void *args, int argc, char **argv)
{
	struct work w = { .a = args };
	uint8_t *buf = NULL;
	int rc;

	(void)ctx;
	(void)argc;
	(void)argv;
	if (w.a->passphrase != NULL && w.a->recovery_key != NULL)
		return opt_bad(&unseal_cmd, "--recovery-passphrase and "
					    "--recovery-key exclude another");
	if (seal_read_blob(w.a->in, &buf, &w.b, &w.appr) != VT_OK)
		return SX_FAILED;
	if ((rc = read_proof(&w)) == VT_OK &&
	    (rc = read_approvals(&w)) == VT_OK &&
	    (rc = check_cap(&w)) == VT_OK) {
		if ((rc = seal_open_tpm(&w.e, w.a->tcti, NULL)) == VT_OK)
			rc = unseal_with(&w);
		esys_close(&w.e);
	}
	mem_wipe_free(w.proof_buf, w.proof.len);
	approvals_free(&w.appr);
	free(buf);
	return seal_exit(rc);
}

static const struct opt opts[] = {
	OPT_TCTI(struct args),
	{ OPT_TEXT("in", 'i', "BLOB", struct args, in,
	    "the sealed blob, or a LUKS token with it (default, and -: "
	    "standard input)") },
	{ OPT_TEXT("out", 'o', "FILE", struct args, out,
	    "write the secret, with mode 0600 (default, and -: standard "
	    "output)") },
	{ OPT_TEXT("approvals", 'a', "FILE", struct args, approvals,
	    "the approvals of a secret that has an authority (default: those "
	    "beside the blob in a LUKS token)") },
	{ OPT_TEXT("recovery-passphrase", 0, "FILE", struct args, passphrase,
	    "open by the passphrase in FILE, in any state") },
	{ OPT_TEXT("recovery-key", 0, "KEY", struct args, recovery_key,
	    "open by this private key, in any state") },
	{ OPT_U32("cap", "PCR", struct args, cap, 0, PCR_FIXED_LAST,
	    "extend this PCR before the secret is given out, so that it "
	    "opens once per boot") },
	OPT_END,
};

static const struct args defaults = { .cap = PCR_NONE };

const struct opt_command unseal_cmd = {
	.name = "vtpm-seal unseal",
	.about = "Open a sealed secret, or name what differs: PCRs, or the "
		 "approval that is missing or was revoked.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.defaults = &defaults,
	.run = run,
	.more = "Examples:\n"
		"  vtpm-seal unseal -i disk.blob | cryptsetup open --key-file "
		"- /dev/vda2 root\n"
		"  vtpm-seal unseal -i disk.blob -a approvals.json --cap 12 "
		"-o disk.key\n",
};
