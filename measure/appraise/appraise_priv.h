/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * appraise_priv.h - what the files of the appraisal share.
 *
 * Layer:  measure; included by measure/appraise*.c only.
 */
#ifndef MEASURE_APPRAISE_APPRAISE_PRIV_H
#define MEASURE_APPRAISE_APPRAISE_PRIV_H

#include "measure/appraise/appraise.h"
#include "measure/log/launch_record.h"
#include "measure/log/merge.h"

#define AP_WORDS 1024 /* bytes of one event in words, cut short */

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

/* Add a finding.  index 0, pcr -1, alg 0: none. */
void ap_say(struct appraisal *a, enum ap_code code, enum ap_severity sev,
    uint16_t alg, int32_t pcr, int32_t index, const char *fmt, ...)
    VT_PRINTF(7, 8);

/* What differs between two configuration texts, lines "member=value", in
 * words; at most cap bytes, always ended.  "": nothing that can be named. */
void ap_config_words(const char *now, const char *want, char *out, size_t cap);

/* Fill the report's list of events, none of them known yet. */
void ap_list_events(struct appraisal *a, const struct trail *t);

/* Judge one bank of the policy; first: the report lists its events. */
void ap_bank(struct appraisal *a, const struct pol_bank *bank, bool first);

#endif
