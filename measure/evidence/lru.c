/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure/evidence/lru.h"

#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"

#define MAX_N ((size_t)1 << 20)

struct entry {
	struct entry *newer, *older; /* in the order of use */
	struct entry *next;          /* in the bucket */
	uint8_t key[SHA256_LEN];
	void *val;
	size_t bytes;
};

struct lru {
	size_t max_n, max_bytes, n, bytes;
	void (*drop)(void *val);
	struct entry *newest, *oldest;
	size_t mask; /* buckets - 1 */
	struct entry **bucket;
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
	if ((l->bucket = calloc(buckets, sizeof(struct entry *))) == NULL) {
		free(l);
		return VT_E_NOMEM;
	}
	l->max_n = max_n;
	l->max_bytes = max_bytes;
	l->drop = drop;
	l->mask = buckets - 1;
	*ret = l;
	return VT_OK;
}

static struct entry **
bucket_of(struct lru *l, const uint8_t key[SHA256_LEN])
{
	return &l->bucket[be32_get(key) & l->mask];
}

static struct entry *
find(struct lru *l, const uint8_t key[SHA256_LEN])
{
	struct entry *e = *bucket_of(l, key);

	while (e != NULL && memcmp(e->key, key, SHA256_LEN) != 0)
		e = e->next;
	return e;
}

static void
unlink_use(struct lru *l, struct entry *e)
{
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		l->newest = e->older;
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		l->oldest = e->newer;
}

static void
link_use(struct lru *l, struct entry *e)
{
	e->newer = NULL;
	e->older = l->newest;
	if (l->newest != NULL)
		l->newest->newer = e;
	else
		l->oldest = e;
	l->newest = e;
}

static void
forget(struct lru *l, struct entry *e)
{
	struct entry **pp = bucket_of(l, e->key);

	while (*pp != e)
		pp = &(*pp)->next;
	*pp = e->next;
	unlink_use(l, e);
	l->n--;
	l->bytes -= e->bytes;
	l->drop(e->val);
	free(e);
}

void
lru_free(struct lru *l)
{
	if (l == NULL)
		return;
	while (l->oldest != NULL)
		forget(l, l->oldest);
	free(l->bucket);
	free(l);
}

void *
lru_find(struct lru *l, const uint8_t key[SHA256_LEN])
{
	struct entry *e = find(l, key);

	if (e == NULL)
		return NULL;
	unlink_use(l, e);
	link_use(l, e);
	return e->val;
}

int
lru_put(struct lru *l, const uint8_t key[SHA256_LEN], void *val, size_t bytes)
{
	struct entry *e, **pp, *was;

	if (bytes > l->max_bytes || sizeof(*e) > l->max_bytes - bytes)
		return VT_E_RANGE;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return VT_E_NOMEM;
	if ((was = find(l, key)) != NULL)
		forget(l, was);
	memcpy(e->key, key, SHA256_LEN);
	e->val = val;
	e->bytes = bytes + sizeof(*e);
	pp = bucket_of(l, key);
	e->next = *pp;
	*pp = e;
	link_use(l, e);
	l->n++;
	l->bytes += e->bytes;
	while (l->n > l->max_n || l->bytes > l->max_bytes)
		forget(l, l->oldest); /* never e: it fits alone */
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
