/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy_match.c - are the events of a PCR those of a policy's list?  A small
 * automaton over the steps of the list.
 */
#include "measure/appraise/policy_match.h"

#include <stdbool.h>
#include <string.h>

/* at[i]: the first i steps may have been taken. */
struct nfa {
	const struct pol_pcr *rule;
	size_t len;
	bool at[POLICY_MAX_STEPS + 1];
};

static void
skip_optional(struct nfa *m)
{
	uint32_t i;

	for (i = 0; i < m->rule->nsteps; i++)
		if (m->at[i] && m->rule->steps[i].optional)
			m->at[i + 1] = true;
}

static const struct pol_digest *
step_alt(const struct nfa *m, uint32_t i, const uint8_t *val)
{
	return policy_step_has(&m->rule->steps[i], val, m->len);
}

/* Is the digest anywhere in the list? */
static bool
anywhere(const struct nfa *m, const uint8_t *val)
{
	uint32_t i;

	for (i = 0; i < m->rule->nsteps; i++)
		if (step_alt(m, i, val) != NULL)
			return true;
	return false;
}

static bool
any_state(const struct nfa *m)
{
	uint32_t i;

	for (i = 0; i <= m->rule->nsteps; i++)
		if (m->at[i])
			return true;
	return false;
}

/* Take one event.  False: no step allows it, and the states stay. */
static bool
step(struct nfa *m, const uint8_t *val, const struct pol_digest **ret_alt)
{
	const struct pol_digest *alt, *found = NULL;
	const struct pol_pcr *rule = m->rule;
	struct nfa next = { .rule = rule, .len = m->len };
	uint32_t i;

	for (i = 0; i <= rule->nsteps; i++) {
		if (!m->at[i])
			continue;
		if (i < rule->nsteps && (alt = step_alt(m, i, val)) != NULL) {
			next.at[i + 1] = true;
			found = alt;
		}
		if (i > 0 && rule->steps[i - 1].repeat &&
		    (alt = step_alt(m, i - 1, val)) != NULL) {
			next.at[i] = true;
			found = alt;
		}
	}
	if (found == NULL && rule->unknown == POL_U_ALLOW && !anywhere(m, val))
		next = *m;
	if (found == NULL && rule->unknown == POL_U_AFTER &&
	    m->at[rule->nsteps])
		next.at[rule->nsteps] = true;
	if (!any_state(&next))
		return false;
	*m = next;
	skip_optional(m);
	*ret_alt = found;
	return true;
}

bool
policy_match(const struct policy_align *pa,
    void (*took)(void *ctx, uint32_t k, const struct pol_digest *alt))
{
	struct nfa m = { .rule = pa->rule, .len = pa->len };
	const struct pol_digest *alt;
	uint32_t k;

	m.at[0] = true;
	skip_optional(&m);
	for (k = 0; k < pa->n; k++) {
		if (!step(&m, pa->val(pa->ctx, k), &alt))
			return false; /* the rest has no place to be held to */
		if (took != NULL)
			took(pa->ctx, k, alt);
	}
	return m.at[pa->rule->nsteps];
}
