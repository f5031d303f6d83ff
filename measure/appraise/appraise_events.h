/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * appraise_events.h - hold the events of one PCR against a policy's list.
 *
 * Layer:  measure; included by measure/appraise*.c only.
 */
#ifndef MEASURE_APPRAISE_APPRAISE_EVENTS_H
#define MEASURE_APPRAISE_APPRAISE_EVENTS_H

#include "measure/appraise/appraise_priv.h"
#include "measure/appraise/policy.h"
#include "measure/log/trail.h"

/* One bank under appraisal. */
struct judge {
	struct appraisal *a;
	const struct pol_bank *bank;
	struct trail *t;         /* NULL: no log and no journal */
	struct ap_event *events; /* of the report, by trail index; or NULL */
};

/* Judge the events of a PCR whose rule lists them; j has a trail. */
void ap_judge_events(struct judge *j, uint32_t pcr);

#endif
