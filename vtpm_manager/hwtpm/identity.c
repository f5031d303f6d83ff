/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * identity.c - who the host is: its endorsement key, an attestation key under
 * it, and the CA key certified by that.
 */
#include "vtpm_manager/hwtpm/identity.h"

#include <tss2/tss2_mu.h>

#include <string.h>

#include "vtpm_manager/hwtpm/attestation_key.h"
#include "vtpm_manager/hwtpm/endorsement.h"

#define NONE ESYS_TR_NONE

int
hwident_make_ak(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN],
    struct ident_bytes *ret)
{
	ESYS_TR ek = NONE;
	int rc;

	if ((rc = hwak_ready(h, master)) != VT_OK ||
	    (rc = hwek_choose(h, &ret->ek)) != VT_OK ||
	    (rc = hwek_make(h, ret->ek, NULL, &ek)) != VT_OK)
		return rc;
	/* h->session encrypts the new key's authorisation. */
	rc = hwtpm_session_use(h, h->session, TPMA_SESSION_DECRYPT);
	if (rc == VT_OK)
		rc = hwak_create(h, ek, h->session, &ret->ak);
	hwtpm_flush(h, &ek);
	return rc;
}

int
hwident_certify_ca(struct hwtpm *h, ESYS_TR *srk, const struct hwblob *b,
    struct ident_bytes *ret)
{
	static const char what[] = "certifying the CA key";
	const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
	const TPM2B_DATA none = { 0 };
	ESYS_TR session = NONE, auth = ESYS_TR_PASSWORD;
	TPM2B_ATTEST *attest = NULL;
	TPMT_SIGNATURE *sig = NULL;
	int rc = VT_OK;

	if (h->ca_auth != ESYS_TR_PASSWORD) {
		if ((rc = hwkey_session(h, *srk, &session)) != VT_OK)
			return rc;
		auth = session;
		rc = hwtpm_session_use(h, session, 0);
	}
	/* A TPM may have room for three objects: CA key, EK, AK. */
	hwtpm_flush(h, srk);
	if (rc == VT_OK)
		rc = hwak_load_slow(h, b->ek, &b->ak_pub, &b->ak_priv, &h->ak);
	if (rc == VT_OK)
		rc = hwtpm_check(h,
		    Esys_Certify(h->esys, h->ca_key, h->ak, h->ca_auth, auth,
			NONE, &none, &scheme, &attest, &sig),
		    what);
	hwtpm_flush(h, &session);
	if (rc != VT_OK)
		return rc;
	ret->attest_len = attest->size;
	ret->sig_len = 0;
	if (attest->size <= sizeof(ret->attest))
		memcpy(ret->attest, attest->attestationData, attest->size);
	if (attest->size > sizeof(ret->attest) ||
	    Tss2_MU_TPMT_SIGNATURE_Marshal(sig, ret->sig, sizeof(ret->sig),
		&ret->sig_len) != TSS2_RC_SUCCESS)
		rc = hwtpm_fail(h, VT_E_RANGE, "%s: too long", what);
	Esys_Free(attest);
	Esys_Free(sig);
	return rc;
}

/* --- the requests -------------------------------------------------------- */

int
hwident_show(struct hwtpm *h, struct hw_identity *ret)
{
	TPM2B_PUBLIC *pub = NULL;
	ESYS_TR ek = NONE;
	struct hwblob b;
	size_t len = 0;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if ((rc = hwak_blob(h, &b)) != VT_OK ||
	    (rc = hwek_make(h, b.ek, &pub, &ek)) != VT_OK)
		return rc;
	hwtpm_flush(h, &ek);
	if (Tss2_MU_TPM2B_PUBLIC_Marshal(
		pub, h->out[0], sizeof(h->out[0]), &len) != TSS2_RC_SUCCESS)
		rc = hwtpm_fail(h, VT_E_RANGE, "the EK is too long");
	Esys_Free(pub);
	ret->ek_pub.p = h->out[0];
	ret->ek_pub.len = (uint32_t)len;
	if (rc != VT_OK || (rc = hwek_cert(h, b.ek, h->out[1], &len)) != 0)
		return rc;
	ret->ek_cert.p = len > 0 ? h->out[1] : NULL;
	ret->ek_cert.len = (uint32_t)len;
	ret->ak_pub = b.ak_pub;
	ret->ca_pub = b.ca_pub;
	ret->ca_cert = b.ca_cert;
	ret->ca_attest = b.ca_attest;
	ret->ca_sig = b.ca_sig;
	return VT_OK;
}

/* Set which parameters h->session, which is salted, encrypts. */
static int
session_hides(struct hwtpm *h, TPMA_SESSION what)
{
	if (h->ca_auth == ESYS_TR_PASSWORD) /* a software root has no bus */
		return VT_OK;
	return hwtpm_session_use(h, h->session, what);
}

int
hwident_activate(struct hwtpm *h, const struct hw_activate *req,
    uint8_t *secret, size_t *ret_len)
{
	static const char what[] = "activating the credential";
	TPM2B_ID_OBJECT id = { 0 };
	TPM2B_ENCRYPTED_SECRET enc = { 0 };
	ESYS_TR ek = NONE, policy = NONE;
	TPM2B_DIGEST *out = NULL;
	size_t a = 0, b = 0;
	struct hwblob blob;
	TSS2_RC r;
	int rc;

	if (Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(req->credential.p,
		req->credential.len, &a, &id) != TSS2_RC_SUCCESS ||
	    a != req->credential.len ||
	    Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(
		req->secret.p, req->secret.len, &b, &enc) != TSS2_RC_SUCCESS ||
	    b != req->secret.len)
		return hwtpm_fail(h, VT_E_FORMAT,
		    "the challenge is not a credential for a TPM");
	if ((rc = hwak_need(h, &blob)) != VT_OK ||
	    (rc = hwek_make(h, blob.ek, NULL, &ek)) != VT_OK)
		return rc;
	if ((rc = hwek_session(h, &policy)) == VT_OK &&
	    (rc = session_hides(h, TPMA_SESSION_ENCRYPT)) == VT_OK) {
		r = Esys_ActivateCredential(h->esys, h->ak, ek, h->ca_auth,
		    policy, NONE, &id, &enc, &out);
		rc = hwtpm_check(h, r, what);
		if (rc == VT_E_TPM && !h->again)
			rc = hwtpm_fail(h, VT_E_AUTH,
			    "this challenge was made for another TPM, or "
			    "another AK than this host's");
		/* TPM2_Sign and the like have no parameter that can be
		 * encrypted. */
		if (session_hides(h, 0) != VT_OK && rc == VT_OK)
			rc = VT_E_TPM;
	}
	hwtpm_flush(h, &policy);
	hwtpm_flush(h, &ek);
	if (rc != VT_OK) {
		Esys_Free(out);
		return rc;
	}
	*ret_len = out->size;
	memcpy(secret, out->buffer, out->size);
	explicit_bzero(out, sizeof(*out));
	Esys_Free(out);
	return VT_OK;
}
