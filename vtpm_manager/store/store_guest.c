/* SPDX-License-Identifier: BSD-3-Clause */
/* store_guest.c - the guests in the store: find, add, delete, change status. */
#include "vtpm_manager/store/store_guest.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/store/store_int.h"

void
store_guest_mark(struct entry *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e->row.in.why, sizeof(e->row.in.why), fmt, ap);
	va_end(ap);
	e->row.in.tampered = true;
}

/* --- find ------------------------------------------------------------- */

static int
find_uuid(struct store *st, const uint8_t uuid[UUID_LEN], struct entry **ret)
{
	char text[UUID_STRLEN + 1];

	if ((*ret = registry_uuid(&st->reg, uuid)) != NULL)
		return VT_OK;
	uuid_format(uuid, text);
	return store_fail(st, VT_E_NOTFOUND, "no vTPM has UUID %s", text);
}

int
store_guest_good(
    struct store *st, const uint8_t uuid[UUID_LEN], struct entry **ret)
{
	int rc;

	if ((rc = store_need_open(st)) != VT_OK ||
	    (rc = find_uuid(st, uuid, ret)) != VT_OK)
		return rc;
	if ((*ret)->row.in.tampered)
		return store_fail(st, VT_E_CORRUPT, "%s", (*ret)->row.in.why);
	return VT_OK;
}

int
store_guest_get(
    struct store *st, const uint8_t uuid[UUID_LEN], struct guest *ret)
{
	struct entry *e;
	int rc;

	if ((rc = find_uuid(st, uuid, &e)) == VT_OK)
		*ret = e->row.in;
	return rc;
}

int
store_guest_find(struct store *st, const char *name_or_uuid, struct guest *ret)
{
	const struct entry *e = NULL;
	uint8_t uuid[UUID_LEN];

	/* A name that reads as the UUID of another vTPM does not hide it. */
	if (uuid_parse(name_or_uuid, uuid) == VT_OK)
		e = registry_uuid(&st->reg, uuid);
	if (e == NULL)
		e = registry_name(&st->reg, name_or_uuid);
	if (e == NULL)
		return store_fail(st, VT_E_NOTFOUND,
		    "no vTPM has the name '%.80s'", name_or_uuid);
	*ret = e->row.in;
	return VT_OK;
}

int
store_guest_each(
    struct store *st, int (*cb)(const struct guest *in, void *arg), void *arg)
{
	size_t i;
	int rc;

	for (i = 0; i < st->reg.n; i++)
		if ((rc = cb(&st->reg.by_name[i]->row.in, arg)) != 0)
			return rc;
	return VT_OK;
}

/* --- add, delete, change ---------------------------------------------- */

/* The lowest free slot that no damaged page covers: the guest that had a slot
 * there may be unknown now. */
static int
free_slot(struct store *st, uint32_t *ret)
{
	uint32_t s, n = ht_slots(st->tree);

	for (s = st->free_hint; s < HT_MAX_SLOTS; s++)
		if (registry_slot(&st->reg, s) == NULL &&
		    (s >= n || ht_slot_ok(st->tree, s)))
			break;
	if (s == HT_MAX_SLOTS)
		return store_fail(st, VT_E_SPACE,
		    "the limit of %d vTPMs is reached", HT_MAX_SLOTS);
	*ret = st->free_hint = s;
	return VT_OK;
}

static int
need_space(struct store *st)
{
	struct store_space sp;

	store_folder_space(st->folder, &sp);
	if (sp.ok)
		return VT_OK;
	if (sp.reserve_used)
		return store_fail(st, VT_E_SPACE,
		    "the disk is full and running guests use the reserve; "
		    "free %" PRIu64 " MB on the disk of the state folder "
		    "before you create vTPMs",
		    store_folder_reserve_len(st->folder) >> 19);
	return store_fail(st, VT_E_SPACE,
	    "too little room for a new vTPM: the disk of the state folder has "
	    "%" PRIu64 " MB free and needs %" PRIu64 " MB",
	    sp.free_bytes >> 20, store_folder_reserve_len(st->folder) >> 20);
}

int
store_guest_add(struct store *st, struct guest *in)
{
	struct entry *e, *other;
	uint32_t slot = 0;
	int rc;

	if ((rc = store_need_open(st)) != VT_OK)
		return rc;
	if (in->name[0] == '\0' ||
	    memchr(in->name, '\0', sizeof(in->name)) == NULL)
		return store_fail(
		    st, VT_E_RANGE, "a name has 1 to %d bytes", NAME_MAX_LEN);
	if ((other = registry_name(&st->reg, in->name)) != NULL ||
	    (other = registry_uuid(&st->reg, in->uuid)) != NULL)
		return store_fail(st, VT_E_EXISTS,
		    "vTPM '%s' already exists%s%s", other->row.in.name,
		    other->row.in.tampered ? ": " : "", other->row.in.why);
	if ((rc = need_space(st)) != VT_OK ||
	    (rc = free_slot(st, &slot)) != VT_OK ||
	    (rc = store_touch(st, slot)) != VT_OK)
		return rc;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return store_fail_nomem(st);
	e->row.in = *in;
	e->row.in.slot = slot;
	e->row.in.tampered = false;
	e->row.in.why[0] = '\0';
	memset(e->row.in.digest, 0, sizeof(e->row.in.digest));
	if ((rc = registry_add(&st->reg, e)) != VT_OK) {
		free(e);
		return store_fail(st, rc, "out of memory");
	}
	if (in->generation > st->gen)
		st->gen = in->generation;
	*in = e->row.in;
	return VT_OK;
}

int
store_guest_del(struct store *st, const uint8_t uuid[UUID_LEN])
{
	struct store_op op = { .what = SW_BLOB };
	struct entry *e;
	unsigned int k;
	int rc;

	if ((rc = store_need_open(st)) != VT_OK ||
	    (rc = find_uuid(st, uuid, &e)) != VT_OK ||
	    (rc = store_touch(st, e->row.in.slot)) != VT_OK)
		return rc;
	op.slot = e->row.in.slot;
	for (k = 0; k < SX_N; k++) {
		op.kind = k;
		if ((rc = store_pend_put(st, &op)) != VT_OK)
			return rc;
	}
	if (op.slot < st->free_hint)
		st->free_hint = op.slot;
	registry_remove(&st->reg, e);
	if (!store_touch_owns(st, e))
		free(e);
	return VT_OK;
}

int
store_guest_status(
    struct store *st, const uint8_t uuid[UUID_LEN], enum guest_status s)
{
	struct entry *e;
	int rc;

	if ((rc = store_guest_good(st, uuid, &e)) != VT_OK)
		return rc;
	if (e->row.in.status == (uint8_t)s)
		return VT_OK;
	if ((rc = store_touch(st, e->row.in.slot)) != VT_OK)
		return rc;
	e->row.in.status = (uint8_t)s;
	return VT_OK;
}

int
store_guest_owner(
    struct store *st, const uint8_t uuid[UUID_LEN], uint32_t owner)
{
	struct entry *e;
	int rc;

	if ((rc = store_guest_good(st, uuid, &e)) != VT_OK ||
	    (rc = store_touch(st, e->row.in.slot)) != VT_OK)
		return rc;
	e->row.in.owner = owner;
	return VT_OK;
}
