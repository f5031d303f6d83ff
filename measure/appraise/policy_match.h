/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy_match.h - are the events of a PCR those of a policy's list?
 *
 * Layer:  measure; pure.
 */
#ifndef MEASURE_APPRAISE_POLICY_MATCH_H
#define MEASURE_APPRAISE_POLICY_MATCH_H

#include <stdbool.h>

#include "measure/appraise/policy_align.h"

/* took (may be NULL) is called for each event that the list allows, up to the
 * first that it does not; alt: the digest that names it, NULL if it is allowed
 * without being listed.  pa->differ is not used. */
bool policy_match(const struct policy_align *pa,
    void (*took)(void *ctx, uint32_t k, const struct pol_digest *alt));

#endif
