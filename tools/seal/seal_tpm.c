/* SPDX-License-Identifier: BSD-3-Clause */
/* seal_tpm.c - the storage key, salted sessions, and sealing under them. */
#include "tools/seal/seal_tpm.h"

#include <openssl/crypto.h>
#include <tss2/tss2_mu.h>

#include <stdio.h>
#include <string.h>

#include "vtpm/provision/embed/srk_ecc_hex.h"

#define NEED_SRK                                                               \
	(TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT | TPMA_OBJECT_FIXEDTPM | \
	    TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN)

/* --- the storage key ---------------------------------------------------------
 */

static int
srk_make(struct esys *e, ESYS_TR *ret)
{
	TPM2B_SENSITIVE_CREATE sens = { .size = 0 };
	TPML_PCR_SELECTION no_pcrs = { .count = 0 };
	TPM2B_DATA no_data = { .size = 0 };
	TPM2B_PUBLIC pub = { .size = 0 };
	size_t off = 0;
	int rc;

	rc = esys_rc(e, Tss2_MU_TPMT_PUBLIC_Unmarshal(srk_ecc_hex,
			    srk_ecc_hex_len, &off, &pub.publicArea));
	if (rc != VT_OK)
		return rc;
	return esys_rc(
	    e, Esys_CreatePrimary(e->ctx, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
		   ESYS_TR_NONE, ESYS_TR_NONE, &sens, &pub, &no_data, &no_pcrs,
		   ret, NULL, NULL, NULL, NULL));
}

/* A storage key of this TPM whose Name matches its public area. */
static int
srk_check(struct esys *e, struct seal_srk *srk)
{
	uint8_t buf[TPM_PUB_MAX + 2];
	struct tpm_name computed;
	const uint8_t *p;
	struct tpm_pub pub;
	size_t len = 0, n = 0;
	int rc;

	rc = esys_public(e, srk->tr, buf, sizeof(buf), &len, &srk->name, NULL);
	if (rc != VT_OK)
		return rc;
	if (tpm_pub_unwrap(buf, len, &p, &n) != VT_OK ||
	    tpm_pub_get(p, n, &pub) != VT_OK ||
	    (pub.attrs & NEED_SRK) != NEED_SRK ||
	    (pub.attrs & TPMA_OBJECT_SIGN_ENCRYPT) != 0)
		return VT_E_POLICY;
	/* The salt goes to the public area, the blob fixes the Name. */
	if (tpm_name_of(pub.name_alg, p, n, &computed) != VT_OK ||
	    !tpm_name_equal(&computed, &srk->name))
		return VT_E_PROTO;
	return VT_OK;
}

int
seal_srk_find(
    struct esys *e, uint32_t handle, bool may_make, struct seal_srk *ret)
{
	struct seal_srk srk = { .tr = ESYS_TR_NONE, .handle = handle };
	int rc = VT_E_NOTFOUND;

	if (handle != 0)
		rc = esys_persistent(e, handle, &srk.tr);
	if (rc == VT_E_NOTFOUND && may_make) {
		srk.handle = 0;
		rc = srk_make(e, &srk.tr);
	}
	if (rc != VT_OK)
		return rc;
	if ((rc = srk_check(e, &srk)) != VT_OK) {
		seal_srk_done(e, &srk);
		return rc;
	}
	*ret = srk;
	return VT_OK;
}

void
seal_srk_done(struct esys *e, struct seal_srk *srk)
{
	if (srk->tr == ESYS_TR_NONE)
		return;
	if (srk->handle == 0)
		(void)Esys_FlushContext(e->ctx, srk->tr);
	else
		(void)Esys_TR_Close(e->ctx, &srk->tr);
	srk->tr = ESYS_TR_NONE;
}

/* --- sessions
 * ----------------------------------------------------------------- */

int
seal_session_start(
    struct esys *e, const struct seal_srk *srk, TPM2_SE type, ESYS_TR *ret)
{
	const TPMA_SESSION attrs = TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT |
				   TPMA_SESSION_CONTINUESESSION;
	TPMT_SYM_DEF sym;
	ESYS_TR tr = ESYS_TR_NONE;
	int rc;

	memset(&sym, 0, sizeof(sym));
	sym.algorithm = TPM2_ALG_AES;
	sym.keyBits.aes = 128;
	sym.mode.aes = TPM2_ALG_CFB;
	rc = esys_rc(e, Esys_StartAuthSession(e->ctx, srk->tr, ESYS_TR_NONE,
			    ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL,
			    type, &sym, TPM2_ALG_SHA256, &tr));
	if (rc != VT_OK)
		return rc;
	rc = esys_rc(e, Esys_TRSess_SetAttributes(e->ctx, tr, attrs, 0xff));
	if (rc != VT_OK) {
		(void)Esys_FlushContext(e->ctx, tr);
		return rc;
	}
	*ret = tr;
	return VT_OK;
}

void
seal_flush(struct esys *e, ESYS_TR tr)
{
	if (tr != ESYS_TR_NONE)
		(void)Esys_FlushContext(e->ctx, tr);
}

/* --- seal
 * ------------------------------------------------------------------------ */

/* Only the policy opens it, and it cannot leave the TPM. */
static void
sealed_template(
    const uint8_t policy[SHA256_LEN], uint32_t attrs, TPM2B_PUBLIC *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->publicArea.type = TPM2_ALG_KEYEDHASH;
	ret->publicArea.nameAlg = TPM2_ALG_SHA256;
	ret->publicArea.objectAttributes = attrs;
	ret->publicArea.authPolicy.size = SHA256_LEN;
	memcpy(ret->publicArea.authPolicy.buffer, policy, SHA256_LEN);
	ret->publicArea.parameters.keyedHashDetail.scheme.scheme =
	    TPM2_ALG_NULL;
}

static int
create(struct esys *e, const struct seal_srk *srk, ESYS_TR session,
    const TPM2B_PUBLIC *tmpl, const struct seal_secret *s,
    TPM2B_PUBLIC **ret_pub, TPM2B_PRIVATE **ret_priv)
{
	TPML_PCR_SELECTION no_pcrs = { .count = 0 };
	TPM2B_DATA no_data = { .size = 0 };
	TPM2B_SENSITIVE_CREATE sens;
	int rc;

	memset(&sens, 0, sizeof(sens));
	sens.sensitive.data.size = (uint16_t)s->len;
	memcpy(sens.sensitive.data.buffer, s->p, s->len);
	if (s->auth != NULL) {
		sens.sensitive.userAuth.size = SHA256_LEN;
		memcpy(sens.sensitive.userAuth.buffer, s->auth, SHA256_LEN);
	}
	rc = esys_rc(e, Esys_Create(e->ctx, srk->tr, session, ESYS_TR_NONE,
			    ESYS_TR_NONE, &sens, tmpl, &no_data, &no_pcrs,
			    ret_priv, ret_pub, NULL, NULL, NULL));
	OPENSSL_cleanse(&sens, sizeof(sens));
	return rc;
}

/* Copy out what the TPM made, if that is what was asked for. */
static int
take(struct esys *e, const TPM2B_PUBLIC *tmpl, const TPM2B_PUBLIC *opub,
    const TPM2B_PRIVATE *opriv, struct seal_object *ret)
{
	const TPMT_PUBLIC *want = &tmpl->publicArea, *is = &opub->publicArea;
	size_t off = 0;
	int rc;

	if (is->objectAttributes != want->objectAttributes ||
	    is->authPolicy.size != SHA256_LEN ||
	    memcmp(is->authPolicy.buffer, want->authPolicy.buffer,
		SHA256_LEN) != 0 ||
	    opriv->size > SB_PRIV_MAX)
		return VT_E_PROTO; /* a TPM that made something else */
	rc = esys_rc(
	    e, Tss2_MU_TPMT_PUBLIC_Marshal(is, ret->pub, SB_PUB_MAX, &off));
	if (rc != VT_OK)
		return rc;
	ret->pub_len = off;
	memcpy(ret->priv, opriv->buffer, opriv->size);
	ret->priv_len = opriv->size;
	return VT_OK;
}

int
seal_tpm_seal(struct esys *e, const struct seal_srk *srk,
    const uint8_t policy[SHA256_LEN], uint32_t attrs,
    const struct seal_secret *s, struct seal_object *ret)
{
	ESYS_TR session = ESYS_TR_NONE;
	TPM2B_PRIVATE *opriv = NULL;
	TPM2B_PUBLIC tmpl, *opub = NULL;
	int rc;

	if (s->len == 0 || s->len > SB_DIRECT_MAX)
		return VT_E_RANGE;
	sealed_template(policy, attrs, &tmpl);
	rc = seal_session_start(e, srk, TPM2_SE_HMAC, &session);
	if (rc != VT_OK)
		return rc;
	rc = create(e, srk, session, &tmpl, s, &opub, &opriv);
	seal_flush(e, session);
	if (rc != VT_OK)
		return rc;
	rc = take(e, &tmpl, opub, opriv, ret);
	Esys_Free(opub);
	Esys_Free(opriv);
	return rc;
}
