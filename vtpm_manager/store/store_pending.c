/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_pending.c - the open transaction.
 *
 * The registry in memory already shows the changes; struct pend has what the
 * backend must write, struct touch what the registry had before.  So a failed
 * commit can be repeated once the reserve is free, or be undone as a whole.
 */
#include "vtpm_manager/store/store_pending.h"

#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/store/store_int.h"

struct pend *
store_pend_new(struct store *st, size_t len)
{
	struct pend *p = calloc(1, sizeof(*p) + len);

	if (p == NULL)
		(void)store_fail_nomem(st);
	return p;
}

void
store_pend_queue(struct store *st, struct pend *p)
{
	TAILQ_INSERT_TAIL(&st->pend, p, link);
}

static bool
same_target(const struct store_op *a, const struct store_op *b)
{
	if (a->what != b->what)
		return false;
	if (a->what == SW_KV)
		return strcmp(a->key, b->key) == 0;
	return a->what == SW_BLOB && a->slot == b->slot && a->kind == b->kind;
}

struct pend *
store_pend_find(const struct store *st, const struct store_op *op)
{
	struct pend *p;

	TAILQ_FOREACH(p, &st->pend, link)
		if (same_target(&p->op, op))
			return p;
	return NULL;
}

int
store_pend_put(struct store *st, const struct store_op *op)
{
	size_t klen = op->key != NULL ? strlen(op->key) + 1 : 0;
	struct pend *p = store_pend_new(st, op->len + klen), *before;

	if (p == NULL)
		return VT_E_NOMEM;
	p->op = *op;
	if (op->len > 0)
		memcpy(p->bytes, op->p, op->len);
	p->op.p = p->bytes;
	if (klen > 0) {
		memcpy(p->bytes + op->len, op->key, klen);
		p->op.key = (const char *)p->bytes + op->len;
	}
	if ((before = store_pend_find(st, op)) != NULL) {
		TAILQ_REMOVE(&st->pend, before, link);
		free(before);
	}
	store_pend_queue(st, p);
	return VT_OK;
}

int
store_pend_copy(const struct pend *p, uint8_t **ret, size_t *ret_len)
{
	uint8_t *b;

	if (p->op.len == 0)
		return VT_E_NOTFOUND;
	if ((b = malloc(p->op.len + 1)) == NULL)
		return VT_E_NOMEM;
	memcpy(b, p->op.p, p->op.len);
	b[p->op.len] = 0;
	*ret = b;
	*ret_len = p->op.len;
	return VT_OK;
}

int
store_touch(struct store *st, uint32_t slot)
{
	struct entry *e = registry_slot(&st->reg, slot);
	struct touch *t;

	SLIST_FOREACH(t, &st->touched, link)
		if (t->slot == slot)
			return VT_OK;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return store_fail_nomem(st);
	t->slot = slot;
	t->was = e;
	if (e != NULL)
		t->was_row = *e;
	SLIST_INSERT_HEAD(&st->touched, t, link);
	return VT_OK;
}

bool
store_touch_owns(const struct store *st, const struct entry *e)
{
	const struct touch *t;

	SLIST_FOREACH(t, &st->touched, link)
		if (t->was == e)
			return true;
	return false;
}

void
store_pending_clear(struct store *st)
{
	struct touch *t;
	struct pend *p;

	while ((t = SLIST_FIRST(&st->touched)) != NULL) {
		SLIST_REMOVE_HEAD(&st->touched, link);
		if (t->was != NULL &&
		    registry_slot(&st->reg, t->slot) != t->was)
			free(t->was);
		free(t);
	}
	while ((p = TAILQ_FIRST(&st->pend)) != NULL) {
		TAILQ_REMOVE(&st->pend, p, link);
		free(p);
	}
}

void
store_pending_undo(struct store *st)
{
	struct touch *t;
	struct entry *e;

	/* Remove all before adding any: names may have moved between slots. */
	SLIST_FOREACH(t, &st->touched, link) {
		if ((e = registry_slot(&st->reg, t->slot)) == NULL)
			continue;
		registry_remove(&st->reg, e);
		if (e != t->was)
			free(e);
	}
	SLIST_FOREACH(t, &st->touched, link) {
		if (t->was == NULL)
			continue;
		*t->was = t->was_row;
		(void)!registry_add(&st->reg, t->was); /* its room is kept */
	}
	store_pending_clear(st);
}
