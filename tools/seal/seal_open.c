/* SPDX-License-Identifier: BSD-3-Clause */
/* seal_open.c - policy sessions that open a sealed object. */
#include "tools/seal/seal_open.h"

#include <openssl/crypto.h>
#include <tss2/tss2_mu.h>

#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"

#define NONE ESYS_TR_NONE
#define CAP_WORDS "vtpm-seal: capped"
#define EXPIRATION_LEN 4 /* of TPM2_PolicySigned */

struct job {
	struct esys *e;
	const struct seal_srk *srk;
	const struct seal_blob *b;
	const struct seal_proof *proof;
	ESYS_TR session, object;
};

static int
load(struct job *j)
{
	TPM2B_PRIVATE priv = { .size = 0 };
	TPM2B_PUBLIC pub = { .size = 0 };
	ESYS_TR session = NONE;
	size_t off = 0;
	int rc;

	rc = esys_rc(j->e, Tss2_MU_TPMT_PUBLIC_Unmarshal(j->b->pub,
			       j->b->pub_len, &off, &pub.publicArea));
	if (rc != VT_OK)
		return rc;
	if (off != j->b->pub_len || j->b->priv_len > sizeof(priv.buffer))
		return VT_E_FORMAT;
	priv.size = (uint16_t)j->b->priv_len;
	memcpy(priv.buffer, j->b->priv, j->b->priv_len);
	rc = seal_session_start(j->e, j->srk, TPM2_SE_HMAC, &session);
	if (rc != VT_OK)
		return rc;
	rc = esys_rc(j->e, Esys_Load(j->e->ctx, j->srk->tr, session, NONE, NONE,
			       &priv, &pub, &j->object));
	seal_flush(j->e, session);
	return rc;
}

/* What a TPM code in a policy or in Unseal means for the caller. */
static int
judge(struct esys *e, TSS2_RC tpm_rc)
{
	switch (esys_base_rc(tpm_rc)) {
	case TPM2_RC_SUCCESS:
		return VT_OK;
	case TPM2_RC_PCR_CHANGED:
		return VT_E_AGAIN;
	case TPM2_RC_POLICY:      /* the epoch */
	case TPM2_RC_POLICY_FAIL: /* another policy */
	case TPM2_RC_VALUE:       /* the PCRs differ from pcrDigest */
		e->rc = tpm_rc;
		return VT_E_POLICY;
	case TPM2_RC_AUTH_FAIL:
	case TPM2_RC_BAD_AUTH:
	case TPM2_RC_SIGNATURE:
		e->rc = tpm_rc;
		return VT_E_AUTH;
	default:
		return esys_rc(e, tpm_rc);
	}
}

/* --- steps of a policy ------------------------------------------------------
 */

static int
prove_pcrs(struct job *j, const struct pcr_sel *sel, const struct pcr_set *pcrs)
{
	TPM2B_DIGEST want = { .size = SHA256_LEN };
	TPML_PCR_SELECTION in;
	uint8_t d[DIGEST_MAX];
	int rc;

	esys_sel(sel, &in);
	if ((rc = pcr_digest(pcrs, sel, ALG_SHA256, d)) != VT_OK)
		return rc;
	memcpy(want.buffer, d, SHA256_LEN);
	return judge(j->e, Esys_PolicyPCR(j->e->ctx, j->session, NONE, NONE,
			       NONE, &want, &in));
}

static int
prove_epoch(struct job *j, uint32_t index, uint64_t most)
{
	TPM2B_OPERAND operand = { .size = 8 };
	ESYS_TR nv;
	int rc;

	if ((rc = esys_persistent(j->e, index, &nv)) != VT_OK)
		return rc;
	be64_put(operand.buffer, most);
	rc = judge(
	    j->e, Esys_PolicyNV(j->e->ctx, nv, nv, j->session, ESYS_TR_PASSWORD,
		      NONE, NONE, &operand, 0, TPM2_EO_UNSIGNED_LE));
	(void)Esys_TR_Close(j->e->ctx, &nv);
	return rc;
}

static int
load_key(struct esys *e, const struct seal_key *k, ESYS_TR *ret)
{
	TPM2B_PUBLIC pub = { .size = 0 };
	size_t off = 0;
	int rc;

	rc = esys_rc(e, Tss2_MU_TPMT_PUBLIC_Unmarshal(
			    k->pub, k->pub_len, &off, &pub.publicArea));
	if (rc != VT_OK)
		return rc;
	return esys_rc(e, Esys_LoadExternal(e->ctx, NONE, NONE, NONE, NULL,
			      &pub, ESYS_TR_RH_OWNER, ret));
}

static int
tpm_sig(struct esys *e, const struct seal_key *k, const uint8_t *sig,
    size_t len, TPMT_SIGNATURE *ret)
{
	uint8_t buf[SEAL_SIG_MAX + 16];
	size_t n = 0, off = 0;
	int rc;

	rc = seal_key_tpm_sig(k, sig, len, buf, sizeof(buf), &n);
	if (rc != VT_OK)
		return rc;
	return esys_rc(e, Tss2_MU_TPMT_SIGNATURE_Unmarshal(buf, n, &off, ret));
}

/* The TPM's own word that the authority signed this approval. */
static int
verify(struct job *j, const struct approved *a, TPMT_TK_VERIFIED **ret)
{
	TPM2B_DIGEST digest = { .size = SHA256_LEN };
	uint8_t msg[AP_MSG_MAX];
	TPMT_SIGNATURE sig;
	ESYS_TR key = NONE;
	size_t len = 0;
	int rc;

	if ((rc = approved_message(a, msg, &len)) != VT_OK ||
	    (rc = digest_buf(ALG_SHA256, msg, len, digest.buffer)) != VT_OK ||
	    (rc = tpm_sig(j->e, &j->b->authority, a->sig, a->sig_len, &sig)) !=
		VT_OK ||
	    (rc = load_key(j->e, &j->b->authority, &key)) != VT_OK)
		return rc;
	rc = judge(j->e, Esys_VerifySignature(j->e->ctx, key, NONE, NONE, NONE,
			     &digest, &sig, ret));
	seal_flush(j->e, key);
	return rc;
}

static int
authorize(struct job *j, const struct approved *a)
{
	const struct tpm_name *name = &j->b->authority.name;
	TPM2B_NONCE ref = { .size = (UINT16)strlen(a->ref) };
	TPM2B_DIGEST state = { .size = SHA256_LEN };
	TPM2B_NAME key = { .size = name->len };
	TPMT_TK_VERIFIED *ticket = NULL;
	int rc;

	memcpy(ref.buffer, a->ref, ref.size);
	memcpy(key.name, name->b, name->len);
	if ((rc = approved_policy(a, state.buffer)) != VT_OK ||
	    (rc = verify(j, a, &ticket)) != VT_OK)
		return rc;
	rc = judge(j->e, Esys_PolicyAuthorize(j->e->ctx, j->session, NONE, NONE,
			     NONE, &state, &ref, &key, ticket));
	Esys_Free(ticket);
	return rc;
}

static int
by_state(struct job *j)
{
	const struct approved *a = j->proof->approved;
	int rc;

	if ((j->b->flags & SB_AUTHORITY) == 0)
		return prove_pcrs(j, &j->b->sel, &j->b->pcrs);
	if (a == NULL)
		return VT_E_STATE;
	if ((rc = prove_pcrs(j, &a->sel, &a->pcrs)) != VT_OK ||
	    (rc = prove_epoch(j, a->epoch_index, a->epoch)) != VT_OK)
		return rc;
	return authorize(j, a);
}

static int
by_passphrase(struct job *j)
{
	TPM2B_AUTH auth = { .size = SHA256_LEN };
	int rc;

	if ((j->b->flags & SB_PASSPHRASE) == 0)
		return VT_E_STATE;
	rc = seal_stretch(j->b, j->proof->p, j->proof->len, auth.buffer);
	if (rc == VT_OK)
		rc =
		    esys_rc(j->e, Esys_TR_SetAuth(j->e->ctx, j->object, &auth));
	OPENSSL_cleanse(&auth, sizeof(auth));
	if (rc != VT_OK)
		return rc;
	return judge(j->e,
	    Esys_PolicyAuthValue(j->e->ctx, j->session, NONE, NONE, NONE));
}

/* aHash (Part 3, 23.3): nonceTPM || expiration 0 || no cpHash || policyRef. */
static int
sign_nonce(struct job *j, const TPM2B_NONCE *nonce, uint8_t *sig, size_t *n)
{
	uint8_t msg[sizeof(nonce->buffer) + EXPIRATION_LEN +
		    sizeof(SB_RECOVERY_REF)];
	struct seal_key k;
	struct wr w;
	int rc;

	wr_init(&w, msg, sizeof(msg));
	wr_bytes(&w, nonce->buffer, nonce->size);
	wr_be32(&w, 0);
	wr_bytes(&w, SB_RECOVERY_REF, strlen(SB_RECOVERY_REF));
	if ((rc = wr_err(&w)) != VT_OK ||
	    (rc = seal_key_sign(
		 j->proof->p, j->proof->len, msg, w.len, &k, sig, n)) != VT_OK)
		return rc;
	return tpm_name_equal(&k.name, &j->b->recovery.name) ? VT_OK
							     : VT_E_AUTH;
}

static int
by_key(struct job *j)
{
	TPM2B_NONCE *nonce = NULL, ref = { .size = strlen(SB_RECOVERY_REF) };
	uint8_t sig[SEAL_SIG_MAX];
	TPMT_SIGNATURE tsig;
	ESYS_TR key = NONE;
	size_t n = 0;
	int rc;

	if ((j->b->flags & SB_RECOVERY_KEY) == 0)
		return VT_E_STATE;
	memcpy(ref.buffer, SB_RECOVERY_REF, ref.size);
	rc = esys_rc(
	    j->e, Esys_TRSess_GetNonceTPM(j->e->ctx, j->session, &nonce));
	if (rc == VT_OK)
		rc = sign_nonce(j, nonce, sig, &n);
	if (rc == VT_OK)
		rc = tpm_sig(j->e, &j->b->recovery, sig, n, &tsig);
	if (rc == VT_OK)
		rc = load_key(j->e, &j->b->recovery, &key);
	if (rc == VT_OK)
		rc = judge(j->e,
		    Esys_PolicySigned(j->e->ctx, key, j->session, NONE, NONE,
			NONE, nonce, NULL, &ref, 0, &tsig, NULL, NULL));
	seal_flush(j->e, key);
	Esys_Free(nonce);
	return rc;
}

/* --- opening ----------------------------------------------------------------
 */

static int
any_branch(struct job *j)
{
	struct seal_branches br;
	TPML_DIGEST list = { 0 };
	size_t i;
	int rc;

	if ((rc = seal_blob_policy(j->b, &br)) != VT_OK || br.n < 2)
		return rc;
	list.count = (UINT32)br.n;
	for (i = 0; i < br.n; i++) {
		list.digests[i].size = SHA256_LEN;
		memcpy(list.digests[i].buffer, br.digest[i], SHA256_LEN);
	}
	return judge(j->e,
	    Esys_PolicyOR(j->e->ctx, j->session, NONE, NONE, NONE, &list));
}

/*
 * TPM2_Unseal, its answer encrypted by a session of its own: the key of a
 * session that authorises an object takes in that object's authValue (Part 1,
 * 21.2), the passphrase, which only one of the branches knows.
 */
static int
unseal(struct job *j, TPM2B_SENSITIVE_DATA **ret)
{
	ESYS_TR hide = NONE;
	int rc;

	rc = esys_rc(j->e, Esys_TRSess_SetAttributes(j->e->ctx, j->session,
			       TPMA_SESSION_CONTINUESESSION, 0xff));
	if (rc != VT_OK)
		return rc;
	rc = seal_session_start(j->e, j->srk, TPM2_SE_HMAC, &hide);
	if (rc != VT_OK)
		return rc;
	rc = esys_rc(j->e,
	    Esys_TRSess_SetAttributes(j->e->ctx, hide,
		TPMA_SESSION_ENCRYPT | TPMA_SESSION_CONTINUESESSION, 0xff));
	if (rc == VT_OK)
		rc = judge(j->e, Esys_Unseal(j->e->ctx, j->object, j->session,
				     hide, NONE, ret));
	seal_flush(j->e, hide);
	return rc;
}

/* One try, in a new policy session. */
static int
unseal_once(struct job *j, TPM2B_SENSITIVE_DATA **ret)
{
	static int (*const ways[])(struct job *) = {
		[SEAL_BY_STATE] = by_state,
		[SEAL_BY_PASSPHRASE] = by_passphrase,
		[SEAL_BY_KEY] = by_key,
	};
	int rc;

	j->session = NONE;
	rc = seal_session_start(j->e, j->srk, TPM2_SE_POLICY, &j->session);
	if (rc != VT_OK)
		return rc;
	if ((rc = ways[j->proof->way](j)) == VT_OK &&
	    (rc = any_branch(j)) == VT_OK)
		rc = unseal(j, ret);
	seal_flush(j->e, j->session);
	return rc;
}

int
seal_tpm_unseal(struct esys *e, const struct seal_srk *srk,
    const struct seal_blob *b, const struct seal_proof *proof, uint8_t *out,
    size_t *ret_len)
{
	struct job j = { e, srk, b, proof, NONE, NONE };
	TPM2B_SENSITIVE_DATA *data = NULL;
	int rc, i;

	if ((rc = load(&j)) != VT_OK)
		return rc;
	for (i = 0, rc = VT_E_AGAIN; i < ESYS_TRIES && rc == VT_E_AGAIN; i++)
		rc = unseal_once(&j, &data);
	seal_flush(e, j.object);
	if (rc != VT_OK)
		return rc;
	if (data->size > SB_DIRECT_MAX) {
		rc = VT_E_PROTO;
	} else {
		memcpy(out, data->buffer, data->size);
		*ret_len = data->size;
	}
	OPENSSL_cleanse(data, sizeof(*data));
	Esys_Free(data);
	return rc;
}

int
seal_tpm_takes(struct esys *e, const struct seal_key *k)
{
	TPM2B_NAME *name = NULL;
	ESYS_TR key = NONE;
	int rc;

	if ((rc = load_key(e, k, &key)) != VT_OK)
		return rc;
	rc = esys_rc(e, Esys_TR_GetName(e->ctx, key, &name));
	if (rc == VT_OK && (name->size != k->name.len ||
			       memcmp(name->name, k->name.b, name->size) != 0))
		rc = VT_E_PROTO;
	Esys_Free(name);
	seal_flush(e, key);
	return rc;
}

int
seal_tpm_cap(struct esys *e, uint32_t pcr)
{
	TPM2B_EVENT event = { .size = strlen(CAP_WORDS) };

	memcpy(event.buffer, CAP_WORDS, event.size);
	return esys_rc(e, Esys_PCR_Event(e->ctx, ESYS_TR_PCR0 + pcr,
			      ESYS_TR_PASSWORD, NONE, NONE, &event, NULL));
}
