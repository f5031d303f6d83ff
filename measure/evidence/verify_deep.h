/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify_deep.h - judge a deep quote: made by this host, in an accepted
 * state.
 *
 * Layer:  measure; no I/O, no logging.
 * Spec:   doc/FORMATS.md, "Deep quotes", checks.
 * Trust:  host record, roots and states are the verifier's own; the answer
 *         is hostile input.
 */
#ifndef MEASURE_EVIDENCE_VERIFY_DEEP_H
#define MEASURE_EVIDENCE_VERIFY_DEEP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/deep_host.h"
#include "measure/evidence/report.h"
#include "measure/evidence/verify.h"
#include "measure/host/tenant_config.h"

/* Add every check of ev's deep part (dig: of its parts) to rep, whose instance
 * and root are set if its certificates were good. */
void verify_deep(const struct bundle *ev, const struct bundle_digests *dig,
    const struct verify_want *want, struct report *rep);

/*
 * The same of a host quote by a group's AK, alone: rep (zeroed by the caller)
 * gets every check and the verdict.  nonce: the one that was given out.
 */
void verify_deep_quote(struct deep_host *h, const struct tenant_quote *q,
    const uint8_t *nonce, size_t nonce_len, struct report *rep);

#endif
