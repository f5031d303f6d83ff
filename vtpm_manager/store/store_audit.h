/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_audit.h - the audit log in the store: append and read.
 *
 * Layer:  vtpm_manager/store.
 * Limits: the last STORE_AUDIT_MAX records are kept, and up to
 *         AUDIT_CUT_STEP older ones.
 */
#ifndef VTPM_MANAGER_STORE_STORE_AUDIT_H
#define VTPM_MANAGER_STORE_STORE_AUDIT_H

#include <stdint.h>

#include "base/err.h"
#include "vtpm_manager/store/audit_chain.h"

#define STORE_AUDIT_MAX 100000
#define AUDIT_CUT_STEP 1000 /* records dropped at a time */

struct store;

/* Append a record to the open transaction; it becomes durable with the next
 * commit.  Texts are cut to their fields; other than printable ASCII becomes
 * '?'.  VT_E_STATE: the store is locked. */
int store_audit(struct store *st, const char *who, const char *action,
    const char *object, const char *result, const char *detail) VT_CHECK;
/*
 * Committed records in order, each verified against the chain before cb sees
 * it; cb returns 0 to continue, another value ends the walk and is returned.
 * VT_E_CORRUPT at the first record that does not match; store_why() names it.
 */
int store_audit_each(struct store *st, uint64_t from_seq,
    int (*cb)(const struct audit_rec *r, void *arg), void *arg) VT_CHECK;

/* --- for the store's own files ------------------------------------------ */

/* Before a commit: drop the oldest records if there are too many. */
int store_audit_cut(struct store *st) VT_CHECK;

#endif
