/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_ops.h - what the store needs from a database.
 *
 * Layer:  vtpm_manager.
 * The store keeps registry and hash tree in memory and gives the backend one
 * list of changes per commit.  A backend is a keyed container with an atomic,
 * durable batch write: SQLite here, a key-value service later.
 * Trust:  a backend's answers are untrusted; store_check.c compares them with
 *         the tree.
 */
#ifndef VTPM_MANAGER_STORE_STORE_OPS_H
#define VTPM_MANAGER_STORE_STORE_OPS_H

#include "base/crypto.h"
#include "vtpm_manager/store/store_guest.h"

struct audit_rec;

#define SX_STATE 0 /* the permanent state, beside enum store_extra */
#define SX_N 5     /* kinds of blobs */

/* One guest as stored. */
struct store_row {
	struct guest in;               /* tampered and why are not stored */
	uint8_t dig[SX_N][SHA256_LEN]; /* of each blob; zero: none.
					  dig[SX_STATE] is in.digest. */
	bool odd; /* read: a field has the wrong type or range */
};

enum store_what {
	SW_KV = 1,    /* key, p, len; len 0 deletes */
	SW_ROW,       /* row (by its slot) */
	SW_ROW_DEL,   /* slot */
	SW_BLOB,      /* slot, kind, p, len; len 0 deletes */
	SW_PAGE,      /* level, index, p, len */
	SW_ROOT,      /* p, len */
	SW_AUDIT,     /* rec */
	SW_AUDIT_CUT, /* seq: delete up to and including it */
};

struct store_op {
	enum store_what what;
	const char *key;
	uint32_t slot;     /* or a page's index */
	unsigned int kind; /* SX_*, or a page's level */
	uint64_t seq;
	const struct store_row *row;
	const struct audit_rec *rec;
	const uint8_t *p;
	size_t len;
};

/*
 * All return VT_OK or VT_E_SYS (errno: an I/O error, a file system that is
 * read-only or gone), VT_E_SPACE, VT_E_BUSY, VT_E_CORRUPT (the database
 * contradicts itself), VT_E_NOMEM; words() then says why.  Readers
 * return heap buffers or call cb, which returns 0 to continue; another value
 * ends the walk and is returned.
 */
struct store_ops {
	int (*open)(const char *dir, void **ret, char *text);
	void (*close)(void *be);
	/* After a failure: let go of every file, and write nothing more; all
	 * calls are VT_E_SYS until again() succeeds.  Both may be repeated.
	 * again() makes no file. */
	void (*leave)(void *be);
	int (*again)(void *be, char *text);
	const char *(*words)(const void *be);
	/* begin, put ..., commit: all or nothing, durable on return; any
	 * failure undoes it all. */
	int (*begin)(void *be);
	int (*put)(void *be, const struct store_op *op);
	int (*commit)(void *be);
	void (*rollback)(void *be);
	int (*kv_get)(
	    void *be, const char *key, uint8_t **ret, size_t *ret_len);
	int (*blob_get)(void *be, uint32_t slot, unsigned int kind,
	    uint8_t **ret, size_t *ret_len);
	int (*root_get)(void *be, uint8_t **ret, size_t *ret_len);
	int (*rows)(void *be, int (*cb)(const struct store_row *r, void *arg),
	    void *arg);
	int (*pages)(void *be,
	    int (*cb)(uint64_t level, uint64_t index, const uint8_t *p,
		size_t len, void *arg),
	    void *arg);
	int (*audit)(void *be, uint64_t from,
	    int (*cb)(const struct audit_rec *r, void *arg), void *arg);
};

#endif
