/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_look.h - after an I/O error: close everything, open it again, look.
 *
 * Layer:  vtpm_manager/store.
 * A lost store (store_lost.h) comes back when the disk holds what was left
 * there: the last root, or that of the commit that failed, which then did take
 * place.
 */
#ifndef VTPM_MANAGER_STORE_STORE_LOOK_H
#define VTPM_MANAGER_STORE_STORE_LOOK_H

#include "base/err.h"

struct store;

/* VT_OK: it is not lost, or not any more.  Otherwise store_why() says why.
 * VT_E_SYS; VT_E_BUSY: another manager has the folder; VT_E_CORRUPT: what is
 * there is not what was left; it stays lost. */
int store_look_again(struct store *st) VT_CHECK;

/* --- for the store's own files ------------------------------------------ */

/* A commit failed with rc, and the change is undone in memory: what did reach
 * the disk?  VT_OK: all of it.  rc: nothing.  VT_E_SYS: the store is lost. */
int store_settle(struct store *st, int rc) VT_CHECK;

#endif
