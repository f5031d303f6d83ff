/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * appraise_diff.c - where a refused boot differs from its policy.  The
 * automaton has decided that it does; what is here only says where.
 */
#include "measure/appraise/appraise_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/appraise/appraise_report.h"
#include "measure/appraise/policy_align.h"
#include "measure/log/explain.h"
#include "measure/log/trail_describe.h"

/* gcc's analyzer loses sight of a text that an element of an array owns. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

/* The events of one PCR beside the steps of its rule. */
struct beside {
	struct judge *j;
	const struct pol_pcr *rule; /* NULL: nothing was expected */
	uint32_t pcr;
	uint32_t *at; /* the PCR's events, by index in the trail */
	uint32_t n;
};

static const uint8_t *
val(void *ctx, uint32_t k)
{
	const struct beside *b = ctx;

	return b->j->t->ev[b->at[k]].val;
}

/* --- one difference ---------------------------------------------------------
 */

static bool
describe_now(struct ap_diff *d, const struct trail *t, uint32_t at)
{
	const struct trail_event *ev = &t->ev[at];
	enum trail_fit fit = trail_fit(t, ev);
	char words[AP_WORDS];

	trail_describe(t, ev, words, sizeof(words));
	d->pos = ev->pos;
	if (fit == TF_NONE)
		d->text = EXPLAIN_UNSAID;
	else if (fit == TF_LIE)
		d->text = EXPLAIN_LIES;
	return (d->now = strdup(words)) != NULL;
}

static bool
describe_was(struct ap_diff *d, const struct beside *b, uint32_t i)
{
	const struct pol_step *s = &b->rule->steps[i];
	char words[AP_WORDS];

	policy_step_words(s, b->j->bank->len, d->now, words, sizeof(words));
	d->others = s->nalts - 1;
	return (d->was = strdup(words)) != NULL;
}

/* Room for one more; NULL: enough are listed, or of another bank, or no
 * memory. */
static struct ap_diff *
add(struct judge *j)
{
	struct ap_report *r = j->a->rep;
	struct ap_diff *d;

	if (r->ndiffs > 0 && r->diffs_alg != j->bank->alg)
		return NULL;
	if (r->ndiffs == AP_MAX_DIFFS) {
		r->more_diffs++;
		return NULL;
	}
	d = realloc(r->diffs, (r->ndiffs + 1) * sizeof(*d));
	if (d == NULL) {
		j->a->rc = VT_E_NOMEM;
		return NULL;
	}
	r->diffs = d;
	d += r->ndiffs++;
	memset(d, 0, sizeof(*d));
	r->diffs_alg = j->bank->alg;
	return d;
}

static void
differ(void *ctx, uint32_t i, uint32_t k, enum align_kind kind)
{
	struct beside *b = ctx;
	struct ap_diff *d;
	bool ok = true;

	if ((d = add(b->j)) == NULL)
		return;
	d->pcr = b->pcr;
	d->pos = b->n + 1;
	if (k < b->n)
		d->pos = b->j->t->ev[b->at[k]].pos;
	d->place = policy_align_place(b->at, b->n, k, kind, b->j->t->n);
	if (kind != ALIGN_MISSING)
		ok = describe_now(d, b->j->t, b->at[k]);
	if (ok && kind != ALIGN_ADDED)
		ok = describe_was(d, b, i);
	if (!ok)
		b->j->a->rc = VT_E_NOMEM;
}

/* --- all of a PCR -----------------------------------------------------------
 */

static bool
collect(struct beside *b)
{
	const struct trail *t = b->j->t;
	uint32_t i;

	if ((b->at = calloc(t->n + 1u, sizeof(*b->at))) == NULL) {
		b->j->a->rc = VT_E_NOMEM;
		return false;
	}
	for (i = 0; i < t->n; i++)
		if (t->ev[i].pcr == b->pcr)
			b->at[b->n++] = i;
	return true;
}

static void
say(struct judge *j, const struct ap_diff *d)
{
	struct explain e = ap_diff_explain(d);
	char line[EXPLAIN_SHORT];

	explain_headline(&e, 1, line, sizeof(line));
	ap_say(j->a, d->now == NULL ? AP_C_EVENT_MISSING : AP_C_EVENT_UNKNOWN,
	    AP_FAIL, j->bank->alg, (int32_t)d->pcr, (int32_t)d->pos, "%s",
	    line);
	ap_tag(j->a, d->place, explain_cause(&e));
}

void
ap_explain_events(struct judge *j, uint32_t pcr)
{
	struct beside b = { .j = j, .rule = &j->bank->pcrs[pcr], .pcr = pcr };
	struct ap_report *r = j->a->rep;
	uint32_t from = r->ndiffs;
	struct policy_align pa = { .rule = b.rule,
		.len = j->bank->len,
		.ctx = &b,
		.val = val,
		.differ = differ };

	if (!collect(&b))
		return;
	pa.n = b.n;
	policy_align(&pa);
	free(b.at);
	if (j->a->rc != VT_OK)
		return;
	if (r->ndiffs > from) {
		say(j, &r->diffs[from]);
		return;
	}
	ap_say(j->a, AP_C_EVENT_UNKNOWN, AP_FAIL, j->bank->alg, (int32_t)pcr, 0,
	    "PCR %u: its events are not those of the policy", pcr);
	ap_tag(j->a, AP_LAST_PLACE, NULL); /* after one that says more */
}

const char *
ap_explain_added(struct judge *j, uint32_t pcr)
{
	struct beside b = { .j = j, .pcr = pcr };
	struct ap_report *r = j->a->rep;
	uint32_t from = r->ndiffs, k;

	if (j->t == NULL || !collect(&b))
		return NULL;
	for (k = 0; k < b.n; k++)
		differ(&b, 0, k, ALIGN_ADDED);
	free(b.at);
	return r->ndiffs > from ? r->diffs[from].now : NULL;
}

uint32_t
ap_first_place(const struct judge *j, uint32_t pcr)
{
	uint32_t i;

	for (i = 0; j->t != NULL && i < j->t->n; i++)
		if (j->t->ev[i].pcr == pcr)
			return i + 1;
	return 0;
}

/* --- the whole boot ---------------------------------------------------------
 */

static int
by_place(const void *x, const void *y)
{
	const struct ap_diff *a = x, *b = y;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if (a->pcr != b->pcr)
		return a->pcr < b->pcr ? -1 : 1;
	return a->pos < b->pos ? -1 : a->pos > b->pos;
}

/* The finding of the first difference speaks for all of them. */
static void
headline(struct appraisal *a)
{
	struct explain list[AP_MAX_DIFFS] = { 0 };
	struct ap_report *r = a->rep;
	char line[EXPLAIN_SHORT], *copy;
	struct ap_finding *f;
	uint32_t i;

	for (i = 0; i < r->ndiffs; i++)
		list[i] = ap_diff_explain(&r->diffs[i]);
	for (f = r->findings; f < r->findings + r->n; f++)
		if ((f->code == AP_C_EVENT_UNKNOWN ||
			f->code == AP_C_EVENT_MISSING) &&
		    f->alg == r->diffs_alg && f->pcr == (int32_t)list[0].pcr)
			break;
	if (f == r->findings + r->n)
		return;
	explain_headline(list, r->ndiffs, line, sizeof(line));
	if ((copy = strdup(line)) == NULL) {
		a->rc = VT_E_NOMEM;
		return;
	}
	free(f->words);
	f->words = copy;
}

void
ap_explain_done(struct appraisal *a)
{
	struct ap_report *r = a->rep;

	if (r->ndiffs == 0 || a->rc != VT_OK)
		return;
	qsort(r->diffs, r->ndiffs, sizeof(*r->diffs), by_place);
	headline(a);
}
