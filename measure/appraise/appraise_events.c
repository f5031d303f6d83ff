/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * appraise_events.c - the events of one PCR, by a small automaton over the
 * steps of the policy.
 */
#include "measure/appraise/appraise_events.h"

#include <stdlib.h>
#include <string.h>

#include "measure/appraise/appraise_diff.h"

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

const struct pol_digest *
ap_step_alt(const struct pol_step *s, const uint8_t *val, size_t len)
{
	uint32_t k;

	for (k = 0; k < s->nalts; k++)
		if (memcmp(s->alts[k].val, val, len) == 0)
			return &s->alts[k];
	return NULL;
}

static const struct pol_digest *
step_alt(const struct nfa *m, uint32_t i, const uint8_t *val)
{
	return ap_step_alt(&m->rule->steps[i], val, m->len);
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

void
ap_judge_events(struct judge *j, uint32_t pcr)
{
	const struct pol_pcr *rule = &j->bank->pcrs[pcr];
	struct nfa m = { .rule = rule, .len = j->bank->len };
	const struct pol_digest *alt;
	const struct trail_event *ev;
	uint32_t i;

	m.at[0] = true;
	skip_optional(&m);
	for (i = 0; i < j->t->n; i++) {
		ev = &j->t->ev[i];
		if (ev->pcr != pcr)
			continue;
		if (!step(&m, ev->val, &alt)) {
			ap_explain_events(j, pcr);
			return; /* what follows has no place to be held to */
		}
		if (alt != NULL)
			mark_known(j, i, alt, ev->log >= 0);
	}
	if (!m.at[rule->nsteps])
		ap_explain_events(j, pcr);
}
