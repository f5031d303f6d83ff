/* SPDX-License-Identifier: BSD-3-Clause */
/* registry.c - the store's guests in memory: three sorted tables. */
#include "vtpm_manager/store/registry.h"

#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/store/hash_tree.h"

static int
cmp_name(const struct entry *e, const void *key)
{
	return strcmp(e->row.in.name, key);
}

static int
cmp_uuid(const struct entry *e, const void *key)
{
	return memcmp(e->row.in.uuid, key, UUID_LEN);
}

/* First place in v whose entry is not less than key. */
static size_t
lower(struct entry *const *v, size_t n,
    int (*cmp)(const struct entry *e, const void *key), const void *key)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (cmp(v[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct entry *
find(struct entry *const *v, size_t n,
    int (*cmp)(const struct entry *e, const void *key), const void *key)
{
	size_t i = lower(v, n, cmp, key);

	return i < n && cmp(v[i], key) == 0 ? v[i] : NULL;
}

static void
insert(struct entry **v, size_t n, size_t at, struct entry *e)
{
	memmove(v + at + 1, v + at, (n - at) * sizeof(struct entry *));
	v[at] = e;
}

static int
reserve(struct registry *g, uint32_t slot)
{
	size_t cap = g->cap > 0 ? 2 * g->cap : 16;
	uint32_t ns = (slot | 63) + 1;
	struct entry **v;

	if (g->n == g->cap) {
		if ((v = realloc(g->by_name, cap * sizeof(*v))) == NULL)
			return VT_E_NOMEM;
		g->by_name = v;
		if ((v = realloc(g->by_uuid, cap * sizeof(*v))) == NULL)
			return VT_E_NOMEM;
		g->by_uuid = v;
		g->cap = cap;
	}
	if (slot >= g->nslots) {
		if ((v = realloc(g->by_slot, ns * sizeof(*v))) == NULL)
			return VT_E_NOMEM;
		memset(v + g->nslots, 0, (ns - g->nslots) * sizeof(*v));
		g->by_slot = v;
		g->nslots = ns;
	}
	return VT_OK;
}

int
registry_add(struct registry *g, struct entry *e)
{
	const struct guest *in = &e->row.in;
	int rc;

	if (in->slot >= HT_MAX_SLOTS)
		return VT_E_RANGE;
	if (registry_slot(g, in->slot) != NULL ||
	    registry_name(g, in->name) != NULL ||
	    registry_uuid(g, in->uuid) != NULL)
		return VT_E_EXISTS;
	if ((rc = reserve(g, in->slot)) != VT_OK)
		return rc;
	insert(
	    g->by_name, g->n, lower(g->by_name, g->n, cmp_name, in->name), e);
	insert(
	    g->by_uuid, g->n, lower(g->by_uuid, g->n, cmp_uuid, in->uuid), e);
	g->by_slot[in->slot] = e;
	g->n++;
	return VT_OK;
}

static void
take_out(struct entry **v, size_t n, size_t at)
{
	memmove(v + at, v + at + 1, (n - at - 1) * sizeof(struct entry *));
}

void
registry_remove(struct registry *g, struct entry *e)
{
	const struct guest *in = &e->row.in;

	take_out(g->by_name, g->n, lower(g->by_name, g->n, cmp_name, in->name));
	take_out(g->by_uuid, g->n, lower(g->by_uuid, g->n, cmp_uuid, in->uuid));
	g->by_slot[in->slot] = NULL;
	g->n--;
}

struct entry *
registry_slot(const struct registry *g, uint32_t slot)
{
	return slot < g->nslots ? g->by_slot[slot] : NULL;
}

struct entry *
registry_uuid(const struct registry *g, const uint8_t uuid[UUID_LEN])
{
	return find(g->by_uuid, g->n, cmp_uuid, uuid);
}

struct entry *
registry_name(const struct registry *g, const char *name)
{
	return find(g->by_name, g->n, cmp_name, name);
}

void
registry_clear(struct registry *g)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		free(g->by_name[i]);
	free(g->by_name);
	free(g->by_uuid);
	free(g->by_slot);
	memset(g, 0, sizeof(*g));
}
