/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * certificate_memory.h - certificates of vTPMs that were verified before, by
 * digest of everything that the verification depended on.
 *
 * Layer:  measure; no I/O, no logging.
 * A hit means that the same bytes passed under the same CA, and that all
 * certificates are still in date.  Refused certificates are not kept.
 * Limits: vTPMs, the user's; what was used longest ago goes first.
 */
#ifndef MEASURE_EVIDENCE_CERTIFICATE_MEMORY_H
#define MEASURE_EVIDENCE_CERTIFICATE_MEMORY_H

#include <openssl/evp.h>

#include <stdint.h>
#include <time.h>

#include "base/crypto.h"
#include "base/err.h"
#include "measure/cert/x509.h"

#define CERT_MEMORY_BYTES 4096 /* of one vTPM, at most */

struct cert_memory; /* opaque */
int cert_memory_new(size_t max_n, struct cert_memory **ret) VT_CHECK;
void cert_memory_free(struct cert_memory *c); /* NULL is a no-op */
size_t cert_memory_count(const struct cert_memory *c);
/* As x509_verify(); *ret_key, if it is good: the AK's key, borrowed until the
 * next call, else NULL. */
int cert_memory_verify(struct cert_memory *c, const struct x509_want *want,
    struct x509_report *ret, EVP_PKEY **ret_key) VT_CHECK;

#endif
