/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_mode.h - which calls the store's mode allows, and why one failed.
 *
 * Layer:  vtpm_manager/store; only the store's own files include it.
 */
#ifndef VTPM_MANAGER_STORE_STORE_MODE_H
#define VTPM_MANAGER_STORE_STORE_MODE_H

#include "base/err.h"
#include "base/util.h"

struct store;

enum store_mode {
	STORE_LOCKED,
	STORE_OPEN,
	STORE_BROKEN,
	STORE_FROZEN /* whole, but not the newest: store_freeze() */
};

/* Set the text of store_why() and return rc; errno stays. */
int store_fail(struct store *st, int rc, const char *fmt, ...) VT_PRINTF(3, 4);
int store_fail_nomem(struct store *st); /* VT_E_NOMEM */
/* The same with the backend's text.  VT_E_SYS: the store is lost. */
int store_fail_backend(struct store *st, int rc);

/* May guests and audit records change?  VT_E_STATE: locked; VT_E_CORRUPT:
 * broken or frozen; VT_E_SYS: lost. */
int store_need_open(struct store *st) VT_CHECK;
/* May values and audit records be read?  Frozen is good enough. */
int store_need_read(struct store *st) VT_CHECK;

#endif
