/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_commit.h - make the waiting changes durable, or forget them.
 *
 * Layer:  vtpm_manager/store.
 */
#ifndef VTPM_MANAGER_STORE_STORE_COMMIT_H
#define VTPM_MANAGER_STORE_STORE_COMMIT_H

#include <stdbool.h>

#include "base/err.h"

struct store;

/* Would store_commit() write? */
bool store_has_changes(const struct store *st);
/*
 * All changes since the last commit become durable, or none: on failure
 * (VT_E_SPACE, VT_E_SYS) all are forgotten and the store is as after the last
 * commit.  While the store is lost (store_lost()), it is not known whether the
 * disk has them: store_look_again() finds out.
 */
int store_commit(struct store *st) VT_CHECK;
void store_rollback(struct store *st);

#endif
