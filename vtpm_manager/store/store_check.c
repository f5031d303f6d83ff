/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_check.c - store_unlock(): verify that the store holds what was put
 * there.
 *
 * The HMAC proves the root record, the root the tree's pages, a page its
 * leaves and labels, a leaf its row, the row the digests of its blobs.  The
 * tree decides who exists: a guest whose row is missing is listed, a row
 * without a leaf is refused.  Restoring everything at once, root included, is
 * not visible here; the counter in the physical TPM (anchor) reveals that.
 */
#include "vtpm_manager/store/store_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check_on.h"
#include "vtpm_manager/store/store_audit.h"
#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_commit.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/store/store_int.h"

#define WHAT_NOW                                                       \
	"; restore the store from a backup, or destroy this vTPM and " \
	"create a new one"

struct check {
	struct store *st;
	struct store_row **rows; /* by slot; owned */
	uint32_t nrows;
};

/* --- rows ----------------------------------------------------- */

static void
free_rows(struct check *c)
{
	uint32_t i;

	for (i = 0; i < c->nrows; i++)
		free(c->rows[i]);
	free(c->rows);
	c->rows = NULL;
	c->nrows = 0;
}

static int
take_row(const struct store_row *r, void *arg)
{
	struct check *c = arg;
	uint32_t slot = r->in.slot, n;
	struct store_row **v;

	if (slot >= c->nrows) {
		n = (slot | 255) + 1;
		if ((v = realloc(c->rows, n * sizeof(*v))) == NULL)
			return VT_E_NOMEM;
		memset(v + c->nrows, 0, (n - c->nrows) * sizeof(*v));
		c->rows = v;
		c->nrows = n;
	}
	if (c->rows[slot] != NULL)
		return VT_OK; /* a damaged index; the leaf decides */
	if ((c->rows[slot] = malloc(sizeof(*r))) == NULL)
		return VT_E_NOMEM;
	*c->rows[slot] = *r;
	return VT_OK;
}

static const struct store_row *
row_at(const struct check *c, uint32_t slot)
{
	return slot < c->nrows ? c->rows[slot] : NULL;
}

static int
load_rows(struct check *c)
{
	int rc = c->st->ops->rows(c->st->be, take_row, c);

	if (rc == VT_OK)
		return VT_OK;
	free_rows(c);
	return store_fail_backend(c->st, rc);
}

/* NULL: *rc says why. */
static struct entry *
add(struct store *st, const struct store_row *row, int *rc)
{
	struct entry *e = calloc(1, sizeof(*e));

	*rc = VT_E_NOMEM;
	if (e == NULL)
		return NULL;
	e->row = *row;
	if ((*rc = registry_add(&st->reg, e)) != VT_OK) {
		free(e);
		return NULL;
	}
	return e;
}

/* List a row that the tree does not confirm, unless it has the name or UUID of
 * a listed guest: it must not hide that one. */
static int
add_untrusted(struct check *c, uint32_t slot, const char *why)
{
	const struct store_row *r = row_at(c, slot);
	struct entry *e;
	int rc;

	if (r == NULL || r->in.name[0] == '\0' ||
	    registry_slot(&c->st->reg, slot) != NULL)
		return VT_OK;
	if ((e = add(c->st, r, &rc)) == NULL)
		return rc == VT_E_EXISTS ? VT_OK : rc;
	store_guest_mark(e, "%s", why);
	return VT_OK;
}

static int
add_all_untrusted(struct check *c, const char *why)
{
	uint32_t s;
	int rc = VT_OK;

	for (s = 0; s < c->nrows && rc == VT_OK; s++)
		rc = add_untrusted(c, s, why);
	return rc;
}

int
store_check_list(struct store *st)
{
	struct check c = { .st = st };
	int rc;

	if ((rc = load_rows(&c)) != VT_OK)
		return rc;
	rc = add_all_untrusted(
	    &c, "the store is locked: the master key is missing");
	free_rows(&c);
	return rc;
}

/* --- the tree --------------------------------------------------------- */

static int
take_page(
    uint64_t level, uint64_t index, const uint8_t *p, size_t len, void *arg)
{
	/* A page that does not belong stays missing; ht_check() sees it. */
	if (level <= UINT8_MAX && index <= UINT32_MAX)
		(void)!ht_load(arg, (uint8_t)level, (uint32_t)index, p, len);
	return VT_OK;
}

static int
load_tree(struct store *st)
{
	uint32_t bad;
	int rc;

	if ((rc = ht_new(st->root.nslots, &st->tree)) != VT_OK)
		return rc;
	if ((rc = st->ops->pages(st->be, take_page, st->tree)) != VT_OK)
		return store_fail_backend(st, rc);
	return ht_check(st->tree, st->root.tree, &bad);
}

/* A slot under a good page. */
static int
check_slot(struct check *c, uint32_t slot)
{
	const struct store_row *r = row_at(c, slot);
	uint8_t leaf[HT_LEN], label[HT_LABEL_LEN], got[HT_LEN];
	struct store_row named = { 0 };
	struct entry *e;
	int rc;

	ht_get(c->st->tree, slot, leaf, label);
	/* Never used, deleted, or poisoned while its guest was unknown: a row
	 * here is added later, untrusted. */
	if (!store_label_read(label, &named.in))
		return VT_OK;
	named.in.slot = slot;
	if (r != NULL && !r->odd) {
		if ((rc = store_leaf_digest(r, got)) != VT_OK)
			return rc;
		if (mem_equal(got, leaf, HT_LEN) || !check_on("store-leaf")) {
			if ((e = add(c->st, r, &rc)) == NULL)
				return rc;
			return store_blob_check(c->st, e);
		}
	}
	if ((e = add(c->st, &named, &rc)) == NULL)
		return rc;
	if (store_leaf_is(leaf, HT_POISON))
		store_guest_mark(e,
		    "the store's hash tree was damaged here before" WHAT_NOW);
	else if (r == NULL)
		store_guest_mark(
		    e, "its record is missing from the store" WHAT_NOW);
	else
		store_guest_mark(e,
		    "its record in the store was changed, swapped or "
		    "restored from an older copy" WHAT_NOW);
	return VT_OK;
}

static int
check_slots(struct check *c)
{
	struct ht *t = c->st->tree;
	uint8_t label[HT_LABEL_LEN];
	uint32_t s;
	int rc;

	for (s = 0; s < ht_slots(t); s++)
		if (ht_slot_ok(t, s) && (rc = check_slot(c, s)) != VT_OK)
			return rc;
	for (s = 0; s < ht_slots(t); s++) {
		if (ht_slot_ok(t, s))
			continue;
		rc = add_untrusted(c, s,
		    "the part of the store's hash tree that covers it was "
		    "changed or restored from an older copy" WHAT_NOW);
		if (rc != VT_OK)
			return rc;
		if (registry_slot(&c->st->reg, s) != NULL) {
			store_label_make(
			    &registry_slot(&c->st->reg, s)->row.in, label);
			ht_relabel(t, s, label);
		}
	}
	return add_all_untrusted(c,
	    "the store's hash tree does not list it: it was destroyed, and "
	    "its record restored from an older copy; destroy it again");
}

/* --- root and audit log ----------------------------------------------- */

static int
broken(struct check *c, char *text, const char *what)
{
	struct store *st = c->st;
	int rc;

	st->mode = STORE_BROKEN;
	(void)snprintf(text, TEXT_MAX_LEN + 1,
	    "%s, so no vTPM can be trusted and none starts; restore the "
	    "whole state folder from a backup",
	    what);
	(void)store_fail(st, VT_E_CORRUPT, "%s", text);
	if ((rc = add_all_untrusted(c, text)) != VT_OK)
		return rc;
	return VT_E_CORRUPT;
}

static int
ignore_record(const struct audit_rec *r, void *arg)
{
	(void)r;
	(void)arg;
	return 0;
}

/* What does not match is only a warning: if it stopped guests, cutting the log
 * would be a way to stop them. */
static int
check_audit(struct store *st, char *text)
{
	int rc = store_audit_each(st, 0, ignore_record, NULL);

	text[0] = '\0';
	if (rc == VT_E_SYS || rc == VT_E_NOMEM)
		return rc;
	if (rc != VT_OK)
		(void)snprintf(text, TEXT_MAX_LEN + 1, "%s", st->why);
	st->why[0] = '\0';
	return VT_OK;
}

/* A missing root is valid only in a store that never held anything. */
static int
first_root(struct check *c, char *text)
{
	struct store *st = c->st;
	uint8_t *p = NULL;
	size_t len;
	int rc;

	/* Ask the backend: a host blob that waits does not count. */
	rc = st->ops->kv_get(st->be, STORE_KV_HOST, &p, &len);
	free(p);
	if (rc != VT_OK && rc != VT_E_NOTFOUND && rc != VT_E_CORRUPT)
		return store_fail_backend(st, rc);
	if (rc != VT_E_NOTFOUND || c->nrows > 0)
		return broken(c, text, "the store's root is missing");
	memset(&st->root, 0, sizeof(st->root));
	memset(&st->chain, 0, sizeof(st->chain));
	st->gen = 0;
	if ((rc = ht_new(0, &st->tree)) != VT_OK)
		return rc;
	st->mode = STORE_OPEN;
	if ((rc = store_commit(st)) != VT_OK)
		st->mode = STORE_LOCKED;
	return rc;
}

static int
check_root(struct check *c, char *text)
{
	struct store *st = c->st;
	uint8_t *p = NULL;
	size_t len = 0;
	int rc;

	rc = st->ops->root_get(st->be, &p, &len);
	if (rc == VT_E_NOTFOUND)
		return first_root(c, text);
	if (rc != VT_OK && rc != VT_E_CORRUPT)
		return store_fail_backend(st, rc);
	if (rc == VT_OK)
		rc = store_root_read(st->key, p, len, &st->root);
	free(p);
	if (rc == VT_E_AUTH)
		return broken(c, text,
		    "the store's root does not match the master key: it was "
		    "changed, or belongs to another store");
	if (rc == VT_E_FORMAT || rc == VT_E_TRUNC || rc == VT_E_CORRUPT)
		return broken(c, text, "the store's root is damaged");
	if (rc != VT_OK)
		return rc;
	st->chain = st->root.audit;
	st->gen = st->root.gen;
	st->anchor = st->root.anchor;
	if ((rc = load_tree(st)) != VT_OK || (rc = check_slots(c)) != VT_OK ||
	    (rc = store_meta_load(st)) != VT_OK)
		return rc;
	st->mode = STORE_OPEN;
	if ((rc = check_audit(st, text)) != VT_OK) {
		st->mode = STORE_LOCKED;
		return rc;
	}
	if (st->meta.bad && text[0] == '\0')
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "the store's list of values (groups, policies) was "
		    "changed or restored from an older copy, so all of them "
		    "are refused");
	return VT_OK;
}

static void
forget(struct store *st)
{
	registry_clear(&st->reg);
	ht_free(st->tree);
	st->tree = NULL;
	store_meta_done(&st->meta);
}

static int
check_all(struct store *st, char *text)
{
	struct check c = { .st = st };
	int rc = load_rows(&c);

	if (rc == VT_OK) {
		registry_clear(&st->reg);
		rc = check_root(&c, text);
	}
	free_rows(&c);
	return rc;
}

/* The failed commit did take place: what is in memory follows the disk. */
static int
reload(struct store *st, char *text)
{
	struct store now = {
		.ops = st->ops, .be = st->be, .folder = st->folder
	};
	int rc;

	TAILQ_INIT(&now.pend);
	SLIST_INIT(&now.touched);
	memcpy(now.key, st->key, sizeof(now.key));
	if ((rc = check_all(&now, text)) != VT_OK) {
		if (text[0] == '\0')
			(void)snprintf(text, TEXT_MAX_LEN + 1, "%s",
			    now.why[0] != '\0' ? now.why : vt_strerror(rc));
		forget(&now);
	} else {
		forget(st);
		st->reg = now.reg;
		st->tree = now.tree;
		st->meta = now.meta;
		st->root = now.root;
		st->chain = now.chain;
		st->gen = now.gen;
		st->free_hint = 0;
	}
	explicit_bzero(now.key, sizeof(now.key));
	return rc;
}

int
store_unlock(struct store *st, const uint8_t master[32], char *text)
{
	static const char info[] = "store root";
	int rc;

	text[0] = st->why[0] = '\0';
	if (st->mode != STORE_LOCKED) {
		rc = store_fail(st, VT_E_STATE, "the store is already open");
		goto out;
	}
	rc = hkdf_sha256(
	    master, 32, info, sizeof(info) - 1, st->key, sizeof(st->key));
	st->reload = reload;
	if (rc == VT_OK)
		rc = check_all(st, text);
out:
	if (rc != VT_OK && st->mode == STORE_LOCKED) {
		/* The root was not reached: it stays locked. */
		forget(st);
		(void)!store_check_list(st);
	}
	if (rc != VT_OK && text[0] == '\0')
		(void)snprintf(text, TEXT_MAX_LEN + 1, "%s",
		    st->why[0] != '\0' ? st->why : vt_strerror(rc));
	return rc;
}
