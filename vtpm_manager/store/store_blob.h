/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_blob.h - a guest's sealed state and the records kept beside it, each
 * under its digest in the guest's record.
 *
 * Layer:  vtpm_manager/store.
 * Limits: STATE_MAX_LEN bytes each; VT_E_RANGE.
 */
#ifndef VTPM_MANAGER_STORE_STORE_BLOB_H
#define VTPM_MANAGER_STORE_STORE_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/util.h"

struct store;

/* What is kept beside the permanent state, per guest. */
enum store_extra {
	SX_CERTS = 1,    /* JSON: EK and AK certificates and public areas */
	SX_LAUNCH = 2,   /* encoded struct wlaunch */
	SX_LOG = 3,      /* last event log of the host */
	SX_VOLATILE = 4, /* sealed volatile state */
};

/*
 * New permanent state: generation, version and flags become these.
 * VT_E_STALE unless (generation, version) is greater than the stored pair.
 * The stored pair with the same digest is VT_OK and changes nothing: a worker
 * repeats what was not acknowledged.  VT_E_AUTH: digest is not that of blob;
 * VT_E_CORRUPT: the guest is tampered.
 */
int store_state_put(struct store *st, const uint8_t uuid[UUID_LEN],
    uint64_t generation, uint64_t version, uint32_t flags,
    const uint8_t digest[32], const uint8_t *blob, size_t len) VT_CHECK;
/* Heap; VT_E_NOTFOUND, VT_E_CORRUPT (the digest does not match). */
int store_state_get(struct store *st, const uint8_t uuid[UUID_LEN],
    uint8_t **ret, size_t *ret_len) VT_CHECK;
int store_extra_put(struct store *st, const uint8_t uuid[UUID_LEN],
    enum store_extra x, const uint8_t *p, size_t len) VT_CHECK; /* len 0
	deletes */
int store_extra_get(struct store *st, const uint8_t uuid[UUID_LEN],
    enum store_extra x, uint8_t **ret, size_t *ret_len) VT_CHECK;

/* --- for the store's own files ------------------------------------------ */

struct entry;

/* Read a committed blob and compare its digest.  VT_E_CORRUPT: it does not
 * match, or is missing; the entry is marked. */
int store_blob_get(struct store *st, struct entry *e, unsigned int kind,
    uint8_t **ret, size_t *ret_len) VT_CHECK;
/* Compare every blob with its digest; a mismatch marks the entry. */
int store_blob_check(struct store *st, struct entry *e) VT_CHECK;
/* Delete a blob, if there is one. */
int store_blob_drop(
    struct store *st, struct entry *e, unsigned int kind) VT_CHECK;

#endif
