/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify_boot.h - judge the boot: journal, logs, launch record, policy.
 *
 * Layer:  measure; no I/O, no logging.
 */
#ifndef MEASURE_EVIDENCE_VERIFY_BOOT_H
#define MEASURE_EVIDENCE_VERIFY_BOOT_H

#include "base/err.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/report.h"
#include "measure/evidence/verify.h"

/*
 * Add to rep what journal, logs and launch record say of the PCRs, and what
 * the policy says of the boot.  A verified quote must cover the PCRs and the
 * parts' digests.  VT_E_NOMEM, VT_E_CRYPTO.
 */
int verify_boot(const struct bundle *ev, const struct bundle_digests *dig,
    const struct verify_want *want, struct report *rep) VT_CHECK;

#endif
