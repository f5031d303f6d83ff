/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * appraise_pcr.h - hold the PCRs of one bank against the policy.
 *
 * Layer:  measure; no I/O, no logging.
 */
#ifndef MEASURE_APPRAISE_APPRAISE_PCR_H
#define MEASURE_APPRAISE_APPRAISE_PCR_H

#include <stdbool.h>

#include "measure/appraise/appraise_priv.h"
#include "measure/appraise/policy.h"

/* Judge one bank of the policy; first: the report lists its events. */
void ap_bank(struct appraisal *a, const struct pol_bank *bank, bool first);

#endif
