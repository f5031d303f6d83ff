/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * boot_diff.h - where two boots differ, event by event.
 *
 * Layer:  measure; no I/O, no logging.
 * Trust:  as replay.h: logs are hostile input and nothing here is verified.
 *         Digests decide what differs; texts only say what it is.
 */
#ifndef MEASURE_LOG_BOOT_DIFF_H
#define MEASURE_LOG_BOOT_DIFF_H

#include <stdint.h>

#include "base/err.h"
#include "measure/log/explain.h"
#include "measure/log/replay.h"

/* One difference; both events are borrowed from their replays. */
struct boot_diff {
	uint32_t pcr;
	const struct replay_event *was; /* NULL: only the new boot has it */
	const struct replay_event *now; /* NULL: only the old boot has it */
	uint32_t place;                 /* of the event in its log, from 0 */
};

struct boot_diffs {
	uint32_t n;
	struct boot_diff *d; /* in the order of the boot */
};

/*
 * Compare, PCR by PCR, in every bank that both have.  The logs of two equal
 * boots may mix PCRs differently; only the order in a PCR counts.  PCRs of
 * which a prediction says nothing are left out.
 * ret	set on success only; boot_diffs_done() frees it.  Refers to was and now.
 * VT_E_UNSUPPORTED: no bank in common; VT_E_NOMEM.
 */
int boot_diff(const struct replay *was, const struct replay *now,
    struct boot_diffs *ret) VT_CHECK;
void boot_diffs_done(struct boot_diffs *d);

/* Refers to d's replays. */
struct explain boot_diff_explain(const struct boot_diff *d);

#endif
