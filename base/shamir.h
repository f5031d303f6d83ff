/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shamir.h - splits a secret into n shares; any m of them restore it, fewer
 * reveal nothing about it.
 *
 * Layer:  base; pure, in constant time but for the counts.
 * Spec:   A. Shamir, How to Share a Secret (1979), byte by byte over GF(2^8)
 *         modulo x^8 + x^4 + x^3 + x + 1; share i is the value at x = i, the
 *         secret that at x = 0.
 * Whether shares belong together is for measure/host/escrow.h to check.
 */
#ifndef BASE_SHAMIR_H
#define BASE_SHAMIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SHAMIR_MAX_SHARES 16

/*
 * coef: m rows of len bytes: the secret, then m - 1 random rows.
 * out: n rows of len bytes; row i is the share for x = i + 1.
 * VT_E_RANGE: not 1 <= m <= n <= SHAMIR_MAX_SHARES.
 */
int shamir_split(const uint8_t *coef, unsigned int m, unsigned int n,
    size_t len, uint8_t *out) VT_CHECK;
/* m rows and their x.  VT_E_RANGE: an x is 0 or occurs twice. */
int shamir_join(const uint8_t *xs, const uint8_t *shares, unsigned int m,
    size_t len, uint8_t *ret) VT_CHECK;

#endif
