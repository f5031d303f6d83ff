/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy_draft.h - one policy of several boots.
 *
 * Layer:  measure; no I/O, no logging.  JSON by jansson.
 */
#ifndef MEASURE_APPRAISE_POLICY_DRAFT_H
#define MEASURE_APPRAISE_POLICY_DRAFT_H

#include <jansson.h>

#include <stddef.h>

#include "base/err.h"
#include "measure/appraise/policy_gen.h"

#define POLICY_DRAFT_ERR (POLICY_ERR_MAX + 300)

struct policy_boot {
	const char *name; /* of its file, for errors */
	struct policy_gen gen;
};

/*
 * Generate the policy of each boot and merge them.  *ret: json_decref().
 * Errors of policy_generate() and policy_merge(); err then says which boot and
 * why.
 */
int policy_draft(const struct policy_boot *boots, size_t n, json_t **ret,
    char err[POLICY_DRAFT_ERR]) VT_CHECK;

/* A policy that does not accept each of its boots is a trap: VT_E_POLICY. */
int policy_draft_holds(const struct policy_boot *boots, size_t n,
    const char *text, char err[POLICY_DRAFT_ERR]) VT_CHECK;

#endif
