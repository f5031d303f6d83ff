/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store.h - the manager's store: guests, their sealed state, values and the
 * audit log in one database.
 *
 * Layer:  vtpm_manager.
 * Parts:  store_guest.h guests; store_blob.h their sealed state and records;
 *         store_meta.h values inside the tree; store_audit.h the audit log;
 *         store_commit.h, store_check.h (unlock) and store_recover.h.
 *         Changes wait in memory for store_commit().
 * Durability: store_commit() returns VT_OK only after fsync (WAL,
 *         synchronous=FULL).  One transaction holds every change since the
 *         last commit: group commit.
 * Law 5:  a 16-ary hash tree covers all guests: everything in struct guest and
 *         the digests of all that is kept for the guest.  The root record has
 *         the tree's root and an HMAC under a key derived from the master key.
 *         store_unlock() verifies all of it, every blob included, and sets
 *         guest.tampered where something does not match.  A guest whose record
 *         is missing stays listed under its name, so that no new guest takes
 *         that name by mistake.  A tampered guest can only be deleted, or
 *         recovered by an operator.
 * Space:  a reserve file of reserve_mb occupies disk space.  On a full disk
 *         the store frees it so that running guests can continue; store_space()
 *         reports that until the reserve is back.
 * States: after store_open() the store is locked: it lists its guests, all
 *         marked as unverified, and serves store_kv_*().  store_unlock() opens
 *         it, or finds it broken (root missing or wrong): a broken store can
 *         be listed, and every change is VT_E_CORRUPT.
 * Fork:   every descriptor is close-on-exec; a child that does not exec
 *         would keep the lock.
 */
#ifndef VTPM_MANAGER_STORE_STORE_H
#define VTPM_MANAGER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/store/store_folder.h"

struct store; /* opaque */

/*
 * Open or create DIR/store.db (0600) and lock the folder.  reserve_mb 0:
 * default 16.  text: at least TEXT_MAX_LEN + 1 bytes, set on failure.
 * VT_E_BUSY: another manager holds the lock (text gives its pid);
 * VT_E_CORRUPT: the folder held a store and its database is missing, empty or
 * damaged; VT_E_UNSUPPORTED: a newer manager wrote it.
 */
int store_open(const char *dir, unsigned int reserve_mb, struct store **ret,
    char *text) VT_CHECK;
void store_close(struct store *st); /* drops uncommitted changes */
/* Why the last failed call of any store function failed; "": none failed. */
const char *store_why(const struct store *st);
/* Nothing was ever kept here: only then may a manager make a new master key. */
bool store_is_new(struct store *st);

/*
 * Small values outside the tree.  store_unlock() refuses a store that has a
 * host blob and no root, so put the first host blob and unlock without a
 * commit in between: both become durable together.
 */
#define STORE_KV_HOST "host_blob"
#define STORE_KV_BOOT "boot_id" /* of the boot whose workers may be there */
int store_kv_get(struct store *st, const char *key, uint8_t **ret,
    size_t *ret_len) VT_CHECK; /* heap; VT_E_NOTFOUND */
int store_kv_put(struct store *st, const char *key, const void *p,
    size_t len) VT_CHECK; /* len 0 deletes */

/*
 * The physical TPM's counter (anchor_fsm.h).  store_anchor(): its value in the
 * newest durable root.  store_anchor_set(): its value in every later root;
 * before store_unlock() of a new store, in the first.  store_commits(): the
 * number of roots so far.
 */
uint64_t store_anchor(const struct store *st);
void store_anchor_set(struct store *st, uint64_t anchor);
uint64_t store_commits(const struct store *st);

/* Room on the disk of the state folder; restores the reserve if possible. */
void store_space(struct store *st, struct store_space *ret);

#endif
