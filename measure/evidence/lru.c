/* SPDX-License-Identifier: BSD-3-Clause */
/* lru.c - a hash table of entries, and a list in the order of their use. */
#include "measure/evidence/lru.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"

#define MAX_N ((size_t)1 << 20)

struct entry {
	TAILQ_ENTRY(entry) use; /* from the newest to the oldest */
	LIST_ENTRY(entry) hash; /* in the bucket */
	uint8_t key[SHA256_LEN];
	void *val;
	size_t bytes;
};

struct lru {
	size_t max_n, max_bytes, n, bytes;
	void (*drop)(void *val);
	TAILQ_HEAD(uses, entry) uses;
	size_t mask; /* buckets - 1 */
	LIST_HEAD(bucket, entry) * bucket;
};

int
lru_new(
    size_t max_n, size_t max_bytes, void (*drop)(void *val), struct lru **ret)
{
	size_t buckets = 1;
	struct lru *l;

	if (max_n == 0 || max_n > MAX_N)
		return VT_E_RANGE;
	while (buckets < max_n)
		buckets *= 2;
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return VT_E_NOMEM;
	if ((l->bucket = calloc(buckets, sizeof(*l->bucket))) == NULL) {
		free(l);
		return VT_E_NOMEM;
	}
	l->max_n = max_n;
	l->max_bytes = max_bytes;
	l->drop = drop;
	l->mask = buckets - 1;
	TAILQ_INIT(&l->uses);
	*ret = l;
	return VT_OK;
}

static struct bucket *
bucket_of(struct lru *l, const uint8_t key[SHA256_LEN])
{
	return &l->bucket[be32_get(key) & l->mask];
}

static struct entry *
find(struct lru *l, const uint8_t key[SHA256_LEN])
{
	struct entry *e = LIST_FIRST(bucket_of(l, key));

	while (e != NULL && memcmp(e->key, key, SHA256_LEN) != 0)
		e = LIST_NEXT(e, hash);
	return e;
}

static void
forget(struct lru *l, struct entry *e)
{
	LIST_REMOVE(e, hash);
	TAILQ_REMOVE(&l->uses, e, use);
	l->n--;
	l->bytes -= e->bytes;
	l->drop(e->val);
	free(e);
}

void
lru_free(struct lru *l)
{
	struct entry *e;

	if (l == NULL)
		return;
	while ((e = TAILQ_FIRST(&l->uses)) != NULL)
		forget(l, e);
	free(l->bucket);
	free(l);
}

void *
lru_find(struct lru *l, const uint8_t key[SHA256_LEN])
{
	struct entry *e = find(l, key);

	if (e == NULL)
		return NULL;
	TAILQ_REMOVE(&l->uses, e, use);
	TAILQ_INSERT_HEAD(&l->uses, e, use);
	return e->val;
}

int
lru_put(struct lru *l, const uint8_t key[SHA256_LEN], void *val, size_t bytes)
{
	struct entry *e, *was;

	if (bytes > l->max_bytes || sizeof(*e) > l->max_bytes - bytes)
		return VT_E_RANGE;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return VT_E_NOMEM;
	if ((was = find(l, key)) != NULL)
		forget(l, was);
	memcpy(e->key, key, SHA256_LEN);
	e->val = val;
	e->bytes = bytes + sizeof(*e);
	LIST_INSERT_HEAD(bucket_of(l, key), e, hash);
	TAILQ_INSERT_HEAD(&l->uses, e, use);
	l->n++;
	l->bytes += e->bytes;
	while (l->n > l->max_n || l->bytes > l->max_bytes)
		forget(l, TAILQ_LAST(&l->uses, uses)); /* e fits alone */
	return VT_OK;
}

size_t
lru_count(const struct lru *l)
{
	return l->n;
}

size_t
lru_bytes(const struct lru *l)
{
	return l->bytes;
}
