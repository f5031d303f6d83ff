/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hash_tree.h - a 16-ary hash tree over numbered slots, kept in pages.
 *
 * Layer:  vtpm_manager; no I/O, no logging.
 * Bytes:  a leaf page holds 16 entries of leaf[32] | label[80], an upper
 *         page 16 digests of the pages under it.  Digest of a page:
 *         SHA-256(0x01 | "vTPM tree page" | u8 level | be32 index | bytes).
 *         The root is the digest of the one page of the top level.
 * Cost:   a changed leaf changes one page per level: log16(slots) pages.
 * Labels: name the guest of a leaf, so that a guest whose record is missing can
 *         still be named.  The page's digest covers them.
 */
#ifndef VTPM_MANAGER_STORE_HASH_TREE_H
#define VTPM_MANAGER_STORE_HASH_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HT_ARITY 16
#define HT_LEN 32          /* SHA-256 */
#define HT_LABEL_LEN 80    /* bytes */
#define HT_MAX_SLOTS 65536 /* four levels */
#define HT_POISON 0xff     /* fills the leaves of a bad page */
#define HT_PAGE_MAX (HT_ARITY * (HT_LEN + HT_LABEL_LEN))

struct ht; /* opaque */

/* A tree of nslots empty slots (leaf and label all zero).  VT_E_RANGE: over
 * HT_MAX_SLOTS; VT_E_NOMEM. */
int ht_new(uint32_t nslots, struct ht **ret) VT_CHECK;
void ht_free(struct ht *t); /* NULL is a no-op */
uint32_t ht_slots(const struct ht *t);

/*
 * Load a stored page into a new tree.  VT_E_RANGE: no page of this tree;
 * VT_E_FORMAT: wrong length; both leave the page missing.
 */
int ht_load(struct ht *t, uint8_t level, uint32_t index, const void *p,
    size_t len) VT_CHECK;
/*
 * After the last ht_load(): find the pages that root does not prove, from the
 * top down.  A page under a bad page is bad.  The leaves of a bad page become
 * HT_POISON and their labels empty, so that a later write cannot bring their
 * content under a good root.  VT_OK and the number of bad leaf pages, or
 * VT_E_CRYPTO.
 */
int ht_check(
    struct ht *t, const uint8_t root[HT_LEN], uint32_t *ret_bad) VT_CHECK;
/* Is the page of this slot good? */
bool ht_slot_ok(const struct ht *t, uint32_t slot);

/* slot < ht_slots(); label may be NULL. */
void ht_get(const struct ht *t, uint32_t slot, uint8_t leaf[HT_LEN],
    uint8_t label[HT_LABEL_LEN]);
/* Set a leaf; the tree grows up to slot.  Unchanged on VT_E_RANGE and
 * VT_E_NOMEM. */
int ht_set(struct ht *t, uint32_t slot, const uint8_t leaf[HT_LEN],
    const uint8_t label[HT_LABEL_LEN]) VT_CHECK;
/* Set a label in memory only; this alone does not make the page dirty. */
void ht_relabel(struct ht *t, uint32_t slot, const uint8_t label[HT_LABEL_LEN]);

/* Digest what changed, up to the root.  VT_E_CRYPTO. */
int ht_update(struct ht *t, uint8_t ret_root[HT_LEN]) VT_CHECK;
/* The pages changed since ht_clean(); cb returns 0 to continue, another value
 * ends the walk and is returned. */
int ht_each_dirty(const struct ht *t,
    int (*cb)(
	uint8_t level, uint32_t index, const uint8_t *p, size_t len, void *arg),
    void *arg) VT_CHECK;
void ht_clean(struct ht *t);

#endif
