/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vcache.h - certificates of vTPMs that were verified before, by digest of
 * all that went into it.
 *
 * Layer:  measure; no I/O, no logging.
 * What is found here was good: the same bytes, under the same CA, at a time
 * when all of them are in date.  Nothing that was refused is kept.
 * Limits: vTPMs, the user's; what was used longest ago goes first.
 */
#ifndef MEASURE_VCACHE_H
#define MEASURE_VCACHE_H

#include <openssl/evp.h>

#include <stdint.h>
#include <time.h>

#include "base/crypto.h"
#include "base/err.h"
#include "measure/x509.h"

#define VCACHE_BYTES 4096 /* of one vTPM, at most */

struct vcache; /* opaque */
int vcache_new(size_t max_n, struct vcache **ret) VT_CHECK;
void vcache_free(struct vcache *c); /* NULL is a no-op */
size_t vcache_count(const struct vcache *c);
/* As x509_verify(); *ret_key, if it is good: the AK's key, borrowed until the
 * next call, else NULL. */
int vcache_verify(struct vcache *c, const struct x509_want *want,
    struct x509_report *ret, EVP_PKEY **ret_key) VT_CHECK;

#endif
