/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_pending.h - the open transaction: changes that wait for a commit, and
 * what they replaced.
 *
 * Layer:  vtpm_manager/store; only the store's own files include it.
 */
#ifndef VTPM_MANAGER_STORE_STORE_PENDING_H
#define VTPM_MANAGER_STORE_STORE_PENDING_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vtpm_manager/store/audit_chain.h"
#include "vtpm_manager/store/hash_tree.h"
#include "vtpm_manager/store/registry.h"
#include "vtpm_manager/store/store_ops.h"

struct store;

/* A change that waits for the commit. */
struct pend {
	TAILQ_ENTRY(pend) link;
	struct store_op op; /* key, rec and p point into this allocation */
	struct audit_rec rec;
	uint8_t bytes[];
};

/* A guest as it was before the open transaction touched its slot. */
struct touch {
	SLIST_ENTRY(touch) link;
	uint32_t slot;
	struct entry *was;    /* NULL: the slot was empty; owned */
	struct entry was_row; /* its content then */
	bool leaf_set;        /* the tree has the new leaf */
	uint8_t leaf[HT_LEN], label[HT_LABEL_LEN]; /* the old ones */
};

TAILQ_HEAD(pend_list, pend);
SLIST_HEAD(touch_list, touch);

/* An empty change with room for len bytes; free() it or queue it.  NULL: out
 * of memory, store_why() has the reason. */
struct pend *store_pend_new(struct store *st, size_t len);
void store_pend_queue(struct store *st, struct pend *p); /* given */
/* Queue a copy of op (SW_KV or SW_BLOB), in place of an earlier one for the
 * same target. */
int store_pend_put(struct store *st, const struct store_op *op) VT_CHECK;
/* The change that waits for op's target; borrowed; NULL: none. */
struct pend *store_pend_find(const struct store *st, const struct store_op *op);
/* Heap copy of its value; VT_E_NOTFOUND: a deletion waits. */
int store_pend_copy(
    const struct pend *p, uint8_t **ret, size_t *ret_len) VT_CHECK;

/* Remember what is in slot before the first change to it. */
int store_touch(struct store *st, uint32_t slot) VT_CHECK;
/* Does the open transaction own e, to put it back? */
bool store_touch_owns(const struct store *st, const struct entry *e);

/* End the transaction: forget changes and what they replaced. */
void store_pending_clear(struct store *st);
/* Put the registry back as it was, then forget both. */
void store_pending_undo(struct store *st);

#endif
