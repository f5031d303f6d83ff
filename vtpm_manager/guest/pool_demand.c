/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/guest/pool_demand.h"

#include <string.h>

#include "vtpm/proto/worker_msg.h"

void
pool_demand_init(struct pool_demand *d, uint32_t least, uint32_t most)
{
	memset(d, 0, sizeof(*d));
	d->least = least;
	d->most = most > least ? most : least;
	d->row[d->n++].kind =
	    (struct pool_kind){ TPM_VER_20, BANK_SHA256, WSRK_NONE };
}

bool
pool_kind_equal(const struct pool_kind *a, const struct pool_kind *b)
{
	return a->tpm_version == b->tpm_version && a->banks == b->banks &&
	       a->srk == b->srk;
}

/* Move on to the period of now; rows that nobody asked for make room. */
static void
turn(struct pool_demand *d, uint64_t now_us)
{
	uint64_t period = now_us / POOL_PERIOD_US;
	uint32_t i, n = 0;

	if (period == d->period)
		return;
	for (i = 0; i < d->n; i++) {
		struct pool_row *r = &d->row[i];

		r->before = period == d->period + 1 ? r->now : 0;
		r->now = 0;
		if (i == 0 || r->before > 0)
			d->row[n++] = *r;
	}
	d->n = n;
	d->period = period;
}

void
pool_demand_ask(
    struct pool_demand *d, const struct pool_kind *k, uint64_t now_us)
{
	uint32_t i;

	turn(d, now_us);
	for (i = 0; i < d->n && !pool_kind_equal(&d->row[i].kind, k); i++)
		;
	if (i == POOL_KINDS)
		return;
	if (i == d->n)
		d->row[d->n++] = (struct pool_row){ .kind = *k };
	d->row[i].now++;
	d->row[i].last_us = now_us;
}

static uint32_t
asked(const struct pool_row *r)
{
	return r->now > r->before ? r->now : r->before;
}

/* The row that was asked for last of those without a number yet, or d->n. */
static uint32_t
latest(const struct pool_demand *d, const bool done[POOL_KINDS])
{
	uint32_t i, best = d->n;

	for (i = 0; i < d->n; i++)
		if (!done[i] &&
		    (best == d->n || d->row[i].last_us > d->row[best].last_us))
			best = i;
	return best;
}

void
pool_demand_want(
    struct pool_demand *d, uint64_t now_us, uint32_t want[POOL_KINDS])
{
	bool done[POOL_KINDS] = { false };
	uint32_t left, i, more;

	memset(want, 0, POOL_KINDS * sizeof(want[0]));
	if (d->least == 0)
		return;
	turn(d, now_us);
	want[0] = d->least;
	left = d->most - d->least;
	while ((i = latest(d, done)) < d->n) {
		done[i] = true;
		more = asked(&d->row[i]);
		more = more > want[i] ? more - want[i] : 0;
		more = more < left ? more : left;
		want[i] += more;
		left -= more;
	}
}
