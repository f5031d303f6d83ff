/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_meta.c - small values inside the tree.
 *
 * The backend has each value under "meta:" KEY.  The index, under "meta:",
 * lists every key with the digest of its value, and the root record has the
 * digest of the index.  So a value can be neither changed, nor swapped, nor
 * removed, nor restored from an older copy.
 *
 * Index:  be16 format 1 | be32 n | n * (key, be16 length + bytes |
 *         SHA-256(value)[32]), keys in strictly rising order of bytes.
 * Digest: SHA-256(0x00 | "vTPM store meta" | index).
 *
 * An index that does not match stays refused: each root repeats its digest, and
 * every value is refused until the folder is restored.
 */
#include "vtpm_manager/store/store_meta.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "vtpm_manager/store/store_int.h"

#define FORMAT 1
#define INDEX_KEY META_PREFIX /* no value has an empty key */
#define INDEX_MAX (6 + META_MAX * (2 + META_KEY_MAX + SHA256_LEN))

void
store_meta_done(struct meta *m)
{
	free(m->v);
	memset(m, 0, sizeof(*m));
}

/* Where key is, or would be inserted. */
static size_t
find(const struct meta *m, const char *key, bool *ret_there)
{
	size_t lo = 0, hi = m->n;
	int c;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if ((c = strcmp(key, m->v[mid].key)) == 0) {
			*ret_there = true;
			return mid;
		}
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	*ret_there = false;
	return lo;
}

static int
index_digest(const void *p, size_t len, uint8_t out[SHA256_LEN])
{
	static const char tag[] = "\0vTPM store meta";
	uint8_t *b = malloc(sizeof(tag) - 1 + len);
	int rc;

	if (b == NULL)
		return VT_E_NOMEM;
	memcpy(b, tag, sizeof(tag) - 1);
	memcpy(b + sizeof(tag) - 1, p, len);
	rc = digest_buf(ALG_SHA256, b, sizeof(tag) - 1 + len, out);
	free(b);
	return rc;
}

/* --- the committed index -----------------------------------------------------
 */

static int
index_read(const uint8_t *p, size_t len, struct meta *ret)
{
	struct meta m = { 0 };
	uint32_t n, i;
	struct rd r;
	int rc;

	rd_init(&r, p, len);
	if (rd_be16(&r) != FORMAT)
		rd_fail(&r, VT_E_FORMAT);
	if ((n = rd_be32(&r)) > META_MAX)
		rd_fail(&r, VT_E_RANGE);
	if (rd_err(&r) != VT_OK)
		return r.err;
	if ((m.v = calloc(n > 0 ? n : 1, sizeof(*m.v))) == NULL)
		return VT_E_NOMEM;
	for (i = 0; i < n; i++) {
		rd_str(&r, m.v[i].key, sizeof(m.v[i].key));
		rd_bytes(&r, m.v[i].digest, SHA256_LEN);
		if (m.v[i].key[0] == '\0' ||
		    (i > 0 && strcmp(m.v[i - 1].key, m.v[i].key) >= 0))
			rd_fail(&r, VT_E_FORMAT);
	}
	m.n = n;
	if ((rc = rd_end(&r)) == VT_OK)
		*ret = m;
	else
		store_meta_done(&m);
	return rc;
}

int
store_meta_load(struct store *st)
{
	static const uint8_t none[SHA256_LEN];
	uint8_t *p = NULL, got[SHA256_LEN];
	size_t len = 0;
	int rc;

	store_meta_done(&st->meta);
	if (mem_equal(st->root.meta, none, sizeof(none)))
		return VT_OK;
	rc = st->ops->kv_get(st->be, INDEX_KEY, &p, &len);
	if (rc == VT_OK && (rc = index_digest(p, len, got)) == VT_OK) {
		rc = VT_E_CORRUPT;
		if (mem_equal(got, st->root.meta, sizeof(got)))
			rc = index_read(p, len, &st->meta);
	}
	free(p);
	switch (rc) {
	case VT_E_NOTFOUND: /* removed */
	case VT_E_CORRUPT:
	case VT_E_FORMAT:
	case VT_E_RANGE:
	case VT_E_TRUNC:
		st->meta.bad = true;
		return VT_OK;
	case VT_E_SYS: /* nothing is believed corrupt that was not read */
		return store_fail_backend(st, rc);
	default:
		return rc;
	}
}

/* --- commit ----------------------------------------------------------- */

static const char *
meta_key(const struct pend *p)
{
	size_t n = strlen(META_PREFIX);

	if (p->op.what != SW_KV || strncmp(p->op.key, META_PREFIX, n) != 0 ||
	    p->op.key[n] == '\0')
		return NULL;
	return p->op.key + n;
}

/* m has room for one more. */
static int
index_apply(struct meta *m, const char *key, const uint8_t *p, size_t len)
{
	bool there;
	size_t i = find(m, key, &there);
	struct meta_ent *e = m->v + i;

	if (len == 0) {
		if (there) {
			memmove(e, e + 1, (m->n - i - 1) * sizeof(*e));
			m->n--;
		}
		return VT_OK;
	}
	if (!there) {
		if (m->n == META_MAX)
			return VT_E_RANGE;
		memmove(e + 1, e, (m->n - i) * sizeof(*e));
		m->n++;
		(void)snprintf(e->key, sizeof(e->key), "%s", key);
	}
	return digest_buf(ALG_SHA256, p, len, e->digest);
}

static int
index_queue(struct store *st, const struct meta *m, uint8_t digest[SHA256_LEN])
{
	struct store_op op = { .what = SW_KV, .key = INDEX_KEY };
	struct wr w;
	size_t i;
	int rc;

	wr_grow(&w, INDEX_MAX);
	wr_be16(&w, FORMAT);
	wr_be32(&w, (uint32_t)m->n);
	for (i = 0; i < m->n; i++) {
		wr_str(&w, m->v[i].key);
		wr_bytes(&w, m->v[i].digest, SHA256_LEN);
	}
	if ((rc = wr_err(&w)) == VT_OK)
		rc = index_digest(w.buf, w.len, digest);
	op.p = w.buf;
	op.len = w.len;
	if (rc == VT_OK)
		rc = store_pend_put(st, &op);
	wr_free(&w);
	return rc;
}

int
store_meta_next(
    struct store *st, struct meta *ret_next, uint8_t digest[SHA256_LEN])
{
	struct meta m = { .n = st->meta.n };
	const struct pend *p;
	size_t changes = 0;
	int rc = VT_OK;

	TAILQ_FOREACH(p, &st->pend, link)
		changes += meta_key(p) != NULL;
	if (changes == 0)
		return VT_OK;
	m.v = calloc(m.n + changes, sizeof(*m.v));
	if (m.v == NULL)
		return store_fail_nomem(st);
	if (m.n > 0)
		memcpy(m.v, st->meta.v, m.n * sizeof(*m.v));
	TAILQ_FOREACH(p, &st->pend, link)
		if (rc == VT_OK && meta_key(p) != NULL)
			rc = index_apply(&m, meta_key(p), p->op.p, p->op.len);
	if (rc == VT_E_RANGE)
		rc = store_fail(st, rc, "more than %d values", META_MAX);
	else if (rc == VT_OK)
		rc = index_queue(st, &m, digest);
	if (rc == VT_OK)
		*ret_next = m;
	else
		store_meta_done(&m);
	return rc;
}

/* --- get and put ------------------------------------------------------ */

static int
need_index(struct store *st, const char *key)
{
	int rc;

	if ((rc = store_need_read(st)) != VT_OK)
		return rc;
	if (key[0] == '\0' || strlen(key) > META_KEY_MAX)
		return store_fail(st, VT_E_RANGE,
		    "the name of a value has 1 to %d bytes", META_KEY_MAX);
	if (st->meta.bad)
		return store_fail(st, VT_E_CORRUPT,
		    "the store's list of values was changed, removed or "
		    "restored from an older copy, so '%s' cannot be trusted; "
		    "restore the whole state folder from a backup",
		    key);
	return VT_OK;
}

static void
op_of(struct store_op *op, const char *key, char buf[META_KEY_ROOM])
{
	(void)snprintf(buf, META_KEY_ROOM, "%s%s", META_PREFIX, key);
	*op = (struct store_op){ .what = SW_KV, .key = buf };
}

int
store_meta_get(
    struct store *st, const char *key, uint8_t **ret, size_t *ret_len)
{
	uint8_t got[SHA256_LEN], *p = NULL;
	char buf[META_KEY_ROOM];
	const struct pend *q;
	struct store_op op;
	size_t len = 0, i;
	bool there;
	int rc;

	if ((rc = need_index(st, key)) != VT_OK)
		return rc;
	op_of(&op, key, buf);
	i = find(&st->meta, key, &there);
	if ((q = store_pend_find(st, &op)) != NULL)
		rc = store_pend_copy(q, ret, ret_len);
	else if (!there)
		rc = VT_E_NOTFOUND;
	if (rc == VT_E_NOTFOUND)
		return store_fail(st, rc, "no value '%s'", key);
	if (q != NULL)
		return rc;
	rc = st->ops->kv_get(st->be, buf, &p, &len);
	if (rc == VT_OK &&
	    (rc = digest_buf(ALG_SHA256, p, len, got)) == VT_OK &&
	    mem_equal(got, st->meta.v[i].digest, sizeof(got))) {
		*ret = p;
		*ret_len = len;
		return VT_OK;
	}
	free(p);
	if (rc == VT_OK || rc == VT_E_NOTFOUND || rc == VT_E_CORRUPT)
		return store_fail(st, VT_E_CORRUPT,
		    "the value '%s' was changed, removed or restored from an "
		    "older copy; restore the store from a backup",
		    key);
	return store_fail_backend(st, rc);
}

int
store_meta_put(struct store *st, const char *key, const void *p, size_t len)
{
	char buf[META_KEY_ROOM];
	struct store_op op;
	int rc;

	if ((rc = store_need_open(st)) != VT_OK ||
	    (rc = need_index(st, key)) != VT_OK)
		return rc;
	if (len > STORE_META_MAX)
		return store_fail(st, VT_E_RANGE,
		    "the value '%s' is longer than %d bytes", key,
		    STORE_META_MAX);
	op_of(&op, key, buf);
	op.p = p;
	op.len = len;
	return store_pend_put(st, &op);
}
