/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_recover.c - an operator accepts a store, or one record, although it is
 * an old one.
 */
#include "vtpm_manager/store/store_recover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_commit.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/store/store_int.h"

void
store_freeze(struct store *st, const char *why)
{
	size_t i;

	store_rollback(st);
	st->mode = STORE_FROZEN;
	(void)snprintf(st->frozen, sizeof(st->frozen), "%s", why);
	for (i = 0; i < st->reg.n; i++) {
		struct entry *e = st->reg.by_name[i];

		if (e->row.in.tampered)
			continue;
		e->frozen = true;
		store_guest_mark(e, "%s", why);
	}
}

bool
store_frozen(const struct store *st)
{
	return st->mode == STORE_FROZEN;
}

/* The guest is good but for its age.  The caller has touched its slot. */
static int
renew(struct store *st, struct entry *e, uint64_t generation)
{
	struct guest *in = &e->row.in;
	int rc;

	in->tampered = false;
	in->why[0] = '\0';
	in->generation = generation;
	in->flags |= GUEST_F_RECOVERED;
	in->status = GUEST_STOPPED;
	/* Its PCRs and launch record belong to an earlier run. */
	if ((rc = store_blob_drop(st, e, SX_VOLATILE)) != VT_OK)
		return rc;
	return store_blob_drop(st, e, SX_LAUNCH);
}

static int
next_generation(struct store *st, uint64_t lost, uint64_t *ret)
{
	if (lost >= INT64_MAX / 2 || st->gen >= INT64_MAX / 2)
		return store_fail(st, VT_E_RANGE, "no generation is left");
	*ret = st->gen + lost + 1;
	return VT_OK;
}

int
store_recover_all(struct store *st, uint64_t lost, uint32_t *ret_n)
{
	uint64_t gen = 0;
	uint32_t n = 0;
	size_t i;
	int rc;

	if (st->mode != STORE_FROZEN)
		return store_fail(st, VT_E_STATE,
		    "the store is not refused, so there is nothing to recover");
	if ((rc = next_generation(st, lost, &gen)) != VT_OK)
		return rc;
	st->mode = STORE_OPEN;
	for (i = 0; i < st->reg.n; i++) { /* unmark before the first touch */
		struct entry *e = st->reg.by_name[i];

		if (e->frozen) {
			e->row.in.tampered = false;
			e->row.in.why[0] = '\0';
		}
	}
	for (i = 0; i < st->reg.n; i++) {
		struct entry *e = st->reg.by_name[i];

		if (!e->frozen)
			continue;
		e->frozen = false;
		if ((rc = store_touch(st, e->row.in.slot)) != VT_OK ||
		    (rc = renew(st, e, gen)) != VT_OK)
			return rc;
		n++;
	}
	st->gen = gen;
	*ret_n = n;
	return VT_OK;
}

/* --- one record --------------------------------------------------------- */

struct found {
	uint32_t slot;
	struct store_row row;
	bool there;
};

static int
find_row(const struct store_row *r, void *arg)
{
	struct found *f = arg;

	if (r->in.slot != f->slot)
		return 0;
	f->row = *r;
	f->there = true;
	return 1;
}

/* Does the tree say that a guest has this slot? */
static bool
is_taken(const struct store *st, uint32_t slot)
{
	uint8_t leaf[HT_LEN];

	if (slot >= ht_slots(st->tree))
		return false;
	ht_get(st->tree, slot, leaf, NULL);
	return !store_leaf_is(leaf, 0) && !store_leaf_is(leaf, LEAF_TOMB);
}

static int
read_record(struct store *st, const struct entry *e, struct found *f)
{
	const struct guest *in = &e->row.in;
	int rc;

	f->there = false;
	f->slot = in->slot;
	if (!is_taken(st, in->slot))
		return store_fail(st, VT_E_CORRUPT,
		    "'%s' was destroyed: a destroyed vTPM is not recovered",
		    in->name);
	rc = st->ops->rows(st->be, find_row, f);
	if (rc != VT_OK && rc != 1)
		return store_fail_backend(st, rc);
	if (!f->there || f->row.odd ||
	    memcmp(f->row.in.uuid, in->uuid, UUID_LEN) != 0 ||
	    strcmp(f->row.in.name, in->name) != 0)
		return store_fail(st, VT_E_CORRUPT,
		    "'%s' cannot be recovered: its record is missing, damaged "
		    "or that of another vTPM",
		    in->name);
	return VT_OK;
}

static int
check_record(struct store *st, struct entry *e,
    bool (*fits)(const struct guest *in, const uint8_t *state, size_t len))
{
	uint8_t *p = NULL;
	size_t len = 0;
	int rc;

	if ((rc = store_blob_check(st, e)) != VT_OK)
		return rc;
	if (e->row.in.tampered)
		return VT_E_CORRUPT; /* store_why() says what */
	if ((rc = store_blob_get(st, e, SX_STATE, &p, &len)) != VT_OK)
		return rc == VT_E_NOTFOUND ? VT_E_CORRUPT : rc;
	if (!fits(&e->row.in, p, len))
		rc = store_fail(st, VT_E_CORRUPT,
		    "'%s' cannot be recovered: its sealed state does not "
		    "belong to its record",
		    e->row.in.name);
	free(p);
	return rc;
}

int
store_recover_one(struct store *st, const uint8_t uuid[UUID_LEN],
    bool (*fits)(const struct guest *in, const uint8_t *state, size_t len))
{
	struct entry *e = registry_uuid(&st->reg, uuid);
	struct entry was;
	struct found f;
	uint64_t gen = 0;
	int rc;

	if ((rc = store_need_open(st)) != VT_OK)
		return rc;
	if (e == NULL)
		return store_fail(st, VT_E_NOTFOUND, "no such vTPM");
	if (!e->row.in.tampered)
		return store_fail(st, VT_E_STATE,
		    "'%s' is not refused, so there is nothing to recover",
		    e->row.in.name);
	if ((rc = read_record(st, e, &f)) != VT_OK ||
	    (rc = store_touch(st, e->row.in.slot)) != VT_OK)
		return rc;
	/* Whatever the row claims, never repeat a generation. */
	if (f.row.in.generation > st->gen)
		st->gen = f.row.in.generation;
	if ((rc = next_generation(st, 0, &gen)) != VT_OK)
		return rc;
	was = *e;
	e->row = f.row;
	e->row.in.tampered = false;
	e->row.in.why[0] = '\0';
	if ((rc = check_record(st, e, fits)) != VT_OK) {
		*e = was;
		return rc;
	}
	st->gen = gen;
	return renew(st, e, gen);
}
