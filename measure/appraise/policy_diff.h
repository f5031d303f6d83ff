/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy_diff.h - where a boot, as a log or prediction has it, differs from a
 * policy.
 *
 * Layer:  measure; no I/O, no logging.
 * Trust:  nothing is verified: no quote, no journal, no launch.  appraise.h
 *         judges evidence; this explains before there is any.
 */
#ifndef MEASURE_APPRAISE_POLICY_DIFF_H
#define MEASURE_APPRAISE_POLICY_DIFF_H

#include <stdint.h>

#include "base/err.h"
#include "measure/appraise/policy.h"
#include "measure/log/explain.h"
#include "measure/log/replay.h"

struct policy_diffs {
	uint32_t n;
	struct explain *list; /* in the order of the boot */
	char **texts;         /* that list refers to, beside the boot's */
	uint32_t ntexts;
};

/*
 * Compare in the first bank of the policy that the boot has.  A PCR with a
 * value rule has at most one difference, at its first event.  ret, set on
 * success only, refers to boot; policy_diffs_done() frees it.
 * VT_E_UNSUPPORTED: no bank in common; VT_E_NOMEM.
 */
int policy_diff(const struct policy *p, const struct replay *boot,
    struct policy_diffs *ret) VT_CHECK;
void policy_diffs_done(struct policy_diffs *d);

#endif
