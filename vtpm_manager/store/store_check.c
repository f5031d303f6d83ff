/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_check.c - store_unlock(): is what is kept what was put there?
 *
 * The root record is believed because of its HMAC, the tree's pages because
 * of the root, labels and leaves because of their pages, a row because of
 * its leaf, a blob because of its digest in the row.  The tree says who
 * exists: an instance whose row is gone is listed, a row that no leaf knows
 * is not believed.  Whoever can put back everything at once, root and all,
 * is not seen here: that takes the counter in the physical TPM (anchor).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check_on.h"
#include "vtpm_manager/store/store_int.h"

#define WHAT_NOW                                                        \
	"; put the store back from a backup, or destroy this vTPM and " \
	"create it anew"

struct check {
	struct store *st;
	struct store_row **rows; /* by slot; ours */
	uint32_t nrows;
};

/* --- what is kept ----------------------------------------------------- */

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

	if (slot >= HT_MAX_SLOTS)
		return VT_OK; /* no slot of ours */
	if (slot >= c->nrows) {
		n = (slot | 255) + 1;
		if ((v = realloc(c->rows, n * sizeof(*v))) == NULL)
			return VT_E_NOMEM;
		memset(v + c->nrows, 0, (n - c->nrows) * sizeof(*v));
		c->rows = v;
		c->nrows = n;
	}
	if (c->rows[slot] != NULL)
		return VT_E_CORRUPT; /* a primary key twice */
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
	return store_fail_be(c->st, rc);
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

/* Rows that the tree does not vouch for.  One that takes the name or UUID of
 * an instance that is good is not listed: it must not hide that one. */
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
	store_mark(e, "%s", why);
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
store_list_locked(struct store *st)
{
	struct check c = { .st = st };
	int rc;

	if ((rc = load_rows(&c)) != VT_OK)
		return rc;
	rc = add_all_untrusted(
	    &c, "the store is locked: its master key is not there");
	free_rows(&c);
	return rc;
}

/* --- the tree --------------------------------------------------------- */

static int
take_page(
    uint64_t level, uint64_t index, const uint8_t *p, size_t len, void *arg)
{
	/* What does not fit stays missing, and ht_check() says so. */
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
		return store_fail_be(st, rc);
	return ht_check(st->tree, st->root.tree, &bad);
}

static bool
filled_with(const uint8_t leaf[HT_LEN], uint8_t byte)
{
	uint8_t want[HT_LEN];

	memset(want, byte, sizeof(want));
	return memcmp(leaf, want, sizeof(want)) == 0;
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
	if (filled_with(leaf, 0) || filled_with(leaf, LEAF_TOMB))
		return VT_OK; /* a row here comes later */
	if (!store_label_read(label, &named.in))
		return VT_OK; /* spoilt earlier, and nobody knows whose */
	named.in.slot = slot;
	if (r != NULL && !r->odd) {
		if ((rc = store_leaf_digest(r, got)) != VT_OK)
			return rc;
		if (mem_equal(got, leaf, HT_LEN) || !check_on("store-leaf")) {
			if ((e = add(c->st, r, &rc)) == NULL)
				return rc;
			return store_blobs_check(c->st, e);
		}
	}
	if ((e = add(c->st, &named, &rc)) == NULL)
		return rc;
	if (filled_with(leaf, HT_POISON))
		store_mark(e,
		    "the store's hash tree was damaged here before" WHAT_NOW);
	else if (r == NULL)
		store_mark(e, "its record is missing from the store" WHAT_NOW);
	else
		store_mark(e,
		    "its record in the store was changed, swapped or put "
		    "back from an older copy" WHAT_NOW);
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
		    "changed or put back from an older copy" WHAT_NOW);
		if (rc != VT_OK)
			return rc;
		if (registry_slot(&c->st->reg, s) != NULL) {
			store_label_make(
			    &registry_slot(&c->st->reg, s)->row.in, label);
			ht_relabel(t, s, label);
		}
	}
	return add_all_untrusted(c,
	    "the store's hash tree does not know it: it was destroyed, and "
	    "its record put back from an older copy; destroy it again");
}

/* --- root and audit log ----------------------------------------------- */

static int
broken(struct check *c, char *text, const char *what)
{
	struct store *st = c->st;
	int rc;

	st->mode = STORE_BROKEN;
	(void)snprintf(text, TEXT_MAX_LEN + 1,
	    "%s, so no vTPM can be trusted: none is started; put the whole "
	    "state folder back from a backup",
	    what);
	(void)store_fail(st, VT_E_CORRUPT, "%s", text);
	registry_clear(&st->reg);
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

/* A warning only: were it to stop guests, cutting the log would be a way to
 * stop them. */
static void
check_audit(struct store *st, char *text)
{
	text[0] = '\0';
	if (store_audit_each(st, 0, ignore_record, NULL) != VT_OK)
		(void)snprintf(text, TEXT_MAX_LEN + 1, "%s", store_why(st));
	st->why[0] = '\0';
}

/* No root.  Good only where nothing was ever kept. */
static int
first_root(struct check *c, char *text)
{
	struct store *st = c->st;
	uint8_t *p = NULL;
	size_t len;
	int rc;

	/* The backend's answer: a host blob that waits does not count. */
	rc = st->ops->kv_get(st->be, STORE_KV_HOST, &p, &len);
	free(p);
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
check_all(struct check *c, char *text)
{
	struct store *st = c->st;
	uint8_t *p = NULL;
	size_t len = 0;
	int rc;

	rc = st->ops->root_get(st->be, &p, &len);
	if (rc == VT_E_NOTFOUND)
		return first_root(c, text);
	if (rc != VT_OK && rc != VT_E_CORRUPT)
		return store_fail_be(st, rc);
	if (rc == VT_OK)
		rc = store_root_read(st->key, p, len, &st->root);
	free(p);
	if (rc == VT_E_AUTH)
		return broken(c, text,
		    "the store's root does not fit its master key: it was "
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
	check_audit(st, text);
	if (st->meta.bad && text[0] == '\0')
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "the store's list of values (groups, policies) was "
		    "changed or put back from an older copy: none of them "
		    "is believed");
	return VT_OK;
}

int
store_unlock(struct store *st, const uint8_t master[32], char *text)
{
	static const char info[] = "store root";
	struct check c = { .st = st };
	int rc;

	text[0] = st->why[0] = '\0';
	if (st->mode != STORE_LOCKED) {
		rc = store_fail(st, VT_E_STATE, "the store is open already");
		goto out;
	}
	rc = hkdf_sha256(
	    master, 32, info, sizeof(info) - 1, st->key, sizeof(st->key));
	if (rc != VT_OK || (rc = load_rows(&c)) != VT_OK)
		goto out;
	registry_clear(&st->reg);
	rc = check_all(&c, text);
out:
	free_rows(&c);
	if (rc != VT_OK && st->mode == STORE_LOCKED) {
		/* Not even the root was reached: locked, as before. */
		ht_free(st->tree);
		st->tree = NULL;
		registry_clear(&st->reg);
		(void)!store_list_locked(st);
	}
	if (rc != VT_OK && text[0] == '\0')
		(void)snprintf(text, TEXT_MAX_LEN + 1, "%s",
		    st->why[0] != '\0' ? st->why : vt_strerror(rc));
	return rc;
}
