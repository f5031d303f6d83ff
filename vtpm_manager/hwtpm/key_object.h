/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * key_object.h - keys as objects of the host's TPM.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_KEY_OBJECT_H
#define VTPM_MANAGER_HWTPM_KEY_OBJECT_H

#include "vtpm_manager/hwtpm/tpm.h"

/* A key and its private part, as TPM2B_PUBLIC and TPM2B_PRIVATE. */
struct key_bytes {
	uint8_t pub[HWBLOB_KEY_MAX], priv[HWBLOB_KEY_MAX];
	size_t pub_len, priv_len;
};

/* Errors: tpm.h. */

/* A marshalled TPM2B_PUBLIC.  VT_E_FORMAT; h->text is not set. */
int hwkey_template(
    const uint8_t *bytes, size_t len, TPM2B_PUBLIC *ret) VT_CHECK;

/* Make the storage key; hwtpm_flush() takes it out again. */
int hwkey_srk(struct hwtpm *h, ESYS_TR *ret) VT_CHECK;

/*
 * An HMAC session salted to the storage key: only the TPM that has that key
 * can answer in it.  The caller has compared the key's Name with the pinned
 * one.  It hides both parameters.
 */
int hwkey_session(struct hwtpm *h, ESYS_TR srk, ESYS_TR *ret) VT_CHECK;

int hwkey_name(struct hwtpm *h, ESYS_TR tr, TPM2B_NAME *ret) VT_CHECK;

int hwkey_to_bytes(struct hwtpm *h, const TPM2B_PUBLIC *pub,
    const TPM2B_PRIVATE *priv, struct key_bytes *ret) VT_CHECK;
int hwkey_from_bytes(struct hwtpm *h, const uint8_t *pub, size_t pub_len,
    const uint8_t *priv, size_t priv_len, const char *what,
    TPM2B_PUBLIC *ret_pub, TPM2B_PRIVATE *ret_priv) VT_CHECK;

/* auth: session that authorises the parent; more: another one, or
 * ESYS_TR_NONE. */
int hwkey_create(struct hwtpm *h, ESYS_TR parent, ESYS_TR auth, ESYS_TR more,
    const TPM2B_SENSITIVE_CREATE *sens, const TPM2B_PUBLIC *in,
    const char *what, struct key_bytes *ret) VT_CHECK;

/* An authorisation value that only the master key yields. */
int hwkey_auth(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN],
    const char *label, size_t label_len, TPM2B_AUTH *ret) VT_CHECK;

#endif
