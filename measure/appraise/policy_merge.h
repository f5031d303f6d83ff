/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy_merge.h - one policy out of two that policy_generate() made.
 *
 * Layer:  measure; no I/O, no logging.  JSON by jansson.
 */
#ifndef MEASURE_APPRAISE_POLICY_MERGE_H
#define MEASURE_APPRAISE_POLICY_MERGE_H

#include <jansson.h>

#include "base/err.h"
#include "measure/appraise/policy.h"

/*
 * Change a so that it accepts what a or b accepts: alternatives where their
 * events differ, optional ones where only one of them has an event.  It also
 * accepts mixtures of the two, such as the kernel of one with the initrd of
 * the other.  b is not changed.
 * VT_E_POLICY: they have no policy in common (a PCR that only one of them
 * extends or quotes, another bank); err then says which.  VT_E_NOMEM.
 */
int policy_merge(json_t *a, const json_t *b, char err[POLICY_ERR_MAX]) VT_CHECK;

#endif
