/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/hwtpm/queue.h"

#include <stdlib.h>

/*
 * Groups with items form a ring.  q->turn was served last, so q->turn->next is
 * served next.  A group leaves the ring with its last item and re-enters at
 * the end of the round.
 */
struct hwq_group {
	struct hwq_group *next;
	struct hwq_item *head, **tail;
	size_t n;
	uint32_t id;
};

void
hwq_init(struct hwq *q)
{
	q->turn = NULL;
	q->n = 0;
}

static struct hwq_group *
find_group(const struct hwq *q, uint32_t id)
{
	struct hwq_group *g = q->turn;

	if (g == NULL)
		return NULL;
	do {
		if (g->id == id)
			return g;
		g = g->next;
	} while (g != q->turn);
	return NULL;
}

/* It enters at the end of the round: all others are served first. */
static struct hwq_group *
add_group(struct hwq *q, uint32_t id)
{
	struct hwq_group *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->id = id;
	g->tail = &g->head;
	if (q->turn == NULL) {
		g->next = g;
	} else {
		g->next = q->turn->next;
		q->turn->next = g;
	}
	q->turn = g;
	return g;
}

static struct hwq_group *
before(struct hwq_group *g)
{
	struct hwq_group *p = g;

	while (p->next != g)
		p = p->next;
	return p;
}

static void
drop_if_empty(struct hwq *q, struct hwq_group *g)
{
	struct hwq_group *p;

	if (g->head != NULL)
		return;
	p = before(g);
	if (p == g) {
		q->turn = NULL;
	} else {
		p->next = g->next;
		if (q->turn == g)
			q->turn = p;
	}
	free(g);
}

static struct hwq_item *
unlink_item(struct hwq *q, struct hwq_group *g, struct hwq_item **at)
{
	struct hwq_item *it = *at;

	*at = it->next;
	if (g->tail == &it->next)
		g->tail = at;
	it->next = NULL;
	g->n--;
	q->n--;
	return it;
}

int
hwq_put(struct hwq *q, struct hwq_item *it)
{
	struct hwq_group *g = find_group(q, it->group);

	if (q->n >= HWQ_MAX || (g != NULL && g->n >= HWQ_MAX_GROUP))
		return VT_E_SPACE;
	if (g == NULL && (g = add_group(q, it->group)) == NULL)
		return VT_E_NOMEM;
	it->next = NULL;
	*g->tail = it;
	g->tail = &it->next;
	g->n++;
	q->n++;
	return VT_OK;
}

int
hwq_put_back(struct hwq *q, struct hwq_item *it)
{
	struct hwq_group *g = find_group(q, it->group);

	if (g == NULL && (g = add_group(q, it->group)) == NULL)
		return VT_E_NOMEM;
	it->put_back++;
	it->next = g->head;
	g->head = it;
	if (it->next == NULL)
		g->tail = &it->next;
	g->n++;
	q->n++;
	q->turn = before(g);
	return VT_OK;
}

static struct hwq_item *
take_from(struct hwq *q, struct hwq_group *g)
{
	struct hwq_item *it = unlink_item(q, g, &g->head);

	q->turn = g;
	drop_if_empty(q, g);
	return it;
}

struct hwq_item *
hwq_take(struct hwq *q)
{
	return q->turn != NULL ? take_from(q, q->turn->next) : NULL;
}

static void
note_delayed(struct hwq_group *g, struct hwquota *quota)
{
	struct hwq_item *it;

	for (it = g->head; it != NULL; it = it->next) {
		if (it->delayed)
			continue;
		it->delayed = true;
		hwquota_note_delayed(quota, g->id);
	}
}

struct hwq_item *
hwq_next(struct hwq *q, struct hwquota *quota, uint64_t now_us)
{
	struct hwq_group *g, *last = q->turn;

	if (last == NULL)
		return NULL;
	for (g = last->next;; g = g->next) {
		if (hwquota_when(quota, g->id, now_us) <= now_us)
			return take_from(q, g);
		note_delayed(g, quota);
		if (g == last)
			return NULL;
	}
}

uint64_t
hwq_when(const struct hwq *q, struct hwquota *quota, uint64_t now_us)
{
	const struct hwq_group *g = q->turn;
	uint64_t t, min = UINT64_MAX;

	if (g == NULL)
		return min;
	do {
		if ((t = hwquota_when(quota, g->id, now_us)) < min)
			min = t;
		g = g->next;
	} while (g != q->turn);
	return min;
}

struct hwq_item *
hwq_expired(struct hwq *q, uint64_t now_us)
{
	struct hwq_group *g = q->turn;
	struct hwq_item **at, *it;

	if (g == NULL)
		return NULL;
	do {
		for (at = &g->head; *at != NULL; at = &(*at)->next) {
			if ((*at)->deadline_us > now_us)
				continue;
			it = unlink_item(q, g, at);
			drop_if_empty(q, g);
			return it;
		}
		g = g->next;
	} while (g != q->turn);
	return NULL;
}

uint64_t
hwq_deadline(const struct hwq *q)
{
	const struct hwq_group *g = q->turn;
	const struct hwq_item *it;
	uint64_t min = UINT64_MAX;

	if (g == NULL)
		return min;
	do {
		for (it = g->head; it != NULL; it = it->next)
			if (it->deadline_us < min)
				min = it->deadline_us;
		g = g->next;
	} while (g != q->turn);
	return min;
}
