/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * appraise_report.h - the findings of an appraisal: add, share, print.
 *
 * Layer:  measure; no I/O, no logging.
 */
#ifndef MEASURE_APPRAISE_APPRAISE_REPORT_H
#define MEASURE_APPRAISE_APPRAISE_REPORT_H

#include <stddef.h>

#include "base/err.h"
#include "measure/appraise/appraise.h"
#include "measure/appraise/appraise_priv.h"
#include "measure/log/trail.h"

void ap_report_free(struct ap_report *r); /* NULL is a no-op */
/* Add an owner to r, which must no longer change; each owner calls
 * ap_report_free(). */
struct ap_report *ap_report_share(struct ap_report *r);
size_t ap_report_bytes(const struct ap_report *r); /* of memory */

const char *ap_code_name(enum ap_code code);    /* "event-unknown" */
const char *ap_verdict_name(enum ap_verdict v); /* "accepted" */
/* The report as a JSON object in text; heap, free().  NULL: no memory. */
char *ap_report_json(const struct ap_report *r);

/* Add a finding.  index 0, pcr -1, alg 0: none.  The words may have text of a
 * policy or launch record: they become printable ASCII. */
void ap_say(struct appraisal *a, enum ap_code code, enum ap_severity sev,
    uint16_t alg, int32_t pcr, int32_t index, const char *fmt, ...)
    VT_PRINTF(7, 8);

/* The last finding is about this place of the boot (from 1; 0: none); cause is
 * constant. */
#define AP_LAST_PLACE UINT32_MAX /* it follows from what came before */
void ap_tag(struct appraisal *a, uint32_t place, const char *cause);

/* Fill the report's list of events, none of them known yet. */
void ap_list_events(struct appraisal *a, const struct trail *t);

#endif
