/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_int.h - what the store's own files share; nobody else includes it.
 *
 * Layer:  vtpm_manager.
 * store.c        open, commit, values, audit log, space
 * store_guest.c   instances and what is kept for them
 * registry.c    registry: instances by slot, uuid and name
 * store_meta.c   small values inside the tree
 * store_recover.c  a store, or a record, that an operator took although it
 *                is an old one
 * store_codec.c  bytes of leaf, label and root record
 * store_check.c  store_unlock(): compare what is kept with the tree
 * store_folder.c    folder: lock, epoch, reserve
 * store_sqlite.c the database
 */
#ifndef VTPM_MANAGER_STORE_STORE_INT_H
#define VTPM_MANAGER_STORE_STORE_INT_H

#include "vtpm_manager/store/audit_chain.h"
#include "vtpm_manager/store/hash_tree.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_folder.h"
#include "vtpm_manager/store/store_ops.h"

/* --- registry --------------------------------------------------------- */

struct entry {
	struct store_row row;
	bool frozen; /* marked by store_freeze() only */
};

struct registry {
	struct entry **by_slot; /* nslots, NULL where there is none */
	uint32_t nslots;
	struct entry **by_name, **by_uuid; /* n, sorted */
	size_t n, cap;
};

/* Add e (given on success).  VT_E_EXISTS: its slot, name or uuid is taken;
 * VT_E_NOMEM. */
int registry_add(struct registry *g, struct entry *e) VT_CHECK;
/* Take e out; it is the caller's again.  Room for it stays: adding it again
 * cannot fail. */
void registry_remove(struct registry *g, struct entry *e);
struct entry *registry_slot(const struct registry *g, uint32_t slot);
struct entry *registry_uuid(
    const struct registry *g, const uint8_t uuid[UUID_LEN]);
struct entry *registry_name(const struct registry *g, const char *name);
void registry_clear(struct registry *g); /* frees every entry */

/* --- codec ------------------------------------------------------------ */

#define ROOT_MAX 256   /* bytes of a root record */
#define LEAF_TOMB 0x54 /* fills the leaf of a slot that was given up */

struct root_rec {
	uint64_t seq;    /* commits since the first */
	uint64_t anchor; /* the physical TPM's NV counter; 0: not used yet */
	uint32_t nslots;
	uint8_t tree[HT_LEN];
	uint8_t meta[HT_LEN]; /* of the values' index; zero: there is none */
	uint64_t gen;         /* no instance ever had a greater generation */
	struct audit_chain audit;
};

int store_leaf_digest(const struct store_row *r, uint8_t out[HT_LEN]) VT_CHECK;
void store_label_make(const struct guest *in, uint8_t out[HT_LABEL_LEN]);
/* False: no label is there, or not one of ours. */
bool store_label_read(const uint8_t label[HT_LABEL_LEN], struct guest *ret);
/* Record and its HMAC-SHA256 under key, *ret_len <= ROOT_MAX bytes. */
int store_root_make(const uint8_t key[32], const struct root_rec *r,
    uint8_t out[ROOT_MAX], size_t *ret_len) VT_CHECK;
/* VT_E_FORMAT, VT_E_TRUNC: not a root record; VT_E_AUTH: not under key. */
int store_root_read(const uint8_t key[32], const uint8_t *p, size_t len,
    struct root_rec *ret) VT_CHECK;

/* --- values inside the tree -------------------------------------------- */

#define META_PREFIX "meta:" /* before their keys in the backend */
#define META_KEY_MAX 31
#define META_KEY_ROOM (sizeof(META_PREFIX) + META_KEY_MAX)
#define META_MAX 4096 /* values */

struct meta_ent {
	char key[META_KEY_MAX + 1];
	uint8_t digest[HT_LEN];
};

struct meta {
	struct meta_ent *v; /* n, by key */
	size_t n;
	bool bad; /* the index does not fit the root */
};

/* --- the store -------------------------------------------------------- */

enum store_mode {
	STORE_LOCKED,
	STORE_OPEN,
	STORE_BROKEN,
	STORE_FROZEN /* whole, but not the newest: store_freeze() */
};

/* A change that waits for the commit. */
struct pend {
	struct pend *next;
	struct store_op op; /* key, rec and p point into this allocation */
	struct audit_rec rec;
	uint8_t bytes[];
};

/* An instance as it was before the open transaction touched its slot. */
struct touch {
	struct touch *next;
	uint32_t slot;
	struct entry *was;    /* NULL: the slot was empty; ours */
	struct entry was_row; /* its content then */
	bool leaf_set;        /* the tree has the new leaf */
	uint8_t leaf[HT_LEN], label[HT_LABEL_LEN]; /* the old ones */
};

struct store {
	const struct store_ops *ops;
	void *be;
	struct store_folder *dir;
	enum store_mode mode;
	uint8_t key[32]; /* of the root's HMAC */
	struct registry reg;
	struct ht *tree;           /* NULL unless STORE_OPEN */
	struct root_rec root;      /* as committed */
	struct meta meta;          /* as committed */
	struct audit_chain chain;  /* with what waits */
	uint64_t anchor, gen;      /* of the next root */
	struct pend *pend, **tail; /* in order */
	struct touch *touched;
	uint32_t free_hint; /* no free slot below */
	char why[TEXT_MAX_LEN + 1];
	char frozen[TEXT_MAX_LEN + 1]; /* why it is STORE_FROZEN */
};

int store_fail(struct store *st, int rc, const char *fmt, ...)
    VT_PRINTF(3, 4);                         /* sets why, returns rc */
int store_fail_be(struct store *st, int rc); /* the backend's words */

int store_need_open(struct store *st) VT_CHECK; /* else why */
int store_need_read(struct store *st) VT_CHECK; /* open or frozen */
/* Note what stands in slot before the first change to it. */
int store_touch(struct store *st, uint32_t slot) VT_CHECK;
/* Does the open transaction keep e, to put it back? */
bool store_was_there(const struct store *st, const struct entry *e);
/* Queue a copy of op (SW_KV or SW_BLOB), in place of an earlier one for the
 * same target. */
int store_pend_put(struct store *st, const struct store_op *op) VT_CHECK;
struct pend *store_pend_find(const struct store *st, const struct store_op *op);
/* Heap copy of what waits; VT_E_NOTFOUND: a deletion waits. */
int store_pend_copy(
    const struct pend *p, uint8_t **ret, size_t *ret_len) VT_CHECK;

/* store_guest.c */
/* Read a blob and compare its digest.  VT_E_CORRUPT: why, and the entry is
 * marked. */
int store_blob_get(struct store *st, struct entry *e, unsigned int kind,
    uint8_t **ret, size_t *ret_len) VT_CHECK;
void store_mark(struct entry *e, const char *fmt, ...) VT_PRINTF(2, 3);
/* Every blob against its digest; what does not fit marks the entry. */
int store_blobs_check(struct store *st, struct entry *e) VT_CHECK;
int store_blob_drop(struct store *st, struct entry *e, unsigned int k) VT_CHECK;

/* store_meta.c */
void store_meta_done(struct meta *m);
/* The index that st->root names.  One that does not fit is marked. */
int store_meta_load(struct store *st) VT_CHECK;
/* If values wait: queue the index with them, which becomes the caller's, and
 * give its digest.  Else ret_next->v stays NULL. */
int store_meta_next(
    struct store *st, struct meta *ret_next, uint8_t digest[HT_LEN]) VT_CHECK;

/* store_check.c */
int store_list_locked(struct store *st) VT_CHECK;

#endif
