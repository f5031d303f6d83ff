/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_check.h - unlock a store: verify everything in it against its root.
 *
 * Layer:  vtpm_manager/store.
 * Trust:  every process that can write to the state folder may have written
 *         these bytes.
 */
#ifndef VTPM_MANAGER_STORE_STORE_CHECK_H
#define VTPM_MANAGER_STORE_STORE_CHECK_H

#include <stdint.h>

#include "base/err.h"

struct store;

/*
 * Derive the root's key from master, then verify root, hash tree, records,
 * blobs and audit chain.  Guests that do not match are marked.  VT_E_CORRUPT:
 * the root itself is missing or wrong (text says which), so every guest is
 * marked.  A new store gets its first root; this commits all that was put
 * before.  With VT_OK, text is "" or a warning that the operator must see:
 * the audit log or the list of values does not match.  VT_E_STATE: already
 * open.  Copies of guests from before are stale; find them again.
 */
int store_unlock(
    struct store *st, const uint8_t master[32], char *text) VT_CHECK;

/* --- for the store's own files ------------------------------------------ */

/* List all guests of a store that is still locked, marked as unverified. */
int store_check_list(struct store *st) VT_CHECK;

#endif
