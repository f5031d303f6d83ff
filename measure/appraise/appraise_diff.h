/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * appraise_diff.h - where a refused boot differs from its policy.
 *
 * Layer:  measure; included by measure/appraise*.c only.
 */
#ifndef MEASURE_APPRAISE_APPRAISE_DIFF_H
#define MEASURE_APPRAISE_APPRAISE_DIFF_H

#include "measure/appraise/appraise_events.h"

/* The events of this PCR are not those of its rule: say so, and list every
 * difference. */
void ap_explain_events(struct judge *j, uint32_t pcr);

/* List all events of a PCR that should have none.  The text of the first;
 * NULL: there is none, or no memory. */
const char *ap_explain_added(struct judge *j, uint32_t pcr);

/* The place of a PCR's first event in the boot, from 1; 0: unknown. */
uint32_t ap_first_place(const struct judge *j, uint32_t pcr);

/* Differences and findings in the order of the boot, and a headline. */
void ap_explain_done(struct appraisal *a);

#endif
