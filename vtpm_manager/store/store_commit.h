/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_commit.h - make the waiting changes durable, or forget them.
 *
 * Layer:  vtpm_manager/store.
 */
#ifndef VTPM_MANAGER_STORE_STORE_COMMIT_H
#define VTPM_MANAGER_STORE_STORE_COMMIT_H

#include "base/err.h"

struct store;

/* All changes since the last commit become durable, or none: on failure
 * (VT_E_SPACE, VT_E_SYS, VT_E_CORRUPT) all are forgotten and the store is as
 * after the last commit. */
int store_commit(struct store *st) VT_CHECK;
void store_rollback(struct store *st);

#endif
