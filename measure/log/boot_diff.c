/* SPDX-License-Identifier: BSD-3-Clause */
/* boot_diff.c - where two boots differ, event by event. */
#include "measure/log/boot_diff.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "measure/log/align.h"

/* One PCR's events of one boot. */
struct column {
	const struct replay_event **ev;
	uint32_t n;
	/* The banks that both boots have, in the same order in both columns. */
	uint32_t banks[PCR_MAX_BANKS];
	uint32_t nbanks;
};

static int
common_banks(const struct replay *was, const struct replay *now,
    struct column *a, struct column *b)
{
	uint32_t i, j;

	for (i = 0; i < was->pcrs.nbanks; i++)
		for (j = 0; j < now->pcrs.nbanks; j++)
			if (was->pcrs.banks[i].alg == now->pcrs.banks[j].alg) {
				a->banks[a->nbanks++] = i;
				b->banks[b->nbanks++] = j;
				break;
			}
	return a->nbanks > 0 ? VT_OK : VT_E_UNSUPPORTED;
}

static bool
extends(const struct replay_event *e, const struct column *c)
{
	uint32_t k;

	for (k = 0; k < c->nbanks; k++)
		if (e->digests[c->banks[k]].len != 0)
			return true;
	return false;
}

static void
collect(const struct replay *r, uint32_t pcr, struct column *c)
{
	uint32_t i;

	c->n = 0;
	for (i = 0; i < r->n; i++)
		if (r->ev[i].pcr == pcr && extends(&r->ev[i], c))
			c->ev[c->n++] = &r->ev[i];
}

/* One PCR of both boots. */
struct pair {
	uint32_t pcr;
	struct column a, b;
	struct boot_diffs *out;
};

static bool
same(void *ctx, uint32_t i, uint32_t j)
{
	const struct pair *p = ctx;
	const struct tpm_digest *x, *y;
	uint32_t k;

	for (k = 0; k < p->a.nbanks; k++) {
		x = &p->a.ev[i]->digests[p->a.banks[k]];
		y = &p->b.ev[j]->digests[p->b.banks[k]];
		if (x->len != y->len || memcmp(x->val, y->val, x->len) != 0)
			return false;
	}
	return true;
}

static void
differ(void *ctx, uint32_t i, uint32_t j, enum align_kind kind)
{
	struct pair *p = ctx;

	p->out->d[p->out->n++] =
	    (struct boot_diff){ p->pcr, kind != ALIGN_ADDED ? p->a.ev[i] : NULL,
		    kind != ALIGN_MISSING ? p->b.ev[j] : NULL, 0 };
}

static void
compare(struct pair *p)
{
	struct align al = { .na = p->a.n,
		.nb = p->b.n,
		.ctx = p,
		.same = same,
		.differ = differ };

	align_run(&al);
}

static void
place(
    const struct replay *was, const struct replay *now, struct boot_diffs *out)
{
	uint32_t i;

	for (i = 0; i < out->n; i++) {
		struct boot_diff *d = &out->d[i];

		d->place = (uint32_t)(d->was != NULL ? d->was - was->ev
						     : d->now - now->ev);
	}
}

static int
by_place(const void *pa, const void *pb)
{
	const struct boot_diff *a = pa, *b = pb;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return a->pcr < b->pcr ? -1 : a->pcr > b->pcr;
}

int
boot_diff(
    const struct replay *was, const struct replay *now, struct boot_diffs *ret)
{
	struct boot_diffs out = { 0 };
	struct pair p = { .out = &out };
	size_t max = (size_t)was->n + now->n + 1;
	int rc;

	if ((rc = common_banks(was, now, &p.a, &p.b)) != VT_OK)
		return rc;
	p.a.ev = calloc(max, sizeof(const struct replay_event *));
	p.b.ev = calloc(max, sizeof(const struct replay_event *));
	out.d = calloc(max, sizeof(*out.d));
	if (p.a.ev == NULL || p.b.ev == NULL || out.d == NULL) {
		rc = VT_E_NOMEM;
		free(out.d);
		goto out;
	}
	for (p.pcr = 0; p.pcr < PCR_COUNT; p.pcr++) {
		if (((was->silent | now->silent) >> p.pcr & 1) != 0)
			continue;
		collect(was, p.pcr, &p.a);
		collect(now, p.pcr, &p.b);
		compare(&p);
	}
	place(was, now, &out);
	qsort(out.d, out.n, sizeof(*out.d), by_place);
	*ret = out;
out:
	free(p.a.ev);
	free(p.b.ev);
	return rc;
}

void
boot_diffs_done(struct boot_diffs *d)
{
	free(d->d);
	*d = (struct boot_diffs){ 0 };
}

struct explain
boot_diff_explain(const struct boot_diff *d)
{
	const struct replay_event *e = d->now != NULL ? d->now : d->was;

	return (struct explain){ .pcr = d->pcr,
		.pos = e->pos,
		.was = d->was != NULL ? d->was->words : NULL,
		.now = d->now != NULL ? d->now->words : NULL,
		.text = d->now != NULL && d->now->lies ? EXPLAIN_LIES
						       : EXPLAIN_SAID };
}
