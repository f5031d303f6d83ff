/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * escrow.h - the host's master key in shares for its operators: any m of n
 * bring it back, on another TPM.
 *
 * Layer:  measure; no I/O, no logging.
 * Spec:   doc/FORMATS.md, "Escrow share"; RFC 5652, RFC 5083 (CMS).
 * A share is encrypted to one operator as CMS AuthEnvelopedData
 * (AES-256-GCM; RSA-OAEP, or ECDH), in PEM: `openssl cms -decrypt` opens it,
 * too.  Each share holds digests of all of its set, so that one that was
 * changed is named, and a check value of the key.
 */
#ifndef MEASURE_HOST_ESCROW_H
#define MEASURE_HOST_ESCROW_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/rdwr.h"
#include "base/shamir.h"

#define ESCROW_KEY_LEN 32
#define ESCROW_SET_LEN 16
#define ESCROW_HOST_MAX 63
#define ESCROW_SHARE_MAX 1024 /* encoded */
#define ESCROW_PEM_MAX 16384  /* a sealed share, or an operator's key */
#define ESCROW_TEXT_MAX 256

struct escrow_share {
	uint8_t set[ESCROW_SET_LEN]; /* random; the same in all shares */
	char host[ESCROW_HOST_MAX + 1];
	uint64_t made_s; /* since 1970 */
	uint8_t m, n, x; /* m of n; this is share x, from 1 on */
	uint8_t share[ESCROW_KEY_LEN];
	uint8_t check[SHA256_LEN];                     /* of the key */
	uint8_t commit[SHAMIR_MAX_SHARES][SHA256_LEN]; /* of each share */
};

void escrow_put(struct wr *w, const struct escrow_share *s);
/* VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED; VT_E_AUTH: bytes of
 * it were changed. */
int escrow_get(
    const uint8_t *data, size_t len, struct escrow_share *ret) VT_CHECK;

/* n shares.  VT_E_RANGE: not 2 <= m <= n <= SHAMIR_MAX_SHARES, or the name
 * is too long. */
int escrow_split(const uint8_t key[ESCROW_KEY_LEN], const char *host,
    uint64_t made_s, unsigned int m, unsigned int n,
    struct escrow_share *ret) VT_CHECK;
/* VT_E_RANGE: too few; VT_E_POLICY: not of one set; VT_E_AUTH: one was
 * changed.  text (ESCROW_TEXT_MAX) says which and why. */
int escrow_join(const struct escrow_share *shares, unsigned int n,
    uint8_t ret[ESCROW_KEY_LEN], char *text) VT_CHECK;

/* To an operator: PEM of a certificate or a public key, RSA of 2048 bits or
 * more, or EC.  *ret: PEM text, free().  VT_E_FORMAT, VT_E_UNSUPPORTED,
 * VT_E_CRYPTO. */
int escrow_seal(const struct escrow_share *s, const void *pem, size_t len,
    char **ret) VT_CHECK;
/* pem: the operator's private key, no passphrase asked for.  VT_E_FORMAT:
 * one of them is not PEM; VT_E_AUTH: it is not for this key, or was
 * changed. */
int escrow_open(const void *cms, size_t cms_len, const void *pem, size_t len,
    struct escrow_share *ret) VT_CHECK;

#endif
