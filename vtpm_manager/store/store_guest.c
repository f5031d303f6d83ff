/* SPDX-License-Identifier: BSD-3-Clause */
/* store_guest.c - instances, their state and what is kept beside it. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/store/store_int.h"

static const char *const kind_words[SX_N] = {
	[SX_STATE] = "sealed state",
	[SX_CERTS] = "certificates",
	[SX_LAUNCH] = "launch record",
	[SX_LOG] = "event log",
	[SX_VOLATILE] = "sealed volatile state",
};

void
store_mark(struct entry *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e->row.in.why, sizeof(e->row.in.why), fmt, ap);
	va_end(ap);
	e->row.in.tampered = true;
}

static bool
is_zero(const uint8_t digest[SHA256_LEN])
{
	static const uint8_t zero[SHA256_LEN];

	return mem_equal(digest, zero, sizeof(zero));
}

/* --- find ------------------------------------------------------------- */

static int
find_uuid(struct store *st, const uint8_t uuid[UUID_LEN], struct entry **ret)
{
	char text[UUID_STRLEN + 1];

	if ((*ret = registry_uuid(&st->reg, uuid)) != NULL)
		return VT_OK;
	uuid_format(uuid, text);
	return store_fail(st, VT_E_NOTFOUND, "no vTPM has the UUID %s", text);
}

/* An instance that may be used and changed. */
static int
find_good(struct store *st, const uint8_t uuid[UUID_LEN], struct entry **ret)
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
	const struct entry *e = registry_name(&st->reg, name_or_uuid);
	uint8_t uuid[UUID_LEN];

	if (e == NULL && uuid_parse(name_or_uuid, uuid) == VT_OK)
		e = registry_uuid(&st->reg, uuid);
	if (e == NULL)
		return store_fail(st, VT_E_NOTFOUND,
		    "no vTPM is called '%.80s'", name_or_uuid);
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

/* The lowest slot that nobody has and that no damaged page covers. */
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
		    "all %d places for vTPMs are taken", HT_MAX_SLOTS);
	*ret = st->free_hint = s;
	return VT_OK;
}

static int
need_space(struct store *st)
{
	struct store_space sp;

	store_space(st, &sp);
	if (sp.ok)
		return VT_OK;
	if (sp.reserve_used)
		return store_fail(st, VT_E_SPACE,
		    "the disk is full: the space kept in reserve is in use by "
		    "running guests; free %" PRIu64 " MB where the state "
		    "folder is, then create vTPMs again",
		    store_folder_reserve_len(st->dir) >> 19);
	return store_fail(st, VT_E_SPACE,
	    "too little room for a new vTPM: %" PRIu64 " MB are free where "
	    "the state folder is, %" PRIu64 " MB must be",
	    sp.free_bytes >> 20, store_folder_reserve_len(st->dir) >> 20);
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
		    "there is a vTPM '%s' already%s%s", other->row.in.name,
		    other->row.in.tampered ? ": " : "", other->row.in.why);
	if ((rc = need_space(st)) != VT_OK ||
	    (rc = free_slot(st, &slot)) != VT_OK ||
	    (rc = store_touch(st, slot)) != VT_OK)
		return rc;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return store_fail(st, VT_E_NOMEM, "out of memory");
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
	if (!store_was_there(st, e))
		free(e);
	return VT_OK;
}

int
store_guest_status(
    struct store *st, const uint8_t uuid[UUID_LEN], enum guest_status s)
{
	struct entry *e;
	int rc;

	if ((rc = find_good(st, uuid, &e)) != VT_OK)
		return rc;
	if (e->row.in.status == (uint8_t)s)
		return VT_OK;
	if ((rc = store_touch(st, e->row.in.slot)) != VT_OK)
		return rc;
	e->row.in.status = (uint8_t)s;
	return VT_OK;
}

/* --- blobs ------------------------------------------------------------ */

static int
blob_put(struct store *st, struct entry *e, unsigned int kind,
    const uint8_t digest[SHA256_LEN], const uint8_t *p, size_t len)
{
	struct store_op op = { .what = SW_BLOB,
		.slot = e->row.in.slot,
		.kind = kind,
		.p = p,
		.len = len };
	int rc;

	if (len > STATE_MAX_LEN)
		return store_fail(st, VT_E_RANGE,
		    "the %s of '%s' is longer than %d bytes", kind_words[kind],
		    e->row.in.name, STATE_MAX_LEN);
	if ((rc = store_touch(st, op.slot)) != VT_OK ||
	    (rc = store_pend_put(st, &op)) != VT_OK)
		return rc;
	memcpy(e->row.dig[kind], digest, SHA256_LEN);
	return VT_OK;
}

/* What comes from outside memory is believed only if its digest is that of
 * the row, which the tree vouches for. */
int
store_blob_get(struct store *st, struct entry *e, unsigned int kind,
    uint8_t **ret, size_t *ret_len)
{
	uint8_t *p = NULL, got[SHA256_LEN];
	size_t len = 0;
	int rc;

	if (is_zero(e->row.dig[kind]))
		return store_fail(st, VT_E_NOTFOUND, "'%s' has no %s",
		    e->row.in.name, kind_words[kind]);
	rc = st->ops->blob_get(st->be, e->row.in.slot, kind, &p, &len);
	if (rc == VT_E_NOTFOUND) {
		store_mark(e,
		    "its %s is missing from the store; put the store back "
		    "from a backup, or destroy this vTPM",
		    kind_words[kind]);
		return store_fail(st, VT_E_CORRUPT, "%s", e->row.in.why);
	}
	if (rc == VT_OK &&
	    (rc = digest_buf(ALG_SHA256, p, len, got)) == VT_OK) {
		if (mem_equal(got, e->row.dig[kind], sizeof(got))) {
			if (kind == SX_STATE)
				e->row.in.state_len = (uint32_t)len;
			*ret = p;
			*ret_len = len;
			return VT_OK;
		}
		rc = VT_E_CORRUPT;
	}
	free(p);
	if (rc != VT_E_CORRUPT)
		return store_fail_be(st, rc);
	store_mark(e,
	    "its %s was changed, cut or swapped in the store; put the store "
	    "back from a backup, or destroy this vTPM",
	    kind_words[kind]);
	return store_fail(st, VT_E_CORRUPT, "%s", e->row.in.why);
}

int
store_blobs_check(struct store *st, struct entry *e)
{
	unsigned int k;
	uint8_t *p;
	size_t len;
	int rc;

	for (k = 0; k < SX_N && !e->row.in.tampered; k++) {
		p = NULL;
		rc = store_blob_get(st, e, k, &p, &len);
		free(p);
		if (rc != VT_OK && rc != VT_E_NOTFOUND && rc != VT_E_CORRUPT)
			return rc;
	}
	return VT_OK;
}

int
store_blob_drop(struct store *st, struct entry *e, unsigned int k)
{
	static const uint8_t none[SHA256_LEN];

	return is_zero(e->row.dig[k]) ? VT_OK
				      : blob_put(st, e, k, none, NULL, 0);
}

static int
get_kind(struct store *st, const uint8_t uuid[UUID_LEN], unsigned int kind,
    uint8_t **ret, size_t *ret_len)
{
	struct store_op op = { .what = SW_BLOB, .kind = kind };
	const struct pend *p;
	struct entry *e;
	int rc;

	if ((rc = find_good(st, uuid, &e)) != VT_OK)
		return rc;
	op.slot = e->row.in.slot;
	if (!is_zero(e->row.dig[kind]) &&
	    (p = store_pend_find(st, &op)) != NULL)
		return store_pend_copy(p, ret, ret_len);
	return store_blob_get(st, e, kind, ret, ret_len);
}

int
store_state_put(struct store *st, const uint8_t uuid[UUID_LEN],
    uint64_t generation, uint64_t version, uint32_t flags,
    const uint8_t digest[32], const uint8_t *blob, size_t len)
{
	uint8_t got[SHA256_LEN];
	struct entry *e;
	struct guest *in;
	int rc;

	if ((rc = find_good(st, uuid, &e)) != VT_OK)
		return rc;
	in = &e->row.in;
	if (len == 0 || generation > INT64_MAX || version > INT64_MAX)
		return store_fail(st, VT_E_RANGE, "no sealed state");
	if ((rc = digest_buf(ALG_SHA256, blob, len, got)) != VT_OK)
		return store_fail(st, rc, "%s", vt_strerror(rc));
	if (!mem_equal(got, digest, sizeof(got)))
		return store_fail(st, VT_E_AUTH,
		    "the digest of the sealed state of '%s' is wrong",
		    in->name);
	if (generation == in->generation && version == in->version &&
	    mem_equal(digest, in->digest, sizeof(in->digest)))
		return VT_OK; /* sent again: the answer got lost */
	if (generation < in->generation ||
	    (generation == in->generation && version <= in->version))
		return store_fail(st, VT_E_STALE,
		    "state %" PRIu64 ".%" PRIu64 " of '%s' is not newer than "
		    "%" PRIu64 ".%" PRIu64 ", which is kept",
		    generation, version, in->name, in->generation, in->version);
	if ((rc = blob_put(st, e, SX_STATE, digest, blob, len)) != VT_OK)
		return rc;
	in->generation = generation;
	in->version = version;
	in->flags = flags;
	if (generation > st->gen)
		st->gen = generation;
	in->state_len = (uint32_t)len;
	memcpy(in->digest, digest, sizeof(in->digest));
	return VT_OK;
}

int
store_state_get(struct store *st, const uint8_t uuid[UUID_LEN], uint8_t **ret,
    size_t *ret_len)
{
	return get_kind(st, uuid, SX_STATE, ret, ret_len);
}

int
store_extra_put(struct store *st, const uint8_t uuid[UUID_LEN],
    enum store_extra x, const uint8_t *p, size_t len)
{
	uint8_t digest[SHA256_LEN] = { 0 };
	struct entry *e;
	int rc;

	if ((rc = find_good(st, uuid, &e)) != VT_OK)
		return rc;
	if (len > 0 && (rc = digest_buf(ALG_SHA256, p, len, digest)) != VT_OK)
		return store_fail(st, rc, "%s", vt_strerror(rc));
	if (mem_equal(digest, e->row.dig[x], sizeof(digest)))
		return VT_OK; /* there already */
	return blob_put(st, e, (unsigned int)x, digest, p, len);
}

int
store_extra_get(struct store *st, const uint8_t uuid[UUID_LEN],
    enum store_extra x, uint8_t **ret, size_t *ret_len)
{
	return get_kind(st, uuid, (unsigned int)x, ret, ret_len);
}
