/* SPDX-License-Identifier: BSD-3-Clause */
/* endorsement.c - the host's endorsement key, its certificate and its use. */
#include "vtpm_manager/hwtpm/endorsement.h"

#include <string.h>

#include "base/util.h"
#include "vtpm_manager/hwtpm/key_object.h"

#include "vtpm_manager/hwtpm/embed/ek_ecc_hex.h"
#include "vtpm_manager/hwtpm/embed/ek_rsa_hex.h"

#define NONE ESYS_TR_NONE
#define NV_EK_RSA 0x01c00002u /* TCG EK Credential Profile, 2.2.1.4 */
#define NV_EK_ECC 0x01c0000au
#define NV_PART 512

/* Returns 1: the index exists; 0: it does not. */
static int
nv_there(struct hwtpm *h, uint32_t index, ESYS_TR *ret)
{
	TSS2_RC r =
	    Esys_TR_FromTPMPublic(h->esys, index, NONE, NONE, NONE, ret);

	if (r == TSS2_RC_SUCCESS)
		return 1;
	if (hwtpm_rc_is(r, TPM2_RC_HANDLE))
		return 0;
	return hwtpm_check(h, r, "looking for the EK's certificate");
}

/* The EK that has a certificate in the TPM, P-256 before RSA. */
int
hwek_choose(struct hwtpm *h, uint8_t *ret)
{
	static const struct {
		uint32_t index;
		uint8_t ek;
	} certs[] = { { NV_EK_ECC, HWEK_ECC }, { NV_EK_RSA, HWEK_RSA } };
	ESYS_TR nv;
	size_t i;
	int rc;

	*ret = HWEK_ECC;
	for (i = 0; i < VT_NELEM(certs); i++) {
		if ((rc = nv_there(h, certs[i].index, &nv)) < 0)
			return rc;
		if (rc == 0)
			continue;
		*ret = certs[i].ek;
		return hwtpm_check(
		    h, Esys_TR_Close(h->esys, &nv), "the EK's certificate");
	}
	return VT_OK;
}

/* Indices may hold padding behind the DER. */
int
hwek_cert(struct hwtpm *h, uint8_t ek, uint8_t *out, size_t *ret_len)
{
	TPM2B_NV_PUBLIC *pub = NULL;
	TPM2B_MAX_NV_BUFFER *part;
	uint16_t size, at, n;
	ESYS_TR nv;
	int rc;

	*ret_len = 0;
	rc = nv_there(h, ek == HWEK_RSA ? NV_EK_RSA : NV_EK_ECC, &nv);
	if (rc <= 0)
		return rc;
	rc = hwtpm_check(h,
	    Esys_NV_ReadPublic(h->esys, nv, NONE, NONE, NONE, &pub, NULL),
	    "reading the EK's certificate");
	size = rc == VT_OK ? pub->nvPublic.dataSize : 0;
	Esys_Free(pub);
	if (size > HWEK_CERT_MAX)
		rc = hwtpm_fail(
		    h, VT_E_RANGE, "the EK's certificate has %u bytes", size);
	for (at = 0; rc == VT_OK && at < size; at = (uint16_t)(at + n)) {
		n = (uint16_t)(size - at < NV_PART ? size - at : NV_PART);
		rc = hwtpm_check(h,
		    Esys_NV_Read(h->esys, nv, nv, ESYS_TR_PASSWORD, NONE, NONE,
			n, at, &part),
		    "reading the EK's certificate");
		if (rc != VT_OK)
			break;
		memcpy(out + at, part->buffer, n);
		Esys_Free(part);
	}
	(void)Esys_TR_Close(h->esys, &nv);
	if (rc == VT_OK && size >= 4 && out[0] == 0x30 && out[1] == 0x82 &&
	    (size_t)be16_get(out + 2) + 4 <= size)
		*ret_len = (size_t)be16_get(out + 2) + 4;
	return rc;
}

int
hwek_make(struct hwtpm *h, uint8_t ek, TPM2B_PUBLIC **ret_pub, ESYS_TR *ret)
{
	const TPM2B_SENSITIVE_CREATE sens = { 0 };
	const TPML_PCR_SELECTION pcrs = { 0 };
	const TPM2B_DATA info = { 0 };
	TPM2B_PUBLIC in;
	TSS2_RC r;
	int rc;

	rc = ek == HWEK_RSA ? hwkey_template(ek_rsa_hex, ek_rsa_hex_len, &in)
			    : hwkey_template(ek_ecc_hex, ek_ecc_hex_len, &in);
	if (rc != VT_OK)
		return hwtpm_fail(h, rc, "EK template");
	r = Esys_CreatePrimary(h->esys, ESYS_TR_RH_ENDORSEMENT,
	    ESYS_TR_PASSWORD, NONE, NONE, &sens, &in, &info, &pcrs, ret,
	    ret_pub, NULL, NULL, NULL);
	return hwtpm_check(h, r, "making the endorsement key");
}

/* The EK's policy requires the endorsement hierarchy's (empty)
 * authorisation. */
int
hwek_session(struct hwtpm *h, ESYS_TR *ret)
{
	const TPMT_SYM_DEF none = { .algorithm = TPM2_ALG_NULL };
	int rc;

	rc = hwtpm_check(h,
	    Esys_StartAuthSession(h->esys, NONE, NONE, NONE, NONE, NONE, NULL,
		TPM2_SE_POLICY, &none, TPM2_ALG_SHA256, ret),
	    "opening a session for the endorsement key");
	if (rc != VT_OK)
		return rc;
	rc = hwtpm_check(h,
	    Esys_PolicySecret(h->esys, ESYS_TR_RH_ENDORSEMENT, *ret,
		ESYS_TR_PASSWORD, NONE, NONE, NULL, NULL, NULL, 0, NULL, NULL),
	    "using the endorsement key");
	if (rc != VT_OK)
		hwtpm_flush(h, ret);
	return rc;
}
