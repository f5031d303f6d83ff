/* SPDX-License-Identifier: BSD-3-Clause */
/* policy_diff.c - where a boot differs from a policy, before any evidence. */
#include "measure/appraise/policy_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/appraise/policy_align.h"
#include "measure/appraise/policy_match.h"
#include "measure/tpm/pcr.h"

/* gcc's analyzer loses sight of a text that an element of an array owns. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

#define WORDS 1024
#define LAST_QUOTED 15 /* an unnamed PCR up to here must stay empty */

/* A difference, and its place in the boot, from 1. */
struct found {
	struct explain e;
	uint32_t place;
};

struct job {
	const struct policy *pol;
	const struct pol_bank *bank;
	const struct replay *boot;
	uint32_t b; /* the bank, in the boot */
	uint32_t pcr;
	uint32_t *at, n; /* events of the PCR */
	struct found *found;
	uint32_t nfound;
	struct policy_diffs out;
	int rc;
};

static const uint8_t *
val(void *ctx, uint32_t k)
{
	const struct job *j = ctx;

	return j->boot->ev[j->at[k]].digests[j->b].val;
}

/* A copy that the result owns; NULL: no memory. */
static const char *
keep(struct job *j, const char *text)
{
	char **list, *copy;

	list = realloc(j->out.texts, (j->out.ntexts + 1) * sizeof(*list));
	if (list != NULL)
		j->out.texts = list;
	copy = list != NULL ? strdup(text) : NULL;
	if (copy == NULL)
		j->rc = VT_E_NOMEM;
	else
		list[j->out.ntexts++] = copy;
	return copy;
}

static void
add(struct job *j, const struct explain *e, uint32_t place)
{
	struct found *f;

	f = realloc(j->found, (j->nfound + 1) * sizeof(*f));
	if (f == NULL) {
		j->rc = VT_E_NOMEM;
		return;
	}
	j->found = f;
	f[j->nfound++] = (struct found){ *e, place };
}

static void
differ(void *ctx, uint32_t i, uint32_t k, enum align_kind kind)
{
	struct job *j = ctx;
	struct explain e = { .pcr = j->pcr, .pos = k + 1 };
	const struct pol_step *s;
	char words[WORDS];

	if (kind != ALIGN_MISSING) {
		e.now = j->boot->ev[j->at[k]].words;
		e.text =
		    j->boot->ev[j->at[k]].lies ? EXPLAIN_LIES : EXPLAIN_SAID;
	}
	if (kind != ALIGN_ADDED) {
		s = &j->bank->pcrs[j->pcr].steps[i];
		policy_step_words(s, j->bank->len, e.now, words, sizeof(words));
		e.was = keep(j, words);
		e.others = s->nalts - 1;
	}
	add(j, &e, policy_align_place(j->at, j->n, k, kind, j->boot->n));
}

/* The value is none of those listed: one difference, at the first event. */
static void
values(struct job *j)
{
	const struct pol_pcr *rule = &j->bank->pcrs[j->pcr];
	const uint8_t *got = pcr_get(&j->boot->pcrs, j->bank->alg, j->pcr);
	char hex[2 * DIGEST_MAX + 1], words[WORDS];
	struct explain e = { .pcr = j->pcr, .pos = 1 };
	uint32_t i;

	for (i = 0; i < rule->nvalues && got != NULL; i++)
		if (memcmp(rule->values[i].val, got, j->bank->len) == 0)
			return;
	hex_encode(rule->values[0].val, j->bank->len, hex);
	(void)snprintf(words, sizeof(words), "value %.16s... %s", hex,
	    rule->values[0].what);
	text_clean(words);
	e.was = keep(j, words);
	if (got != NULL) {
		hex_encode(got, j->bank->len, hex);
		(void)snprintf(words, sizeof(words), "value %.16s...", hex);
		e.now = keep(j, words);
	}
	e.others = rule->nvalues - 1;
	add(j, &e, j->n > 0 ? j->at[0] + 1 : j->boot->n + 1);
}

static void
one_pcr(struct job *j)
{
	struct policy_align pa = { .rule = &j->bank->pcrs[j->pcr],
		.len = j->bank->len,
		.ctx = j,
		.val = val,
		.differ = differ };
	uint32_t i;

	j->n = 0;
	for (i = 0; i < j->boot->n; i++)
		if (j->boot->ev[i].pcr == j->pcr &&
		    j->boot->ev[i].digests[j->b].len != 0)
			j->at[j->n++] = i;
	pa.n = j->n;
	switch (pa.rule->kind) {
	case POL_VALUES:
		values(j);
		break;
	case POL_NONE:
		if (j->pcr > LAST_QUOTED)
			break;
		pa.rule = NULL;
		policy_align(&pa);
		break;
	case POL_EVENTS:
		if (!policy_match(&pa, NULL))
			policy_align(&pa);
		break;
	default:
		break;
	}
}

static int
by_place(const void *x, const void *y)
{
	const struct found *a = x, *b = y;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if (a->e.pcr != b->e.pcr)
		return a->e.pcr < b->e.pcr ? -1 : 1;
	return a->e.pos < b->e.pos ? -1 : a->e.pos > b->e.pos;
}

/* The first bank of the policy that the boot has. */
static int
choose_bank(struct job *j)
{
	uint32_t i;

	for (i = 0; i < j->pol->nbanks; i++)
		for (j->b = 0; j->b < j->boot->pcrs.nbanks; j->b++)
			if (j->boot->pcrs.banks[j->b].alg ==
			    j->pol->banks[i].alg) {
				j->bank = &j->pol->banks[i];
				return VT_OK;
			}
	return VT_E_UNSUPPORTED;
}

static void
hand_over(struct job *j)
{
	uint32_t i;

	qsort(j->found, j->nfound, sizeof(*j->found), by_place);
	j->out.list = calloc(j->nfound + 1u, sizeof(*j->out.list));
	if (j->out.list == NULL) {
		j->rc = VT_E_NOMEM;
		return;
	}
	for (i = 0; i < j->nfound; i++)
		j->out.list[i] = j->found[i].e;
	j->out.n = j->nfound;
}

int
policy_diff(
    const struct policy *p, const struct replay *boot, struct policy_diffs *ret)
{
	struct job j = { .pol = p, .boot = boot };
	int rc;

	if ((rc = choose_bank(&j)) != VT_OK)
		return rc;
	if ((j.at = calloc(boot->n + 1u, sizeof(*j.at))) == NULL)
		return VT_E_NOMEM;
	for (j.pcr = 0; j.pcr < PCR_COUNT && j.rc == VT_OK; j.pcr++)
		if ((boot->silent >> j.pcr & 1) == 0)
			one_pcr(&j);
	if (j.rc == VT_OK && j.nfound > 0)
		hand_over(&j);
	free(j.at);
	free(j.found);
	if (j.rc != VT_OK) {
		policy_diffs_done(&j.out);
		return j.rc;
	}
	*ret = j.out;
	return VT_OK;
}

void
policy_diffs_done(struct policy_diffs *d)
{
	uint32_t i;

	for (i = 0; i < d->ntexts; i++)
		free(d->texts[i]);
	free(d->texts);
	free(d->list);
	*d = (struct policy_diffs){ 0 };
}
