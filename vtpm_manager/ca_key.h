/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ca_key.h - from a TPM's public area to a key that OpenSSL knows.
 *
 * Layer:  vtpm_manager; pure.
 * Spec:   TPM 2.0 Library, Part 2, 12.2.4 (TPMT_PUBLIC), 8.3 (TPMA_OBJECT);
 *         TPM 1.2 Main, Part 2, 10.5 (TPM_PUBKEY).
 * Trust:  the bytes are hostile.
 */
#ifndef VTPM_MANAGER_CA_KEY_H
#define VTPM_MANAGER_CA_KEY_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/err.h"

/* What the key is for; its attributes must fit exactly. */
enum ca_key_use { CA_KEY_EK_RSA = 1, CA_KEY_EK_ECC, CA_KEY_AK, CA_KEY_CA };

/*
 * pub: a TPM2B_PUBLIC.  The caller frees *ret with EVP_PKEY_free().
 * VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE: not a public area;
 * VT_E_UNSUPPORTED: its algorithm, size or curve; VT_E_POLICY: its
 * attributes; VT_E_CRYPTO: OpenSSL refuses it (a point off the curve).
 */
int ca_key_get(const uint8_t *pub, size_t len, enum ca_key_use use,
    EVP_PKEY **ret) VT_CHECK;
/* The same for the modulus of a TPM 1.2 EK: 256 bytes, exponent 65537. */
int ca_key_get_12(const uint8_t *mod, size_t len, EVP_PKEY **ret) VT_CHECK;

#endif
