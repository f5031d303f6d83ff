/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evidence_priv.h - between the files that judge a bundle.
 *
 * Layer:  measure.
 */
#ifndef MEASURE_EVIDENCE_EVIDENCE_PRIV_H
#define MEASURE_EVIDENCE_EVIDENCE_PRIV_H

#include "base/rdwr.h"
#include "measure/evidence/bundle.h"

/* SHA-256 of the parts that the quote's qualifyingData binds, made once. */
struct ev_digests {
	bool there[EV_NPARTS];
	uint8_t d[EV_NPARTS][SHA256_LEN];
};
int evidence_digests(
    const struct evidence *ev, struct ev_digests *ret) VT_CHECK;
/* part(x) of doc/FORMATS.md, "Evidence". */
void evidence_put_part(
    struct wr *w, const struct ev_digests *dig, enum ev_part part);
int evidence_qualify_by(const struct evidence *ev, const struct ev_digests *dig,
    uint8_t out[SHA256_LEN]) VT_CHECK;

/* Add a check to the report; id is static.  A full report keeps the worst
 * outcome in its last place. */
void ev_say(struct ev_report *rep, const char *id, enum ev_outcome o,
    const char *fmt, ...) VT_PRINTF(4, 5);
/* Of all that was said. */
enum ap_verdict ev_verdict(const struct ev_report *rep);

/* What journal, logs and launch record say of the PCRs, which a verified
 * quote covers, and what the policy says of the boot. */
int ev_boot(const struct evidence *ev, const struct ev_digests *dig,
    const struct ev_want *want, struct ev_report *rep) VT_CHECK;

#endif
