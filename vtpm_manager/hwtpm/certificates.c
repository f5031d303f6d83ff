/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * certificates.c - the CA key in the host's TPM, or the day's issuing key,
 * signs what ca.c puts together.
 */
#include "vtpm_manager/hwtpm/certificates.h"

#include <openssl/ecdsa.h>

#include <string.h>

#include "base/util.h"
#include "vtpm_manager/hwtpm/issuing.h"

#define NONE ESYS_TR_NONE

/* ca_sign_fn: r and s of the TPM's signature as DER. */
int
hwcerts_sign(
    void *arg, const uint8_t digest[SHA256_LEN], uint8_t *out, size_t *ret_len)
{
	TPMT_SIG_SCHEME scheme;
	const TPMT_TK_HASHCHECK ticket = { .tag = TPM2_ST_HASHCHECK,
		.hierarchy = TPM2_RH_NULL };
	TPM2B_DIGEST d = { .size = SHA256_LEN };
	struct hwtpm *h = arg;
	TPMT_SIGNATURE *s;
	ECDSA_SIG *sig;
	BIGNUM *br, *bs;
	int rc, n = 0;

	memset(&scheme, 0, sizeof(scheme));
	scheme.scheme = TPM2_ALG_ECDSA;
	scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
	memcpy(d.buffer, digest, SHA256_LEN);
	rc = hwtpm_check(h,
	    Esys_Sign(h->esys, h->ca_key, h->ca_auth, NONE, NONE, &d, &scheme,
		&ticket, &s),
	    "signing with the CA key");
	if (rc != VT_OK)
		return rc;
	br = BN_bin2bn(s->signature.ecdsa.signatureR.buffer,
	    s->signature.ecdsa.signatureR.size, NULL);
	bs = BN_bin2bn(s->signature.ecdsa.signatureS.buffer,
	    s->signature.ecdsa.signatureS.size, NULL);
	sig = ECDSA_SIG_new();
	if (s->sigAlg == TPM2_ALG_ECDSA && sig != NULL && br != NULL &&
	    bs != NULL && ECDSA_SIG_set0(sig, br, bs) == 1) {
		br = bs = NULL; /* given to sig */
		n = i2d_ECDSA_SIG(sig, NULL);
		if (n > 0 && n <= CA_SIG_MAX)
			n = i2d_ECDSA_SIG(sig, &out);
	}
	ECDSA_SIG_free(sig);
	BN_free(br);
	BN_free(bs);
	Esys_Free(s);
	if (n <= 0 || n > CA_SIG_MAX)
		return hwtpm_fail(h, VT_E_CRYPTO, "signing with the CA key");
	*ret_len = (size_t)n;
	return VT_OK;
}

static int
one_cert(struct hwtpm *h, struct ca *by, const struct ca_subject *sub,
    const struct hw_certs *req, uint32_t i, struct ca_der *ret)
{
	static const char *const kinds[] = { [WCERT_EK_RSA] = "RSA EK",
		[WCERT_EK_ECC] = "ECC EK",
		[WCERT_AK] = "AK" };
	uint8_t which = req->keys[i].which;
	int rc;

	h->text[0] = '\0';
	rc = ca_issue(
	    by, sub, which, req->keys[i].pub.p, req->keys[i].pub.len, ret);
	if (rc == VT_OK || h->text[0] != '\0')
		return rc;
	/* A wrong signature: the handle now belongs to another key. */
	if (rc == VT_E_AUTH)
		h->again = true;
	return hwtpm_fail(h, rc, "certificate for the %s of %s: %s",
	    kinds[which], req->name,
	    rc == VT_E_POLICY ? "it does not have a vTPM key's attributes"
	    : rc == VT_E_AUTH ? "the TPM did not sign it with the CA key"
	    : rc == VT_E_STATE
		? "the host's clock is outside the time of the CA's certificate"
		: vt_strerror(rc));
}

int
hwcerts_issue(struct hwtpm *h, const struct hw_certs *req, struct ca_der *ders,
    const struct ca_der **ret_issuer)
{
	/* No name: a certificate is made before the guest that gets it. */
	struct ca_subject sub = { .name = "",
		.group = req->group,
		.generation = req->generation,
		.tpm_version = req->tpm_version,
		.ak_seconds = req->ak_seconds };
	struct ca *by;
	uint32_t i;
	int rc;

	if ((rc = hwissuing_get(h, &by)) != VT_OK)
		return rc;
	if (req->tpm_version == TPM_VER_12)
		by = h->ca; /* its NV has no place for a chain */
	memcpy(sub.uuid, req->uuid, sizeof(sub.uuid));
	for (i = 0; i < req->n; i++)
		if ((rc = one_cert(h, by, &sub, req, i, &ders[i])) != VT_OK)
			return rc;
	*ret_issuer = by != h->ca ? ca_issuing_cert(by) : NULL;
	return VT_OK;
}
