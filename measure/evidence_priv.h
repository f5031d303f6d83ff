/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evidence_priv.h - between the files that judge a bundle.
 *
 * Layer:  measure.
 */
#ifndef MEASURE_EVIDENCE_PRIV_H
#define MEASURE_EVIDENCE_PRIV_H

#include "measure/evidence.h"

/* Add a check to the report; id is static.  A full report keeps the worst
 * outcome in its last place. */
/* Of all that was said. */
enum ap_verdict ev_verdict(const struct ev_report *rep);
void ev_say(struct ev_report *rep, const char *id, enum ev_outcome o,
    const char *fmt, ...) VT_PRINTF(4, 5);

#endif
