/* SPDX-License-Identifier: BSD-3-Clause */
/* store_blob.c - a guest's sealed state and the records beside it. */
#include "vtpm_manager/store/store_blob.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/store/store_int.h"

static const char *const kind_words[SX_N] = {
	[SX_STATE] = "sealed state",
	[SX_CERTS] = "certificates",
	[SX_LAUNCH] = "launch record",
	[SX_LOG] = "event log",
	[SX_VOLATILE] = "sealed volatile state",
};

static bool
is_zero(const uint8_t digest[SHA256_LEN])
{
	static const uint8_t zero[SHA256_LEN];

	return mem_equal(digest, zero, sizeof(zero));
}

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
		store_guest_mark(e,
		    "its %s is missing from the store; restore the store "
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
		return store_fail_backend(st, rc);
	store_guest_mark(e,
	    "its %s was changed, cut or swapped in the store; restore the "
	    "store from a backup, or destroy this vTPM",
	    kind_words[kind]);
	return store_fail(st, VT_E_CORRUPT, "%s", e->row.in.why);
}

int
store_blob_check(struct store *st, struct entry *e)
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

	if ((rc = store_guest_good(st, uuid, &e)) != VT_OK)
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

	if ((rc = store_guest_good(st, uuid, &e)) != VT_OK)
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
		return VT_OK; /* a repetition: the answer was lost */
	if (generation < in->generation ||
	    (generation == in->generation && version <= in->version))
		return store_fail(st, VT_E_STALE,
		    "state %" PRIu64 ".%" PRIu64 " of '%s' is not newer than "
		    "the stored %" PRIu64 ".%" PRIu64,
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

	if ((rc = store_guest_good(st, uuid, &e)) != VT_OK)
		return rc;
	if (len > 0 && (rc = digest_buf(ALG_SHA256, p, len, digest)) != VT_OK)
		return store_fail(st, rc, "%s", vt_strerror(rc));
	if (mem_equal(digest, e->row.dig[x], sizeof(digest)))
		return VT_OK; /* unchanged */
	return blob_put(st, e, (unsigned int)x, digest, p, len);
}

int
store_extra_get(struct store *st, const uint8_t uuid[UUID_LEN],
    enum store_extra x, uint8_t **ret, size_t *ret_len)
{
	return get_kind(st, uuid, (unsigned int)x, ret, ret_len);
}
