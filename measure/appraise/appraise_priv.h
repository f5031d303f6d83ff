/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * appraise_priv.h - what the files of the appraisal share.
 *
 * Layer:  measure; included by measure/appraise*.c only.
 */
#ifndef MEASURE_APPRAISE_APPRAISE_PRIV_H
#define MEASURE_APPRAISE_APPRAISE_PRIV_H

#include "measure/appraise/appraise.h"
#include "measure/appraise/policy.h"
#include "measure/log/journal.h"
#include "measure/log/launch_record.h"

#define AP_WORDS 1024 /* bytes of one event's description, cut short */

/* An appraisal under way; errors are sticky in rc. */
struct appraisal {
	const struct ap_in *in;
	const struct policy *pol;
	struct ap_report *rep;
	struct journal *journal;      /* NULL: absent or bad */
	struct launch_record *launch; /* NULL: absent or not proved */
	bool have_log;
	int rc;
};

#endif
