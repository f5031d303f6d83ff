/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * key_object.c - keys as objects of the TPM: the storage key, which the
 * owner's seed always reproduces; keys made and loaded; their encodings.
 */
#include "vtpm_manager/hwtpm/key_object.h"

#include <tss2/tss2_mu.h>

#include <string.h>

#include "base/crypto.h"

#include "vtpm_manager/hwtpm/embed/srk_hex.h"

#define NONE ESYS_TR_NONE

int
hwkey_template(const uint8_t *bytes, size_t len, TPM2B_PUBLIC *ret)
{
	size_t off = 0;

	memset(ret, 0, sizeof(*ret));
	return Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes, len, &off, ret) ==
			   TSS2_RC_SUCCESS &&
		       off == len
		   ? VT_OK
		   : VT_E_FORMAT;
}

int
hwkey_srk(struct hwtpm *h, ESYS_TR *ret)
{
	const TPM2B_SENSITIVE_CREATE sens = { 0 };
	const TPML_PCR_SELECTION pcrs = { 0 };
	const TPM2B_DATA info = { 0 };
	TPM2B_PUBLIC in;
	TSS2_RC r;
	int rc;

	if ((rc = hwkey_template(srk_hex, srk_hex_len, &in)) != VT_OK)
		return hwtpm_fail(h, rc, "storage key template");
	r = Esys_CreatePrimary(h->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
	    NONE, NONE, &sens, &in, &info, &pcrs, ret, NULL, NULL, NULL, NULL);
	return hwtpm_check(h, r, "making the storage key");
}

/*
 * HMAC session salted to the storage key: only the TPM that has that key
 * can answer in it.  The caller has compared the key's Name with the pinned
 * one.
 */
int
hwkey_session(struct hwtpm *h, ESYS_TR srk, ESYS_TR *ret)
{
	const TPMT_SYM_DEF aes = { .algorithm = TPM2_ALG_AES,
		.keyBits.aes = 128,
		.mode.aes = TPM2_ALG_CFB };
	TSS2_RC r;
	int rc;

	r = Esys_StartAuthSession(h->esys, srk, NONE, NONE, NONE, NONE, NULL,
	    TPM2_SE_HMAC, &aes, TPM2_ALG_SHA256, ret);
	if ((rc = hwtpm_check(h, r, "opening a session")) != VT_OK)
		return rc;
	if ((rc = hwtpm_session_use(h, *ret, HW_HIDE_BOTH)) != VT_OK)
		hwtpm_flush(h, ret);
	return rc;
}

int
hwkey_name(struct hwtpm *h, ESYS_TR tr, TPM2B_NAME *ret)
{
	TPM2B_NAME *name;
	int rc;

	rc = hwtpm_check(
	    h, Esys_TR_GetName(h->esys, tr, &name), "naming the storage key");
	if (rc != VT_OK)
		return rc;
	*ret = *name;
	Esys_Free(name);
	return VT_OK;
}

int
hwkey_to_bytes(struct hwtpm *h, const TPM2B_PUBLIC *pub,
    const TPM2B_PRIVATE *priv, struct key_bytes *ret)
{
	ret->pub_len = ret->priv_len = 0;
	if (Tss2_MU_TPM2B_PUBLIC_Marshal(pub, ret->pub, sizeof(ret->pub),
		&ret->pub_len) != TSS2_RC_SUCCESS ||
	    Tss2_MU_TPM2B_PRIVATE_Marshal(priv, ret->priv, sizeof(ret->priv),
		&ret->priv_len) != TSS2_RC_SUCCESS)
		return hwtpm_fail(h, VT_E_RANGE, "a new key is too long");
	return VT_OK;
}

int
hwkey_create(struct hwtpm *h, ESYS_TR parent, ESYS_TR auth, ESYS_TR more,
    const TPM2B_SENSITIVE_CREATE *sens, const TPM2B_PUBLIC *in,
    const char *what, struct key_bytes *ret)
{
	const TPML_PCR_SELECTION pcrs = { 0 };
	const TPM2B_DATA info = { 0 };
	TPM2B_PRIVATE *priv = NULL;
	TPM2B_PUBLIC *pub = NULL;
	TSS2_RC r;
	int rc;

	r = Esys_Create(h->esys, parent, auth, more, NONE, sens, in, &info,
	    &pcrs, &priv, &pub, NULL, NULL, NULL);
	if ((rc = hwtpm_check(h, r, what)) != VT_OK)
		return rc;
	rc = hwkey_to_bytes(h, pub, priv, ret);
	Esys_Free(priv);
	Esys_Free(pub);
	return rc;
}

int
hwkey_from_bytes(struct hwtpm *h, const uint8_t *pub, size_t pub_len,
    const uint8_t *priv, size_t priv_len, const char *what,
    TPM2B_PUBLIC *ret_pub, TPM2B_PRIVATE *ret_priv)
{
	size_t off = 0, off2 = 0;

	memset(ret_pub, 0, sizeof(*ret_pub));
	memset(ret_priv, 0, sizeof(*ret_priv));
	if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(pub, pub_len, &off, ret_pub) ==
		TSS2_RC_SUCCESS &&
	    Tss2_MU_TPM2B_PRIVATE_Unmarshal(priv, priv_len, &off2, ret_priv) ==
		TSS2_RC_SUCCESS &&
	    off == pub_len && off2 == priv_len)
		return VT_OK;
	return hwtpm_fail(h, VT_E_CORRUPT,
	    "%s: the stored host keys are damaged: restore the store from a "
	    "backup",
	    what);
}

int
hwkey_auth(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN],
    const char *label, size_t label_len, TPM2B_AUTH *ret)
{
	int rc;

	ret->size = SHA256_LEN;
	rc = hkdf_sha256(
	    master, HW_MASTER_LEN, label, label_len, ret->buffer, SHA256_LEN);
	return rc == VT_OK ? rc : hwtpm_fail(h, rc, "a key's authorisation");
}
