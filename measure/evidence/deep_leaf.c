/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deep_leaf.c - leaf and answer as bytes, and the tree over leaves.
 *
 * The tree is kept level by level: a level pairs its nodes from the left,
 * and a last one without a partner goes up as it is.  That gives the tree of
 * RFC 6962, 2.1, which is defined from the top (the left half has the
 * largest power of two that is smaller than n).
 */
#include "measure/evidence/deep_leaf.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_MAGIC "VTDQ"
#define MAGIC_LEN 4
#define LEAF_MAX 512 /* more than the largest leaf */
#define COUNT_MAX (UINT64_C(1) << DEEP_PATH_MAX)
#define FLAGS_ALL                                                       \
	((uint32_t)(DEEP_F_RESTORED | DEEP_F_CAPPED | DEEP_F_LAUNCHED | \
		    DEEP_F_SOFT_ROOT | DEEP_F_RECOVERED | DEEP_F_UNSEEN))
#define DOMAIN_LEAF 0x00
#define DOMAIN_NODE 0x01

/* --- the leaf --------------------------------------------------------------
 */

/* wr_blob16() takes any length; this one must fit the field's array. */
static void
put_blob(struct wr *w, const uint8_t *p, size_t len, size_t max)
{
	if (len > max)
		wr_fail(w, VT_E_RANGE);
	else
		wr_blob16(w, p, len);
}

void
deep_leaf_put(struct wr *w, const struct deep_leaf *l)
{
	wr_bytes(w, DEEP_LEAF_LABEL, sizeof(DEEP_LEAF_LABEL) - 1);
	wr_be16(w, DEEP_VERSION);
	wr_bytes(w, l->uuid, sizeof(l->uuid));
	wr_be32(w, l->group);
	put_blob(w, l->ek_name, l->ek_name_len, sizeof(l->ek_name));
	put_blob(w, l->ak_name, l->ak_name_len, sizeof(l->ak_name));
	wr_bytes(w, l->quote, sizeof(l->quote));
	put_blob(w, l->nonce, l->nonce_len, sizeof(l->nonce));
	wr_bytes(w, l->channel_key, sizeof(l->channel_key));
	wr_bytes(w, l->launch, sizeof(l->launch));
	wr_bytes(w, l->journal, sizeof(l->journal));
	wr_be32(w, l->flags);
	wr_be64(w, l->generation);
	wr_be64(w, l->version);
	if ((l->flags & ~FLAGS_ALL) != 0)
		wr_fail(w, VT_E_RANGE);
}

static void
get_label(struct rd *r, const char *label, size_t len)
{
	const uint8_t *p = rd_span(r, len);

	if (p != NULL && memcmp(p, label, len) != 0)
		rd_fail(r, VT_E_FORMAT);
}

int
deep_leaf_get(const uint8_t *data, size_t len, struct deep_leaf *ret)
{
	struct deep_leaf l;
	struct rd r;
	int rc;

	memset(&l, 0, sizeof(l));
	rd_init(&r, data, len);
	get_label(&r, DEEP_LEAF_LABEL, sizeof(DEEP_LEAF_LABEL) - 1);
	if (rd_be16(&r) != DEEP_VERSION)
		rd_fail(&r, VT_E_UNSUPPORTED);
	rd_bytes(&r, l.uuid, sizeof(l.uuid));
	l.group = rd_be32(&r);
	rd_copy16(&r, l.ek_name, sizeof(l.ek_name), &l.ek_name_len);
	rd_copy16(&r, l.ak_name, sizeof(l.ak_name), &l.ak_name_len);
	rd_bytes(&r, l.quote, sizeof(l.quote));
	rd_copy16(&r, l.nonce, sizeof(l.nonce), &l.nonce_len);
	rd_bytes(&r, l.channel_key, sizeof(l.channel_key));
	rd_bytes(&r, l.launch, sizeof(l.launch));
	rd_bytes(&r, l.journal, sizeof(l.journal));
	l.flags = rd_be32(&r);
	if ((l.flags & ~FLAGS_ALL) != 0)
		rd_fail(&r, VT_E_RANGE);
	l.generation = rd_be64(&r);
	l.version = rd_be64(&r);
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	*ret = l;
	return VT_OK;
}

int
deep_leaf_hash(const struct deep_leaf *l, uint8_t out[SHA256_LEN])
{
	uint8_t buf[1 + LEAF_MAX];
	struct wr w;
	int rc;

	wr_init(&w, buf, sizeof(buf));
	wr_u8(&w, DOMAIN_LEAF);
	deep_leaf_put(&w, l);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	return digest_buf(ALG_SHA256, buf, w.len, out);
}

/* --- the tree --------------------------------------------------------------
 */

struct deep_tree {
	uint32_t levels; /* 1: one leaf is its own root */
	size_t n[DEEP_PATH_MAX + 1];
	uint8_t (*level[DEEP_PATH_MAX + 1])[SHA256_LEN];
};

static int
node_hash(const uint8_t left[SHA256_LEN], const uint8_t right[SHA256_LEN],
    uint8_t out[SHA256_LEN])
{
	uint8_t buf[1 + 2 * SHA256_LEN];

	buf[0] = DOMAIN_NODE;
	memcpy(buf + 1, left, SHA256_LEN);
	memcpy(buf + 1 + SHA256_LEN, right, SHA256_LEN);
	return digest_buf(ALG_SHA256, buf, sizeof(buf), out);
}

static int
next_level(struct deep_tree *t)
{
	uint32_t k = t->levels;
	size_t below = t->n[k - 1], n = (below + 1) / 2, i;
	uint8_t(*from)[SHA256_LEN] = t->level[k - 1];
	uint8_t(*to)[SHA256_LEN];
	int rc;

	if ((to = calloc(n, SHA256_LEN)) == NULL)
		return VT_E_NOMEM;
	t->level[k] = to; /* freed with the tree */
	t->n[k] = n;
	t->levels = k + 1;
	for (i = 0; i < below / 2; i++)
		if ((rc = node_hash(from[2 * i], from[2 * i + 1], to[i])) !=
		    VT_OK)
			return rc;
	if (below % 2 == 1)
		memcpy(to[n - 1], from[below - 1], SHA256_LEN);
	return VT_OK;
}

int
deep_tree_new(
    const uint8_t (*leaves)[SHA256_LEN], size_t n, struct deep_tree **ret)
{
	struct deep_tree *t;
	int rc = VT_OK;

	if (n == 0 || n > COUNT_MAX)
		return VT_E_RANGE;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return VT_E_NOMEM;
	if ((t->level[0] = calloc(n, SHA256_LEN)) == NULL) {
		free(t);
		return VT_E_NOMEM;
	}
	memcpy(t->level[0], leaves, n * SHA256_LEN);
	t->n[0] = n;
	t->levels = 1;
	while (rc == VT_OK && t->n[t->levels - 1] > 1)
		rc = next_level(t);
	if (rc != VT_OK) {
		deep_tree_free(t);
		return rc;
	}
	*ret = t;
	return VT_OK;
}

void
deep_tree_free(struct deep_tree *t)
{
	uint32_t k;

	if (t == NULL)
		return;
	for (k = 0; k < t->levels; k++)
		free(t->level[k]);
	free(t);
}

void
deep_tree_root(const struct deep_tree *t, uint8_t out[SHA256_LEN])
{
	memcpy(out, t->level[t->levels - 1][0], SHA256_LEN);
}

int
deep_tree_path(const struct deep_tree *t, size_t i, uint8_t (*path)[SHA256_LEN],
    size_t *ret_n)
{
	size_t n = 0;
	uint32_t k;

	if (i >= t->n[0])
		return VT_E_RANGE;
	for (k = 0; k + 1 < t->levels; k++, i /= 2)
		if ((i ^ 1) < t->n[k]) /* else it goes up as it is */
			memcpy(path[n++], t->level[k][i ^ 1], SHA256_LEN);
	*ret_n = n;
	return VT_OK;
}

/* The shape of the tree follows from index and count alone, so a path that
 * is too short or too long for it is refused whatever it hashes to. */
int
deep_path_root(const uint8_t leaf[SHA256_LEN], uint64_t index, uint64_t count,
    const uint8_t (*path)[SHA256_LEN], size_t n, uint8_t out[SHA256_LEN])
{
	uint8_t now[SHA256_LEN];
	uint64_t left = count, i = index;
	size_t used = 0;
	int rc;

	if (count == 0 || count > COUNT_MAX || index >= count)
		return VT_E_AUTH;
	memcpy(now, leaf, sizeof(now));
	for (; left > 1; left = (left + 1) / 2, i /= 2) {
		if ((i ^ 1) >= left)
			continue;
		if (used == n)
			return VT_E_AUTH;
		if ((i & 1) != 0)
			rc = node_hash(path[used], now, now);
		else
			rc = node_hash(now, path[used], now);
		if (rc != VT_OK)
			return rc;
		used++;
	}
	if (used != n)
		return VT_E_AUTH;
	memcpy(out, now, sizeof(now));
	return VT_OK;
}

int
deep_qualify(const uint8_t root[SHA256_LEN], uint64_t policy_sequence,
    uint8_t out[SHA256_LEN])
{
	uint8_t buf[sizeof(DEEP_ROOT_LABEL) + 2 + SHA256_LEN + 8];
	struct wr w;
	int rc;

	wr_init(&w, buf, sizeof(buf));
	wr_bytes(&w, DEEP_ROOT_LABEL, sizeof(DEEP_ROOT_LABEL) - 1);
	wr_be16(&w, DEEP_VERSION);
	wr_bytes(&w, root, SHA256_LEN);
	wr_be64(&w, policy_sequence);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	return digest_buf(ALG_SHA256, buf, w.len, out);
}

/* --- the answer ------------------------------------------------------------
 */

void
deep_answer_put(struct wr *w, const struct deep_answer *a)
{
	uint8_t leaf[LEAF_MAX];
	size_t before = w->len;
	struct wr lw;
	int rc;

	wr_init(&lw, leaf, sizeof(leaf));
	deep_leaf_put(&lw, &a->leaf);
	if ((rc = wr_err(&lw)) != VT_OK)
		wr_fail(w, rc);
	wr_bytes(w, ANSWER_MAGIC, MAGIC_LEN);
	wr_be16(w, DEEP_VERSION);
	wr_blob16(w, leaf, lw.len);
	wr_be64(w, a->index);
	wr_be64(w, a->count);
	wr_be16(w, a->path_len);
	if (a->path_len > DEEP_PATH_MAX || a->count > COUNT_MAX ||
	    a->index >= a->count)
		wr_fail(w, VT_E_RANGE);
	else
		wr_bytes(w, a->path, (size_t)a->path_len * SHA256_LEN);
	wr_be64(w, a->policy_sequence);
	put_blob(w, a->attest, a->attest_len, sizeof(a->attest));
	put_blob(w, a->sig, a->sig_len, sizeof(a->sig));
	put_blob(w, a->ak_cert, a->ak_cert_len, sizeof(a->ak_cert));
	if (w->len - before > DEEP_ANSWER_MAX)
		wr_fail(w, VT_E_RANGE);
}

int
deep_answer_get(const uint8_t *data, size_t len, struct deep_answer *ret)
{
	struct deep_answer a;
	const uint8_t *leaf;
	size_t leaf_len = 0;
	struct rd r;
	int rc;

	if (len > DEEP_ANSWER_MAX)
		return VT_E_RANGE;
	memset(&a, 0, sizeof(a));
	rd_init(&r, data, len);
	get_label(&r, ANSWER_MAGIC, MAGIC_LEN);
	if (rd_be16(&r) != DEEP_VERSION)
		rd_fail(&r, VT_E_UNSUPPORTED);
	leaf = rd_blob16(&r, LEAF_MAX, &leaf_len);
	a.index = rd_be64(&r);
	a.count = rd_be64(&r);
	a.path_len = rd_be16(&r);
	if (rd_err(&r) != VT_OK)
		return rd_err(&r);
	if (a.count == 0 || a.count > COUNT_MAX || a.index >= a.count ||
	    a.path_len > DEEP_PATH_MAX)
		return VT_E_RANGE;
	rd_bytes(&r, a.path, (size_t)a.path_len * SHA256_LEN);
	a.policy_sequence = rd_be64(&r);
	rd_copy16(&r, a.attest, sizeof(a.attest), &a.attest_len);
	rd_copy16(&r, a.sig, sizeof(a.sig), &a.sig_len);
	rd_copy16(&r, a.ak_cert, sizeof(a.ak_cert), &a.ak_cert_len);
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	/* A leaf that is cut short is malformed; the answer is not. */
	rc = deep_leaf_get(leaf, leaf_len, &a.leaf);
	if (rc != VT_OK)
		return rc == VT_E_TRUNC ? VT_E_FORMAT : rc;
	*ret = a;
	return VT_OK;
}
