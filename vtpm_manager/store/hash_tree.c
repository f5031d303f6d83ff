/* SPDX-License-Identifier: BSD-3-Clause */
/* hash_tree.c - the store's hash tree: pages, digests, dirty pages. */
#include "vtpm_manager/store/hash_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/rdwr.h"
#include "base/util.h"

#define MAX_LEVELS 4 /* 16^4 = HT_MAX_SLOTS */
#define ENTRY_LEN (HT_LEN + HT_LABEL_LEN)

_Static_assert(1u << (4 * MAX_LEVELS) == HT_MAX_SLOTS, "levels");

enum { PF_LOADED = 1, PF_BAD = 2, PF_DIRTY = 4, PF_STALE = 8 };
/* PF_DIRTY: to be written.  PF_STALE: its digest in the page above, or in the
 * root, is outdated. */

struct level {
	uint8_t *bytes; /* npages pages */
	uint8_t *flags; /* PF_* */
	uint32_t npages;
};

struct ht {
	uint32_t nslots;
	unsigned int nlevels; /* the top one has one page */
	struct level lv[MAX_LEVELS];
	uint8_t root[HT_LEN];
};

static size_t
page_len(unsigned int level)
{
	return level == 0 ? (size_t)HT_ARITY * ENTRY_LEN
			  : (size_t)HT_ARITY * HT_LEN;
}

static uint8_t *
page_at(const struct ht *t, unsigned int level, uint32_t index)
{
	return t->lv[level].bytes + (size_t)index * page_len(level);
}

static uint8_t *
entry_at(const struct ht *t, uint32_t slot)
{
	return page_at(t, 0, slot / HT_ARITY) +
	       (size_t)(slot % HT_ARITY) * ENTRY_LEN;
}

/* Pages that each level needs for nslots; returns the number of levels. */
static unsigned int
shape(uint32_t nslots, uint32_t npages[MAX_LEVELS])
{
	unsigned int l = 0;
	uint32_t n = nslots > 0 ? nslots : 1;

	for (;;) {
		n = (n + HT_ARITY - 1) / HT_ARITY;
		npages[l++] = n;
		if (n == 1 || l == MAX_LEVELS)
			return l;
	}
}

/* Make room for npages; existing pages stay.  On failure only spare memory
 * changes, which a later call uses. */
static int
level_grow(struct level *lv, unsigned int level, uint32_t npages)
{
	uint8_t *b, *f;

	if (npages <= lv->npages)
		return VT_OK;
	if ((b = realloc(lv->bytes, npages * page_len(level))) == NULL)
		return VT_E_NOMEM;
	lv->bytes = b;
	if ((f = realloc(lv->flags, npages)) == NULL)
		return VT_E_NOMEM;
	lv->flags = f;
	memset(b + lv->npages * page_len(level), 0,
	    (npages - lv->npages) * page_len(level));
	memset(f + lv->npages, 0, npages - lv->npages);
	return VT_OK;
}

static void
mark(struct ht *t, unsigned int level, uint32_t index)
{
	t->lv[level].flags[index] |= PF_DIRTY | PF_STALE;
}

static int
grow(struct ht *t, uint32_t nslots)
{
	uint32_t np[MAX_LEVELS], i;
	unsigned int l, nl = shape(nslots, np);
	int rc;

	for (l = 0; l < nl; l++)
		if ((rc = level_grow(&t->lv[l], l, np[l])) != VT_OK)
			return rc;
	for (l = 0; l < nl; l++) {
		for (i = t->lv[l].npages; i < np[l]; i++)
			mark(t, l, i);
		t->lv[l].npages = np[l];
	}
	/* The old top page now has a parent. */
	if (t->nlevels != 0 && nl > t->nlevels)
		t->lv[t->nlevels - 1].flags[0] |= PF_STALE;
	t->nlevels = nl;
	t->nslots = nslots;
	return VT_OK;
}

int
ht_new(uint32_t nslots, struct ht **ret)
{
	struct ht *t;
	int rc;

	if (nslots > HT_MAX_SLOTS)
		return VT_E_RANGE;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return VT_E_NOMEM;
	if ((rc = grow(t, nslots)) != VT_OK) {
		ht_free(t);
		return rc;
	}
	*ret = t;
	return VT_OK;
}

void
ht_free(struct ht *t)
{
	unsigned int l;

	if (t == NULL)
		return;
	for (l = 0; l < MAX_LEVELS; l++) {
		free(t->lv[l].bytes);
		free(t->lv[l].flags);
	}
	free(t);
}

uint32_t
ht_slots(const struct ht *t)
{
	return t->nslots;
}

static int
page_digest(
    const struct ht *t, unsigned int level, uint32_t index, uint8_t out[HT_LEN])
{
	static const char tag[] = "\x01vTPM tree page";
	uint8_t pos[5] = { (uint8_t)level };
	struct iov_part parts[] = {
		{ tag, sizeof(tag) - 1 },
		{ pos, sizeof(pos) },
		{ page_at(t, level, index), page_len(level) },
	};

	be32_put(pos + 1, index);
	return digest_parts(ALG_SHA256, parts, VT_NELEM(parts), out);
}

int
ht_load(struct ht *t, uint8_t level, uint32_t index, const void *p, size_t len)
{
	if (level >= t->nlevels || index >= t->lv[level].npages)
		return VT_E_RANGE;
	if (len != page_len(level))
		return VT_E_FORMAT;
	memcpy(page_at(t, level, index), p, len);
	t->lv[level].flags[index] = PF_LOADED;
	return VT_OK;
}

/*
 * An intruder wrote the content of a bad page.  If it stayed, the next change
 * beside it would bring it under a good root.  Poison matches no record, so a
 * bad slot stays bad however often the page is written.
 */
static void
spoil_page(struct ht *t, unsigned int level, uint32_t index)
{
	uint8_t *p = page_at(t, level, index);
	size_t i;

	t->lv[level].flags[index] = PF_BAD;
	memset(p, HT_POISON, page_len(level));
	for (i = 0; level == 0 && i < HT_ARITY; i++)
		memset(p + i * ENTRY_LEN + HT_LEN, 0, HT_LABEL_LEN);
}

static int
check_page(struct ht *t, unsigned int level, uint32_t index,
    const uint8_t want[HT_LEN])
{
	uint8_t got[HT_LEN];
	int rc;

	if ((t->lv[level].flags[index] & PF_LOADED) == 0) {
		spoil_page(t, level, index);
		return VT_OK;
	}
	if ((rc = page_digest(t, level, index, got)) != VT_OK)
		return rc;
	t->lv[level].flags[index] = 0;
	if (!mem_equal(got, want, HT_LEN))
		spoil_page(t, level, index);
	return VT_OK;
}

int
ht_check(struct ht *t, const uint8_t root[HT_LEN], uint32_t *ret_bad)
{
	unsigned int l = t->nlevels - 1;
	uint32_t i, bad = 0;
	int rc;

	memcpy(t->root, root, HT_LEN);
	if ((rc = check_page(t, l, 0, root)) != VT_OK)
		return rc;
	while (l > 0) {
		l--;
		for (i = 0; i < t->lv[l].npages; i++) {
			uint32_t up = i / HT_ARITY;

			/* No page matches the poison of a bad one. */
			rc = check_page(t, l, i,
			    page_at(t, l + 1, up) +
				(size_t)(i % HT_ARITY) * HT_LEN);
			if (rc != VT_OK)
				return rc;
		}
	}
	for (i = 0; i < t->lv[0].npages; i++)
		bad += (t->lv[0].flags[i] & PF_BAD) != 0;
	*ret_bad = bad;
	return VT_OK;
}

bool
ht_slot_ok(const struct ht *t, uint32_t slot)
{
	return slot < t->nslots &&
	       (t->lv[0].flags[slot / HT_ARITY] & PF_BAD) == 0;
}

void
ht_get(const struct ht *t, uint32_t slot, uint8_t leaf[HT_LEN],
    uint8_t label[HT_LABEL_LEN])
{
	const uint8_t *e = entry_at(t, slot);

	memcpy(leaf, e, HT_LEN);
	if (label != NULL)
		memcpy(label, e + HT_LEN, HT_LABEL_LEN);
}

void
ht_relabel(struct ht *t, uint32_t slot, const uint8_t label[HT_LABEL_LEN])
{
	memcpy(entry_at(t, slot) + HT_LEN, label, HT_LABEL_LEN);
}

int
ht_set(struct ht *t, uint32_t slot, const uint8_t leaf[HT_LEN],
    const uint8_t label[HT_LABEL_LEN])
{
	int rc;

	if (slot >= HT_MAX_SLOTS)
		return VT_E_RANGE;
	if (slot >= t->nslots && (rc = grow(t, slot + 1)) != VT_OK)
		return rc;
	memcpy(entry_at(t, slot), leaf, HT_LEN);
	ht_relabel(t, slot, label);
	mark(t, 0, slot / HT_ARITY);
	return VT_OK;
}

int
ht_update(struct ht *t, uint8_t ret_root[HT_LEN])
{
	unsigned int l, top = t->nlevels - 1;
	uint32_t i;
	int rc;

	for (l = 0; l <= top; l++) {
		for (i = 0; i < t->lv[l].npages; i++) {
			uint8_t *to = t->root;

			if ((t->lv[l].flags[i] & PF_STALE) == 0)
				continue;
			if (l < top)
				to = page_at(t, l + 1, i / HT_ARITY) +
				     (size_t)(i % HT_ARITY) * HT_LEN;
			if ((rc = page_digest(t, l, i, to)) != VT_OK)
				return rc;
			t->lv[l].flags[i] &= (uint8_t)~PF_STALE;
			if (l < top)
				mark(t, l + 1, i / HT_ARITY);
		}
	}
	memcpy(ret_root, t->root, HT_LEN);
	return VT_OK;
}

int
ht_each_dirty(const struct ht *t,
    int (*cb)(
	uint8_t level, uint32_t index, const uint8_t *p, size_t len, void *arg),
    void *arg)
{
	unsigned int l;
	uint32_t i;
	int rc;

	for (l = 0; l < t->nlevels; l++)
		for (i = 0; i < t->lv[l].npages; i++) {
			if ((t->lv[l].flags[i] & PF_DIRTY) == 0)
				continue;
			rc = cb(
			    (uint8_t)l, i, page_at(t, l, i), page_len(l), arg);
			if (rc != 0)
				return rc;
		}
	return VT_OK;
}

void
ht_clean(struct ht *t)
{
	unsigned int l;
	uint32_t i;

	for (l = 0; l < t->nlevels; l++)
		for (i = 0; i < t->lv[l].npages; i++)
			t->lv[l].flags[i] &= (uint8_t) ~(PF_DIRTY | PF_STALE);
}
