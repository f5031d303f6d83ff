/* SPDX-License-Identifier: BSD-3-Clause */
/* guest_stats.c - what workers count: asked for, and summed up. */
#include "vtpm_manager/guest/guest_stats.h"

#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guests_priv.h"

#define ANSWER_MS 250
/* A worker that does not answer is killed, and a long command is no reason. */
#define QUERY_MS 120000

struct waiter {
	SLIST_ENTRY(waiter) link;
	guest_stats_cb cb; /* NULL: forgotten */
	void *arg;
};

struct guest_stats {
	struct mgr *m;
	sd_event_source *timer;
	SLIST_HEAD(, waiter) waiters;
	struct histogram times[WCLASSES];
};

static bool
is_asked(const struct guest_run *g)
{
	return g->link != NULL && g->counted.asked == g->link->serial;
}

static bool
is_any_asked(const struct guest_stats *q)
{
	const struct guest_run *g;

	LIST_FOREACH(g, &q->m->guests->list, entry)
		if (is_asked(g))
			return true;
	return false;
}

static void
tell_all(struct guest_stats *q)
{
	struct waiter *w;

	loop_timer_off(q->timer);
	while ((w = SLIST_FIRST(&q->waiters)) != NULL) {
		SLIST_REMOVE_HEAD(&q->waiters, link);
		if (w->cb != NULL)
			w->cb(w->arg, VT_OK);
		free(w);
	}
}

static int
on_late(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	tell_all(arg);
	return 0;
}

/* A count that fell, as only a lying worker's does, stays what it was: each
 * worker adds at most WSTATS_MAX to each sum. */
static void
rise(uint64_t *sum, uint64_t old, uint64_t *new)
{
	if (*new >= old)
		*sum += *new - old;
	else
		*new = old;
}

static void
add_up(struct histogram *h, const struct wtimes *old, struct wtimes *new)
{
	unsigned int i;

	for (i = 0; i <= HIST_BOUNDS; i++)
		rise(&h->n[i], old->counts[i], &new->counts[i]);
	rise(&h->sum_us, old->sum_us, &new->sum_us);
}

/* What a worker did before this manager found it was a former one's to count.
 */
static void
take(struct guest_run *g, struct wstats *n)
{
	static const struct wtimes none = { 0 };
	struct guest_stats *q = g->m->guests->stats;
	bool first = g->counted.serial != g->link->serial;
	unsigned int i;

	for (i = 0; i < WCLASSES && !(first && g->link->found); i++)
		add_up(&q->times[i], first ? &none : &g->counted.last.times[i],
		    &n->times[i]);
	g->counted.serial = g->link->serial;
	g->counted.last = *n;
}

static void
on_stats(void *arg, int rc, const struct msg *msg)
{
	struct guest_run *g = arg;
	struct wanswer a;
	struct wstats n;

	g->counted.asked = 0;
	/* A worker of an older version does not know the question. */
	if (rc == VT_OK && msg->type == W_ANSWER &&
	    msg_get(wanswer, msg->data, msg->len, &a) == VT_OK &&
	    a.rc == VT_OK && g->link != NULL &&
	    msg_get(wstats, a.data.p, a.data.len, &n) == VT_OK)
		take(g, &n);
	if (!SLIST_EMPTY(&g->m->guests->stats->waiters) &&
	    !is_any_asked(g->m->guests->stats))
		tell_all(g->m->guests->stats);
}

void
guest_stats_ask(struct guest_run *g)
{
	struct wquery q = { .what = WQ_STATS };
	uint8_t buf[8];
	struct wr w;

	if (g->link == NULL || is_asked(g))
		return;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wquery, &q);
	if (wlink_request(
		g->link, W_QUERY, &w, NULL, 0, QUERY_MS, on_stats, g) == VT_OK)
		g->counted.asked = g->link->serial;
}

int
guest_stats_gather(struct mgr *m, guest_stats_cb cb, void *arg)
{
	struct guest_stats *q = m->guests->stats;
	struct waiter *w = calloc(1, sizeof(*w));
	bool first = SLIST_EMPTY(&q->waiters);
	struct guest_run *g;

	if (w == NULL)
		return VT_E_NOMEM;
	w->cb = cb;
	w->arg = arg;
	SLIST_INSERT_HEAD(&q->waiters, w, link);
	LIST_FOREACH(g, &m->guests->list, entry)
		if (g->st == IS_RUNNING)
			guest_stats_ask(g);
	if (!is_any_asked(q) ||
	    (first && loop_timer(m, &q->timer, ANSWER_MS, LOOP_PRIO_BUS,
			  on_late, q) != VT_OK))
		tell_all(q);
	return VT_OK;
}

void
guest_stats_forget(struct mgr *m, const void *arg)
{
	struct waiter *w;

	SLIST_FOREACH(w, &m->guests->stats->waiters, link)
		if (w->arg == arg)
			w->cb = NULL;
}

int
guest_stats_new(struct mgr *m)
{
	struct guest_stats *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return VT_E_NOMEM;
	q->m = m;
	SLIST_INIT(&q->waiters);
	m->guests->stats = q;
	return VT_OK;
}

void
guest_stats_free(struct mgr *m)
{
	struct guest_stats *q = m->guests->stats;
	struct waiter *w;

	if (q == NULL)
		return;
	while ((w = SLIST_FIRST(&q->waiters)) != NULL) {
		SLIST_REMOVE_HEAD(&q->waiters, link);
		if (w->cb != NULL)
			w->cb(w->arg, VT_E_CLOSED);
		free(w);
	}
	(void)sd_event_source_disable_unref(q->timer);
	free(q);
	m->guests->stats = NULL;
}

const struct histogram *
guest_stats_times(const struct mgr *m, enum wclass class)
{
	return &m->guests->stats->times[class];
}
