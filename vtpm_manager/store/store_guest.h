/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_guest.h - the guests in the store: find, add, delete, change status.
 *
 * Layer:  vtpm_manager/store.
 * Limits: HT_MAX_SLOTS guests; store_space() must allow a new one.
 */
#ifndef VTPM_MANAGER_STORE_STORE_GUEST_H
#define VTPM_MANAGER_STORE_STORE_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/util.h"
#include "vtpm/proto/worker_msg.h"

struct store;

enum guest_status { GUEST_STOPPED = 1, GUEST_RUNNING = 2 };
enum {
	GUEST_F_RESTORED = 1,  /* a snapshot restore raised the generation */
	GUEST_F_RECOVERED = 2, /* an operator accepted an old state */
};

#define GUEST_FIRST_GENERATION 1

struct guest {
	uint8_t uuid[UUID_LEN];
	char name[NAME_MAX_LEN + 1];
	uint32_t slot;       /* leaf in the hash tree; also uid offset */
	uint32_t group;      /* tenant; 0: the host */
	uint8_t tpm_version; /* TPM_VER_* */
	uint8_t status;      /* enum guest_status, as last requested */
	uint32_t flags;      /* GUEST_F_* */
	uint32_t owner;      /* uid that may attach; 0: none was named */
	uint64_t generation, version;
	uint64_t created_ms;        /* wall clock */
	uint8_t digest[32];         /* SHA-256 of the sealed permanent state */
	uint32_t state_len;         /* its bytes; not stored, counted */
	bool tampered;              /* set by store_unlock(), with why */
	char why[TEXT_MAX_LEN + 1]; /* without the guest's name */
};

/* Add a guest and set in->slot.  VT_E_EXISTS: its name or UUID is taken;
 * VT_E_SPACE: the reserve is in use; VT_E_RANGE: no name. */
int store_guest_add(struct store *st, struct guest *in) VT_CHECK;
/* VT_E_NOTFOUND; a tampered guest can be deleted, too. */
int store_guest_del(struct store *st, const uint8_t uuid[UUID_LEN]) VT_CHECK;
/* Copies; VT_E_NOTFOUND. */
int store_guest_find(
    struct store *st, const char *name_or_uuid, struct guest *ret) VT_CHECK;
int store_guest_get(
    struct store *st, const uint8_t uuid[UUID_LEN], struct guest *ret) VT_CHECK;
/* Ordered by name; cb returns 0 to continue, another value ends the walk and
 * is returned. */
int store_guest_each(struct store *st,
    int (*cb)(const struct guest *in, void *arg), void *arg) VT_CHECK;
/* VT_E_NOTFOUND; VT_E_CORRUPT: it is tampered. */
int store_guest_status(struct store *st, const uint8_t uuid[UUID_LEN],
    enum guest_status s) VT_CHECK;
/* As store_guest_status(). */
int store_guest_owner(
    struct store *st, const uint8_t uuid[UUID_LEN], uint32_t owner) VT_CHECK;

/* --- for the store's own files ------------------------------------------ */

struct entry;

/* Mark e as tampered, with the reason. */
void store_guest_mark(struct entry *e, const char *fmt, ...) VT_PRINTF(2, 3);
/* A guest that may be read and changed: the store is open, the guest exists
 * and is not tampered.  VT_E_STATE, VT_E_NOTFOUND, VT_E_CORRUPT. */
int store_guest_good(struct store *st, const uint8_t uuid[UUID_LEN],
    struct entry **ret) VT_CHECK;

#endif
