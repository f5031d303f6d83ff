/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy_align.h - lay the events of one PCR beside a policy's list.
 *
 * Layer:  measure; no I/O, no logging.
 * Trust:  it explains; policy_match.h decides.
 */
#ifndef MEASURE_APPRAISE_POLICY_ALIGN_H
#define MEASURE_APPRAISE_POLICY_ALIGN_H

#include <stddef.h>
#include <stdint.h>

#include "measure/appraise/policy.h"
#include "measure/log/align.h"

struct policy_align {
	const struct pol_pcr *rule; /* NULL: no event is expected */
	size_t len;                 /* bytes of a digest */
	uint32_t n;                 /* events that came */
	void *ctx;
	const uint8_t *(*val)(void *ctx, uint32_t k); /* digest of event k */
	/* As of struct align; i is a step of the rule. */
	void (*differ)(void *ctx, uint32_t i, uint32_t k, enum align_kind kind);
};

/* Calls differ() for each difference that the rule does not allow, in order. */
void policy_align(const struct policy_align *pa);

/*
 * Where a difference belongs in the boot, from 1.  at has the n events of the
 * PCR by their index among the total of the boot.  What is missing belongs
 * behind the one before it (0: before all), or to the end.
 */
uint32_t policy_align_place(const uint32_t *at, uint32_t n, uint32_t k,
    enum align_kind kind, uint32_t total);

/* The alternative of a step that is val; NULL: none. */
const struct pol_digest *policy_step_has(
    const struct pol_step *s, const uint8_t *val, size_t len);
/* Describe the alternative of a step that is most like the text that came
 * (NULL: none did), in printable ASCII: a policy's text is any UTF-8. */
void policy_step_words(const struct pol_step *s, size_t len, const char *now,
    char *out, size_t cap);

#endif
