/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crypto.h - the OpenSSL calls that the whole tree needs.
 *
 * Layer:  base.
 * Thread: contexts are made once per process and reused; not thread-safe.
 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* TPM_ALG_ID values (TPM 2.0 Library, Part 2, 6.3). */
#define ALG_SHA1 0x0004
#define ALG_SHA256 0x000b
#define ALG_SHA384 0x000c
#define ALG_SHA512 0x000d
#define DIGEST_MAX 64
#define SHA1_LEN 20
#define SHA256_LEN 32

#define GCM_KEY_LEN 32
#define GCM_IV_LEN 12
#define GCM_TAG_LEN 16

struct iov_part { /* borrowed */
	const void *p;
	size_t len;
};

/* Bytes of alg's digest, 0 if we do not know alg. */
size_t digest_len(uint16_t alg);
/* "sha256" etc.; NULL if we do not know alg.  And back: 0 if unknown. */
const char *digest_name(uint16_t alg);
uint16_t digest_alg(const char *name);

/* H(part[0] || ... ), digest_len(alg) bytes to out.  VT_E_UNSUPPORTED: alg;
 * VT_E_CRYPTO. */
int digest_parts(uint16_t alg, const struct iov_part *parts, size_t n,
    uint8_t *out) VT_CHECK;
int digest_buf(uint16_t alg, const void *p, size_t len, uint8_t *out) VT_CHECK;
/* pcr = H(pcr || digest), both digest_len(alg) bytes. */
int digest_extend(uint16_t alg, uint8_t *pcr, const uint8_t *digest) VT_CHECK;

/* The same in pieces.  digest_end() or digest_drop() frees *ret. */
struct digest_ctx; /* opaque */
int digest_begin(uint16_t alg, struct digest_ctx **ret) VT_CHECK;
int digest_add(struct digest_ctx *c, const void *p, size_t len) VT_CHECK;
/* DIGEST_MAX bytes of room in out; frees c in any case. */
int digest_end(struct digest_ctx *c, uint8_t *out) VT_CHECK;
void digest_drop(struct digest_ctx *c); /* NULL is a no-op */

int hmac_sha256_parts(const uint8_t *key, size_t keylen,
    const struct iov_part *parts, size_t n, uint8_t out[SHA256_LEN]) VT_CHECK;
/* RFC 5869 with no salt: extract and expand to outlen bytes (<= 8160). */
int hkdf_sha256(const uint8_t *key, size_t keylen, const void *info,
    size_t infolen, uint8_t *out, size_t outlen) VT_CHECK;

/* After fork(2): reseed OpenSSL's generators from getrandom(2), whatever they
 * do by themselves.  VT_E_SYS. */
int crypto_reseed(void) VT_CHECK;

/* AES-256-GCM.  out has len bytes; it may be in. */
int gcm_seal(const uint8_t key[GCM_KEY_LEN], const uint8_t iv[GCM_IV_LEN],
    const void *ad, size_t adlen, const uint8_t *in, size_t len, uint8_t *out,
    uint8_t tag[GCM_TAG_LEN]) VT_CHECK;
/* VT_E_AUTH: wrong tag; out is then wiped. */
int gcm_open(const uint8_t key[GCM_KEY_LEN], const uint8_t iv[GCM_IV_LEN],
    const void *ad, size_t adlen, const uint8_t *in, size_t len,
    const uint8_t tag[GCM_TAG_LEN], uint8_t *out) VT_CHECK;

#endif
