/* SPDX-License-Identifier: BSD-3-Clause */
/* appraise_events.c - hold the events of one PCR against a policy's list. */
#include "measure/appraise/appraise_events.h"

#include <stdlib.h>
#include <string.h>

#include "measure/appraise/appraise_diff.h"
#include "measure/appraise/policy_align.h"
#include "measure/appraise/policy_match.h"

/* gcc's analyzer loses sight of a text that an element of an array owns. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

/* The events of one PCR. */
struct events {
	struct judge *j;
	uint32_t *at; /* by index in the trail */
	uint32_t n;
};

static const uint8_t *
val(void *ctx, uint32_t k)
{
	const struct events *e = ctx;

	return e->j->t->ev[e->at[k]].val;
}

static void
mark_known(
    struct judge *j, uint32_t i, const struct pol_digest *alt, bool named)
{
	char *copy;

	if (j->events == NULL)
		return;
	j->events[i].known = true;
	if (alt == NULL || named || alt->what[0] == '\0')
		return;
	if ((copy = strdup(alt->what)) == NULL) {
		j->a->rc = VT_E_NOMEM;
		return;
	}
	free(j->events[i].words);
	j->events[i].words = copy;
}

static void
took(void *ctx, uint32_t k, const struct pol_digest *alt)
{
	struct events *e = ctx;
	uint32_t i = e->at[k];

	if (alt != NULL)
		mark_known(e->j, i, alt, e->j->t->ev[i].log >= 0);
}

void
ap_judge_events(struct judge *j, uint32_t pcr)
{
	struct events e = { .j = j };
	struct policy_align pa = { .rule = &j->bank->pcrs[pcr],
		.len = j->bank->len,
		.ctx = &e,
		.val = val };
	uint32_t i;

	if ((e.at = calloc(j->t->n + 1u, sizeof(*e.at))) == NULL) {
		j->a->rc = VT_E_NOMEM;
		return;
	}
	for (i = 0; i < j->t->n; i++)
		if (j->t->ev[i].pcr == pcr)
			e.at[e.n++] = i;
	pa.n = e.n;
	if (!policy_match(&pa, took))
		ap_explain_events(j, pcr);
	free(e.at);
}
