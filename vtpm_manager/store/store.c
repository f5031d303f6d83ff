/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store.c - the store's interface.
 *
 * The registry lives in memory; what changes is noted (struct touch for
 * instances, struct pend for blobs, values and audit records) and handed to
 * the backend in one batch by store_commit().  So a failed commit can be
 * tried again after the reserve was given, and can be forgotten as a whole.
 */
#include "vtpm_manager/store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "vtpm_manager/store/store_int.h"

#define RESERVE_MB 16 /* the default */
#define KV_EPOCH "epoch"
#define AUDIT_CUT_STEP 1000 /* records given up at a time */

int
store_fail(struct store *st, int rc, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(st->why, sizeof(st->why), fmt, ap);
	va_end(ap);
	errno = saved;
	return rc;
}

int
store_fail_be(struct store *st, int rc)
{
	return store_fail(st, rc, "%s", st->ops->words(st->be));
}

const char *
store_why(const struct store *st)
{
	return st->why;
}

/* Only an open store takes changes of instances and audit records. */
int
store_need_open(struct store *st)
{
	switch (st->mode) {
	case STORE_OPEN:
		return VT_OK;
	case STORE_LOCKED:
		return store_fail(st, VT_E_STATE,
		    "the store is locked: its master key is not there");
	case STORE_FROZEN:
		return store_fail(st, VT_E_CORRUPT, "%s", st->frozen);
	case STORE_BROKEN:
		break;
	}
	return store_fail(st, VT_E_CORRUPT,
	    "the store's root is wrong or missing: nothing is changed until "
	    "the state folder is put back from a backup");
}

int
store_need_read(struct store *st)
{
	return st->mode == STORE_FROZEN ? VT_OK : store_need_open(st);
}

/* --- open and close --------------------------------------------------- */

/* The database must be at least as new as the epoch file says. */
static int
check_epoch(struct store *st, const char *dir)
{
	uint64_t file = 0, db = 0;
	uint8_t *p = NULL, be[8];
	size_t len = 0;
	struct store_op op = {
		.what = SW_KV, .key = KV_EPOCH, .p = be, .len = sizeof(be)
	};
	int rc;

	rc = st->ops->kv_get(st->be, KV_EPOCH, &p, &len);
	if (rc == VT_OK && len == sizeof(be))
		db = be64_get(p);
	free(p);
	if (rc != VT_OK && rc != VT_E_NOTFOUND)
		return store_fail_be(st, rc);
	if (store_folder_epoch(st->dir, &file) != VT_OK)
		return store_fail(st, VT_E_CORRUPT,
		    "%.100s/epoch cannot be read: put the whole folder back "
		    "from a backup",
		    dir);
	if (db < file)
		return store_fail(st, VT_E_CORRUPT,
		    "the database in %.80s is gone, or older than this "
		    "folder: put the whole folder back from a backup; to "
		    "begin anew, with new identities, empty it",
		    dir);
	/* A full disk must not keep guests from starting: then no new epoch. */
	be64_put(be, db + 1);
	if (st->ops->begin(st->be) != VT_OK)
		return VT_OK;
	if (st->ops->put(st->be, &op) != VT_OK ||
	    st->ops->commit(st->be) != VT_OK)
		st->ops->rollback(st->be);
	else
		(void)!store_folder_set_epoch(st->dir, db + 1);
	return VT_OK;
}

int
store_open(
    const char *dir, unsigned int reserve_mb, struct store **ret, char *text)
{
	struct store *st = calloc(1, sizeof(*st));
	int rc;

	if (st == NULL) {
		(void)snprintf(text, TEXT_MAX_LEN + 1, "out of memory");
		return VT_E_NOMEM;
	}
	st->ops = &store_sqlite;
	st->tail = &st->pend;
	rc = store_folder_open(
	    dir, reserve_mb > 0 ? reserve_mb : RESERVE_MB, &st->dir, text);
	if (rc == VT_OK)
		rc = st->ops->open(dir, &st->be, text);
	if (rc != VT_OK)
		goto fail;
	(void)store_folder_reserve(st->dir);
	if ((rc = check_epoch(st, dir)) != VT_OK ||
	    (rc = store_list_locked(st)) != VT_OK) {
		(void)snprintf(text, TEXT_MAX_LEN + 1, "%s", st->why);
		goto fail;
	}
	*ret = st;
	return VT_OK;
fail:
	store_close(st);
	return rc;
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	store_rollback(st);
	registry_clear(&st->reg);
	ht_free(st->tree);
	store_meta_done(&st->meta);
	if (st->be != NULL)
		st->ops->close(st->be);
	store_folder_close(st->dir); /* the lock goes last */
	explicit_bzero(st->key, sizeof(st->key));
	free(st);
}

/* --- changes that wait ------------------------------------------------ */

static struct pend *
pend_new(struct store *st, size_t len)
{
	struct pend *p = calloc(1, sizeof(*p) + len);

	if (p == NULL)
		(void)store_fail(st, VT_E_NOMEM, "out of memory");
	return p;
}

static void
pend_add(struct store *st, struct pend *p)
{
	*st->tail = p;
	st->tail = &p->next;
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

	for (p = st->pend; p != NULL; p = p->next)
		if (same_target(&p->op, op))
			return p;
	return NULL;
}

static void
pend_drop(struct store *st, const struct store_op *op)
{
	struct pend *q, **at = &st->pend;

	while ((q = *at) != NULL && !same_target(&q->op, op))
		at = &q->next;
	if (q == NULL)
		return;
	*at = q->next;
	if (st->tail == &q->next)
		st->tail = at;
	free(q);
}

int
store_pend_put(struct store *st, const struct store_op *op)
{
	size_t klen = op->key != NULL ? strlen(op->key) + 1 : 0;
	struct pend *p = pend_new(st, op->len + klen);

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
	pend_drop(st, op);
	pend_add(st, p);
	return VT_OK;
}

static void
pend_clear(struct store *st)
{
	struct pend *p;

	while ((p = st->pend) != NULL) {
		st->pend = p->next;
		free(p);
	}
	st->tail = &st->pend;
}

/* Remember what stands in slot before the first change to it. */
int
store_touch(struct store *st, uint32_t slot)
{
	struct entry *e = registry_slot(&st->reg, slot);
	struct touch *t;

	for (t = st->touched; t != NULL; t = t->next)
		if (t->slot == slot)
			return VT_OK;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return store_fail(st, VT_E_NOMEM, "out of memory");
	t->slot = slot;
	t->was = e;
	if (e != NULL)
		t->was_row = *e;
	t->next = st->touched;
	st->touched = t;
	return VT_OK;
}

bool
store_was_there(const struct store *st, const struct entry *e)
{
	const struct touch *t;

	for (t = st->touched; t != NULL; t = t->next)
		if (t->was == e)
			return true;
	return false;
}

static void
touched_done(struct store *st)
{
	struct touch *t;

	while ((t = st->touched) != NULL) {
		st->touched = t->next;
		if (t->was != NULL &&
		    registry_slot(&st->reg, t->slot) != t->was)
			free(t->was);
		free(t);
	}
}

void
store_rollback(struct store *st)
{
	struct touch *t;
	struct entry *e;

	/* All out before any goes in: names may have moved between slots. */
	for (t = st->touched; t != NULL; t = t->next) {
		if ((e = registry_slot(&st->reg, t->slot)) == NULL)
			continue;
		registry_remove(&st->reg, e);
		if (e != t->was)
			free(e);
	}
	for (t = st->touched; t != NULL; t = t->next) {
		if (t->was == NULL)
			continue;
		*t->was = t->was_row;
		(void)!registry_add(&st->reg, t->was); /* its room is kept */
	}
	touched_done(st);
	pend_clear(st);
	st->chain = st->root.audit;
	st->gen = st->root.gen;
	st->free_hint = 0;
}

/* --- commit ----------------------------------------------------------- */

static int
set_leaves(struct store *st)
{
	uint8_t leaf[HT_LEN], label[HT_LABEL_LEN];
	const struct entry *e;
	struct touch *t;
	int rc;

	for (t = st->touched; t != NULL; t = t->next) {
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

	for (t = st->touched; t != NULL; t = t->next)
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

	for (t = st->touched; t != NULL; t = t->next) {
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
	for (p = st->pend; p != NULL; p = p->next)
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
	rc = store_fail_be(st, rc);
	st->ops->rollback(st->be);
	return rc;
}

/* A full disk: running guests get the reserve. */
static int
apply_somehow(struct store *st, const struct store_op *root)
{
	int rc = apply(st, root);

	if (rc == VT_E_SPACE && store_folder_give(st->dir))
		rc = apply(st, root);
	return rc;
}

static int
take_hash(const struct audit_rec *r, void *arg)
{
	*(struct audit_rec *)arg = *r;
	return 1;
}

/* Give up the oldest records once there are too many. */
static int
cut_audit(struct store *st)
{
	struct audit_rec r = { 0 };
	struct pend *p;
	uint64_t to;

	if (st->chain.seq - st->chain.cut < STORE_AUDIT_MAX + AUDIT_CUT_STEP)
		return VT_OK;
	to = st->chain.seq - STORE_AUDIT_MAX;
	if (st->ops->audit(st->be, to, take_hash, &r) != 1 || r.seq != to)
		return VT_OK; /* damaged: leave the evidence alone */
	if ((p = pend_new(st, 0)) == NULL)
		return VT_E_NOMEM;
	p->op.what = SW_AUDIT_CUT;
	p->op.seq = to;
	pend_add(st, p);
	st->chain.cut = to;
	memcpy(st->chain.base, r.hash, sizeof(r.hash));
	return VT_OK;
}

static int
commit_open(struct store *st)
{
	struct root_rec next = st->root;
	struct meta meta = { 0 };
	uint8_t rec[ROOT_MAX];
	struct store_op op = { .what = SW_ROOT, .p = rec };
	int rc;

	if ((rc = cut_audit(st)) != VT_OK || (rc = set_leaves(st)) != VT_OK ||
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

int
store_commit(struct store *st)
{
	int rc = VT_OK;

	if (st->mode == STORE_OPEN) {
		if (st->pend != NULL || st->touched != NULL ||
		    st->root.seq == 0 || st->anchor != st->root.anchor)
			rc = commit_open(st);
	} else if (st->mode != STORE_LOCKED) {
		if (st->pend != NULL)
			rc = store_need_open(st);
	} else if (st->pend != NULL) {
		rc = apply_somehow(st, NULL);
	}
	if (rc != VT_OK) {
		store_rollback(st);
		return rc;
	}
	touched_done(st);
	pend_clear(st);
	return VT_OK;
}

/* --- values ----------------------------------------------------------- */

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
store_kv_get(struct store *st, const char *key, uint8_t **ret, size_t *ret_len)
{
	struct store_op op = { .what = SW_KV, .key = key };
	const struct pend *p = store_pend_find(st, &op);
	int rc;

	if (p != NULL)
		rc = store_pend_copy(p, ret, ret_len);
	else
		rc = st->ops->kv_get(st->be, key, ret, ret_len);
	if (rc == VT_E_NOTFOUND)
		return store_fail(st, rc, "no value '%.60s'", key);
	return rc == VT_OK ? VT_OK : store_fail_be(st, rc);
}

int
store_kv_put(struct store *st, const char *key, const void *p, size_t len)
{
	struct store_op op = { .what = SW_KV, .key = key, .p = p, .len = len };
	int rc;

	if (st->mode != STORE_LOCKED && (rc = store_need_open(st)) != VT_OK)
		return rc;
	if (strncmp(key, META_PREFIX, strlen(META_PREFIX)) == 0)
		return store_fail(st, VT_E_RANGE,
		    "'%.60s' is the name of a value inside the tree", key);
	if (len > STATE_MAX_LEN)
		return store_fail(st, VT_E_RANGE,
		    "the value '%.60s' is longer than %d bytes", key,
		    STATE_MAX_LEN);
	return store_pend_put(st, &op);
}

static int
stop_at_first(const struct store_row *r, void *arg)
{
	(void)r;
	(void)arg;
	return 1;
}

bool
store_is_new(struct store *st)
{
	uint8_t *p = NULL;
	size_t len;

	if (st->ops->root_get(st->be, &p, &len) == VT_E_NOTFOUND &&
	    st->ops->kv_get(st->be, STORE_KV_HOST, &p, &len) == VT_E_NOTFOUND)
		return st->ops->rows(st->be, stop_at_first, NULL) == VT_OK;
	free(p);
	return false;
}

/* --- audit ------------------------------------------------------------ */

int
store_audit(struct store *st, const char *who, const char *action,
    const char *object, const char *result, const char *detail)
{
	struct pend *p;
	int rc;

	if ((rc = store_need_open(st)) != VT_OK)
		return rc;
	if ((p = pend_new(st, 0)) == NULL)
		return VT_E_NOMEM;
	rc = audit_chain_append(&st->chain, wall_ms(), who, action, object,
	    result, detail, &p->rec);
	if (rc != VT_OK) {
		free(p);
		return store_fail(st, rc, "audit record: %s", vt_strerror(rc));
	}
	p->op.what = SW_AUDIT;
	p->op.rec = &p->rec;
	pend_add(st, p);
	return VT_OK;
}

struct audit_walk {
	struct store *st;
	struct audit_chain at;
	bool started;
	uint64_t from;
	int (*cb)(const struct audit_rec *r, void *arg);
	void *arg;
	int user;  /* what cb returned */
	bool said; /* why says it */
};

static int
audit_step(const struct audit_rec *r, void *arg)
{
	struct audit_walk *w = arg;
	int rc;

	/* The record before the first one wanted gives the hash before it. */
	if (!w->started && r->seq + 1 == w->from) {
		w->started = true;
		w->at.seq = r->seq;
		memcpy(w->at.head, r->hash, sizeof(r->hash));
		return 0;
	}
	w->started = true;
	if ((rc = audit_chain_follow(&w->at, r, w->st->why)) != VT_OK) {
		w->said = true;
		return rc;
	}
	w->user = w->cb(r, w->arg);
	return w->user != 0 ? 1 : 0;
}

int
store_audit_each(struct store *st, uint64_t from_seq,
    int (*cb)(const struct audit_rec *r, void *arg), void *arg)
{
	const struct audit_chain *c = &st->root.audit;
	struct audit_walk w = { .st = st, .cb = cb, .arg = arg };
	int rc;

	if ((rc = store_need_read(st)) != VT_OK)
		return rc;
	if (from_seq > c->seq)
		return VT_OK;
	w.from = from_seq > c->cut + 1 ? from_seq : c->cut + 1;
	w.at.seq = w.from - 1;
	w.started = w.from == c->cut + 1;
	memcpy(w.at.head, c->base, sizeof(c->base));
	rc = st->ops->audit(
	    st->be, w.started ? w.from : w.from - 1, audit_step, &w);
	if (rc == 1)
		return w.user;
	if (rc == VT_OK)
		return audit_chain_ends(&w.at, c, st->why);
	return w.said ? rc : store_fail_be(st, rc);
}

/* --- anchor ----------------------------------------------------------- */

uint64_t
store_anchor(const struct store *st)
{
	return st->root.anchor;
}

void
store_anchor_set(struct store *st, uint64_t anchor)
{
	st->anchor = anchor;
}

uint64_t
store_commits(const struct store *st)
{
	return st->root.seq;
}

/* --- space ------------------------------------------------------------ */

void
store_space(struct store *st, struct store_space *ret)
{
	bool there = store_folder_reserve(st->dir);

	ret->free_bytes = store_folder_free(st->dir);
	ret->reserve_used = !there;
	ret->ok = there && ret->free_bytes >= store_folder_reserve_len(st->dir);
	ret->low =
	    !there && ret->free_bytes < store_folder_reserve_len(st->dir) / 4;
}
