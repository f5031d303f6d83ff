/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_commit.c - one transaction per commit.
 *
 * Order: leaves of the touched guests, the tree, the index of values, the root
 * record; then all of it goes to the backend in one batch.
 */
#include "vtpm_manager/store/store_commit.h"

#include <errno.h>
#include <string.h>

#include "vtpm_manager/store/store_audit.h"
#include "vtpm_manager/store/store_int.h"
#include "vtpm_manager/store/store_look.h"

void
store_rollback(struct store *st)
{
	store_pending_undo(st);
	st->chain = st->root.audit;
	st->gen = st->root.gen;
}

static int
set_leaves(struct store *st)
{
	uint8_t leaf[HT_LEN], label[HT_LABEL_LEN];
	const struct entry *e;
	struct touch *t;
	int rc;

	SLIST_FOREACH(t, &st->touched, link) {
		memset(leaf, LEAF_TOMB, sizeof(leaf));
		memset(label, 0, sizeof(label));
		e = registry_slot(&st->reg, t->slot);
		if (e != NULL) {
			if ((rc = store_leaf_digest(&e->row, leaf)) != VT_OK)
				return rc;
			store_label_make(&e->row.in, label);
		}
		if (t->slot < ht_slots(st->tree))
			ht_get(st->tree, t->slot, t->leaf, t->label);
		rc = ht_set(st->tree, t->slot, leaf, label);
		if (rc != VT_OK)
			return rc;
		t->leaf_set = true;
	}
	return VT_OK;
}

/* A new slot keeps its empty leaf: the tree does not shrink. */
static void
unset_leaves(struct store *st)
{
	struct touch *t;

	SLIST_FOREACH(t, &st->touched, link)
		if (t->leaf_set) /* within the tree: it cannot fail */
			(void)!ht_set(st->tree, t->slot, t->leaf, t->label);
}

static int
put_page(uint8_t level, uint32_t index, const uint8_t *p, size_t len, void *arg)
{
	struct store *st = arg;
	struct store_op op = { .what = SW_PAGE,
		.kind = level,
		.slot = index,
		.p = p,
		.len = len };

	return st->ops->put(st->be, &op);
}

static int
put_instances(struct store *st)
{
	const struct touch *t;
	int rc;

	SLIST_FOREACH(t, &st->touched, link) {
		const struct entry *e = registry_slot(&st->reg, t->slot);
		struct store_op op = {
			.what = e != NULL ? SW_ROW : SW_ROW_DEL,
			.slot = t->slot,
			.row = e != NULL ? &e->row : NULL,
		};

		if ((rc = st->ops->put(st->be, &op)) != VT_OK)
			return rc;
	}
	return VT_OK;
}

/* One transaction; root is NULL while the store is locked. */
static int
apply(struct store *st, const struct store_op *root)
{
	const struct pend *p;
	int rc;

	if ((rc = st->ops->begin(st->be)) != VT_OK)
		goto fail;
	TAILQ_FOREACH(p, &st->pend, link)
		if ((rc = st->ops->put(st->be, &p->op)) != VT_OK)
			goto fail;
	if (root != NULL &&
	    ((rc = put_instances(st)) != VT_OK ||
		(rc = ht_each_dirty(st->tree, put_page, st)) != VT_OK ||
		(rc = st->ops->put(st->be, root)) != VT_OK))
		goto fail;
	if ((rc = st->ops->commit(st->be)) == VT_OK)
		return VT_OK;
fail:
	rc = store_fail_backend(st, rc);
	st->ops->rollback(st->be);
	return rc;
}

/* On a full disk running guests get the reserve. */
static int
apply_somehow(struct store *st, const struct store_op *root)
{
	int rc;

	st->unsure = true;
	st->tried_len = 0;
	if (root != NULL) {
		memcpy(st->tried, root->p, root->len);
		st->tried_len = root->len;
	}
	rc = apply(st, root);
	if (rc == VT_E_SPACE && store_folder_give(st->folder))
		rc = apply(st, root);
	if (rc == VT_OK)
		st->unsure = false;
	return rc;
}

static int
commit_open(struct store *st)
{
	struct root_rec next = st->root;
	struct meta meta = { 0 };
	uint8_t rec[ROOT_MAX];
	struct store_op op = { .what = SW_ROOT, .p = rec };
	int rc;

	if ((rc = store_audit_cut(st)) != VT_OK ||
	    (rc = set_leaves(st)) != VT_OK ||
	    (rc = ht_update(st->tree, next.tree)) != VT_OK ||
	    (rc = store_meta_next(st, &meta, next.meta)) != VT_OK)
		goto fail;
	next.seq++;
	next.anchor = st->anchor;
	next.gen = st->gen;
	next.nslots = ht_slots(st->tree);
	next.audit = st->chain;
	if ((rc = store_root_make(st->key, &next, rec, &op.len)) != VT_OK)
		goto fail;
	if ((rc = apply_somehow(st, &op)) != VT_OK)
		goto fail;
	ht_clean(st->tree);
	st->root = next;
	if (meta.v != NULL) {
		store_meta_done(&st->meta);
		st->meta = meta;
	}
	return VT_OK;
fail:
	store_meta_done(&meta);
	unset_leaves(st);
	return rc;
}

bool
store_has_changes(const struct store *st)
{
	if (st->mode == STORE_OPEN)
		return !TAILQ_EMPTY(&st->pend) || !SLIST_EMPTY(&st->touched) ||
		       st->root.seq == 0 || st->anchor != st->root.anchor;
	return !TAILQ_EMPTY(&st->pend);
}

int
store_commit(struct store *st)
{
	int rc = VT_OK;

	if (store_has_changes(st) && store_look_again(st) != VT_OK) {
		rc = VT_E_SYS;
		errno = EIO;
	} else if (st->mode == STORE_OPEN) {
		if (store_has_changes(st))
			rc = commit_open(st);
	} else if (st->mode != STORE_LOCKED) {
		if (!TAILQ_EMPTY(&st->pend))
			rc = store_need_open(st);
	} else if (!TAILQ_EMPTY(&st->pend)) {
		rc = apply_somehow(st, NULL);
	}
	if (rc != VT_OK) {
		store_rollback(st);
		return st->unsure ? store_settle(st, rc) : rc;
	}
	store_pending_clear(st);
	return VT_OK;
}
