/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_meta.h - small values inside the tree: tenants, policies.
 *
 * Layer:  vtpm_manager/store.  Only after store_unlock().
 * Law 5:  their digests are in the root record, so a value can be neither
 *         changed nor rolled back alone.
 * Limits: keys of 1 to META_KEY_MAX bytes, STORE_META_MAX bytes a value,
 *         META_MAX values.
 */
#ifndef VTPM_MANAGER_STORE_STORE_META_H
#define VTPM_MANAGER_STORE_STORE_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"

#define STORE_META_MAX 65536
#define META_PREFIX "meta:" /* of their keys in the backend */
#define META_KEY_MAX 31
#define META_KEY_ROOM (sizeof(META_PREFIX) + META_KEY_MAX)
#define META_MAX 4096

struct store;

/* Heap; VT_E_NOTFOUND, VT_E_CORRUPT (the digest does not match). */
int store_meta_get(
    struct store *st, const char *key, uint8_t **ret, size_t *ret_len) VT_CHECK;
/* len 0 deletes.  VT_E_RANGE: see Limits. */
int store_meta_put(
    struct store *st, const char *key, const void *p, size_t len) VT_CHECK;

/* --- for the store's own files ------------------------------------------ */

struct meta_ent {
	char key[META_KEY_MAX + 1];
	uint8_t digest[SHA256_LEN];
};

struct meta {
	struct meta_ent *v; /* n, by key */
	size_t n;
	bool bad; /* the index does not match the root */
};

void store_meta_done(struct meta *m);
/* Read the index that st->root names.  A mismatch sets st->meta.bad. */
int store_meta_load(struct store *st) VT_CHECK;
/* If values wait for the commit: queue the index with them (given in
 * ret_next) and set its digest.  Otherwise ret_next->v stays NULL. */
int store_meta_next(struct store *st, struct meta *ret_next,
    uint8_t digest[SHA256_LEN]) VT_CHECK;

#endif
