/* SPDX-License-Identifier: BSD-3-Clause */
/* policy_draft.c - one policy of several boots. */
#include "measure/appraise/policy_draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/appraise/policy.h"
#include "measure/appraise/policy_merge.h"

/* The policy of one boot; NULL: err says why. */
static int
draft(const struct policy_boot *b, bool alone, json_t **ret, char *err)
{
	char why[POLICY_ERR_MAX], *text = NULL;
	int rc;

	if ((rc = policy_generate(&b->gen, &text, why)) != VT_OK) {
		(void)snprintf(err, POLICY_DRAFT_ERR, "%.280s%s%s",
		    alone ? "" : b->name, alone ? "" : ": ", why);
		return rc;
	}
	*ret = json_loads(text, 0, NULL);
	free(text);
	if (*ret != NULL)
		return VT_OK;
	(void)snprintf(err, POLICY_DRAFT_ERR, "out of memory");
	return VT_E_NOMEM;
}

int
policy_draft(const struct policy_boot *boots, size_t n, json_t **ret,
    char err[POLICY_DRAFT_ERR])
{
	json_t *all = NULL, *one = NULL;
	char why[POLICY_ERR_MAX];
	int rc = VT_OK;
	size_t i;

	for (i = 0; i < n && rc == VT_OK; i++) {
		rc = draft(&boots[i], n == 1, &one, err);
		if (rc != VT_OK)
			break;
		if (all == NULL) {
			all = one;
			continue;
		}
		if ((rc = policy_merge(all, one, why)) != VT_OK)
			(void)snprintf(err, POLICY_DRAFT_ERR,
			    "%.200s does not go with the boots before it: %s",
			    boots[i].name, why);
		json_decref(one);
	}
	if (rc != VT_OK)
		json_decref(all);
	else
		*ret = all;
	return rc;
}

int
policy_draft_holds(const struct policy_boot *boots, size_t n, const char *text,
    char err[POLICY_DRAFT_ERR])
{
	char why[POLICY_ERR_MAX];
	struct policy *p = NULL;
	int rc;
	size_t i;

	if ((rc = policy_parse(text, strlen(text), &p, why)) != VT_OK) {
		(void)snprintf(err, POLICY_DRAFT_ERR, "%s", why);
		return rc;
	}
	for (i = 0; i < n && rc == VT_OK; i++)
		if ((rc = policy_accepts(&boots[i].gen, p, why)) != VT_OK)
			(void)snprintf(err, POLICY_DRAFT_ERR,
			    "it would not accept %.200s: %s", boots[i].name,
			    why);
	policy_free(p);
	return rc;
}
