/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tpm_public.h - TPM public areas: parse, compute Names, make OpenSSL keys.
 *
 * Layer:  measure; may include base only.  No I/O, no logging, no TPM
 *         library.
 * Spec:   TPM 2.0 Library, Part 2: 12.2.4 (TPMT_PUBLIC), 8.3 (TPMA_OBJECT);
 *         Part 1: 16 (Names), 26.6 (qualified Names).
 * Bytes:  big-endian on the wire, host order in these structs.
 * Trust:  hostile input; a well-formed area says nothing about its owner.
 * Limits: RSA 2048..4096, P-256, P-384, P-521.
 */
#ifndef MEASURE_TPM_TPM_PUBLIC_H
#define MEASURE_TPM_TPM_PUBLIC_H

#include <openssl/evp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/rdwr.h"

#define TPM_RSA_MAX 512 /* bytes of a modulus or RSA signature */
#define TPM_ECC_MAX 66  /* bytes of a coordinate, r or s */
#define TPM_PUB_MAX 1024

/* TPM_ALG_ID (Part 2, 6.3); digests are in base/crypto.h. */
enum {
	TA_RSA = 0x0001,
	TA_NULL = 0x0010,
	TA_RSASSA = 0x0014,
	TA_RSAPSS = 0x0016,
	TA_ECDSA = 0x0018,
	TA_ECC = 0x0023,
};

/* TPMA_OBJECT (Part 2, 8.3). */
enum {
	TO_FIXED_TPM = 1 << 1,
	TO_ST_CLEAR = 1 << 2,
	TO_FIXED_PARENT = 1 << 4,
	TO_SENSITIVE_ORIGIN = 1 << 5,
	TO_USER_WITH_AUTH = 1 << 6,
	TO_ADMIN_POLICY = 1 << 7,
	TO_NO_DA = 1 << 10,
	TO_RESTRICTED = 1 << 16,
	TO_DECRYPT = 1 << 17,
	TO_SIGN = 1 << 18,
};

/* A Name: be16 hash algorithm and its digest. */
struct tpm_name {
	uint16_t len; /* bytes used in b; 0: none */
	uint8_t b[2 + DIGEST_MAX];
};

struct tpm_pub {       /* TPMT_PUBLIC of an asymmetric key */
	uint16_t type; /* TA_RSA, TA_ECC */
	uint16_t name_alg;
	uint32_t attrs;       /* TO_* */
	uint16_t scheme;      /* TA_NULL or signing scheme */
	uint16_t hash;        /* of the scheme; 0 if TA_NULL */
	uint16_t bits;        /* RSA */
	uint32_t exponent;    /* RSA; 0 on the wire reads 65537 here */
	uint16_t curve;       /* ECC: TPM_ECC_NIST_P256 3, P384 4, P521 5 */
	const uint8_t *x, *y; /* borrowed; RSA: x is the modulus, y NULL */
	size_t x_len, y_len;
};

/*
 * Parse a TPMT_PUBLIC; all of buf must be used up.  ret->x and ret->y borrow
 * from buf.  VT_E_TRUNC, VT_E_FORMAT (bytes left over), VT_E_RANGE (over a
 * limit above), VT_E_UNSUPPORTED (algorithm).
 */
int tpm_pub_get(const uint8_t *buf, size_t len, struct tpm_pub *ret) VT_CHECK;
/* TPM2B_PUBLIC -> the TPMT_PUBLIC inside, borrowed from buf.  VT_E_TRUNC,
 * VT_E_FORMAT, VT_E_RANGE. */
int tpm_pub_unwrap(const uint8_t *buf, size_t len, const uint8_t **ret,
    size_t *ret_len) VT_CHECK;

/* Name of a TPMT_PUBLIC under name_alg.  VT_E_UNSUPPORTED, VT_E_CRYPTO. */
int tpm_name_of(uint16_t name_alg, const uint8_t *pub, size_t len,
    struct tpm_name *ret) VT_CHECK;
/* Qualified name of an object; the parent's is its own qualified name, or
 * for a primary object the hierarchy's handle (4 bytes). */
int tpm_qualified_name(const void *parent, size_t parent_len,
    const struct tpm_name *name, struct tpm_name *ret) VT_CHECK;
/* Qualified name of a child of an EK, a primary of the endorsement hierarchy.
 */
int tpm_child_name(const struct tpm_name *ek, const struct tpm_name *name,
    struct tpm_name *ret) VT_CHECK;
bool tpm_name_equal(const struct tpm_name *a, const struct tpm_name *b);

/* An OpenSSL public key from pub; the caller frees it.  VT_E_RANGE: too
 * small, VT_E_UNSUPPORTED, VT_E_CRYPTO (a point not on its curve). */
int tpm_pub_to_evp(const struct tpm_pub *pub, EVP_PKEY **ret) VT_CHECK;

/* Read a TPM2B_NAME that must hold a digest, not a handle: VT_E_FORMAT. */
void tpm_name_get(struct rd *r, struct tpm_name *ret);

#endif
