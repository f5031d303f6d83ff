/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ca_key.h - converts a TPM's public area to what a certificate says of a key.
 *
 * Layer:  vtpm_manager; pure.
 * Spec:   TPM 2.0 Library, Part 2, 12.2.4 (TPMT_PUBLIC), 8.3 (TPMA_OBJECT);
 *         TPM 1.2 Main, Part 2, 10.5 (TPM_PUBKEY); RFC 3279 2.3.1 and 2.3.5
 *         (RSA and EC keys in certificates).
 * Trust:  the bytes are hostile.
 */
#ifndef VTPM_MANAGER_HWTPM_CA_KEY_H
#define VTPM_MANAGER_HWTPM_CA_KEY_H

#include <openssl/evp.h>

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The key's purpose; its attributes must match it exactly. */
enum ca_key_use { CA_KEY_EK_RSA = 1, CA_KEY_EK_ECC, CA_KEY_AK, CA_KEY_CA };

#define CA_KEY_BITS_MAX 544 /* DER of an RSA-4096 public key */

/*
 * The parts of a SubjectPublicKeyInfo.  Having OpenSSL encode it, decode it
 * and look up its algorithms took longer than all the rest of a certificate.
 */
struct ca_key {
	int alg;    /* NID_rsaEncryption, NID_X9_62_id_ecPublicKey */
	int curve;  /* its NID; 0 for RSA */
	size_t len; /* bytes used in bits */
	uint8_t bits[CA_KEY_BITS_MAX]; /* RSAPublicKey or ECPoint */
};

/*
 * pub: a TPM2B_PUBLIC.  VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE: not a public
 * area; VT_E_UNSUPPORTED: its algorithm, size or curve; VT_E_POLICY: its
 * attributes; VT_E_CRYPTO: a point that is not on its curve.
 */
int ca_key_get(const uint8_t *pub, size_t len, enum ca_key_use use,
    struct ca_key *ret) VT_CHECK;
/* The same for the modulus of a TPM 1.2 EK: 256 bytes, exponent 65537. */
int ca_key_get_12(const uint8_t *mod, size_t len, struct ca_key *ret) VT_CHECK;
/* The CA's own key (CA_KEY_CA), to verify signatures; the caller frees it. */
int ca_key_evp(const uint8_t *pub, size_t len, EVP_PKEY **ret) VT_CHECK;

#endif
