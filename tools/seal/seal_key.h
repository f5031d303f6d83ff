/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seal_key.h - keys that approve states or open the recovery branch: PEM,
 * the form in which a TPM takes them, and their signatures.
 *
 * Layer:  tools; no I/O, no TPM.
 * Spec:   TPM 2.0 Library, Part 2, 12.2.4 (TPMT_PUBLIC).
 * Kinds:  RSA 2048 to 4096 with PKCS #1 v1.5, ECDSA on P-256 or P-384; each
 *         signs SHA-256.  A key has one public area, so it has one Name.
 * Trust:  PEM and public areas are hostile input.
 */
#ifndef TOOLS_SEAL_SEAL_KEY_H
#define TOOLS_SEAL_SEAL_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "measure/tpm/pem_key.h"
#include "measure/tpm/tpm_public.h"

#define SEAL_KEY_PUB_MAX 600 /* bytes of a TPMT_PUBLIC */
#define SEAL_SIG_MAX TPM_RSA_MAX
#define SEAL_PEM_MAX PEM_KEY_MAX

struct seal_key {
	uint8_t pub[SEAL_KEY_PUB_MAX]; /* TPMT_PUBLIC */
	size_t pub_len;
	uint16_t type; /* TA_RSA, TA_ECC */
	struct tpm_name name;
	uint8_t print[SHA256_LEN]; /* systemd's "pkfp" */
};

/* A PEM public or private key.  VT_E_FORMAT: no PEM key, or one that needs a
 * passphrase; VT_E_UNSUPPORTED: another kind. */
int seal_key_read(const void *pem, size_t len, struct seal_key *ret) VT_CHECK;
/* The same from a TPMT_PUBLIC, which must be the one that seal_key_read()
 * makes.  VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED. */
int seal_key_get(const uint8_t *pub, size_t len, struct seal_key *ret) VT_CHECK;

/*
 * Sign SHA-256(msg) with a PEM private key; sig has SEAL_SIG_MAX bytes (RSA:
 * the signature; ECDSA: DER).  ret_key: the public half.  VT_E_FORMAT: not a
 * private key; VT_E_UNSUPPORTED, VT_E_CRYPTO.
 */
int seal_key_sign(const void *pem, size_t pem_len, const uint8_t *msg,
    size_t len, struct seal_key *ret_key, uint8_t *sig,
    size_t *ret_len) VT_CHECK;
/* VT_E_AUTH: not this key's signature of msg. */
int seal_key_verify(const struct seal_key *k, const uint8_t *msg, size_t len,
    const uint8_t *sig, size_t sig_len) VT_CHECK;
/* A signature as a TPM takes it: TPMT_SIGNATURE, at most cap bytes.
 * VT_E_FORMAT. */
int seal_key_tpm_sig(const struct seal_key *k, const uint8_t *sig,
    size_t sig_len, uint8_t *out, size_t cap, size_t *ret_len) VT_CHECK;

#endif
