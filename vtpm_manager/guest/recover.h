/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recover.h - an operator accepts an older store, or one older record.
 *
 * Layer:  vtpm_manager/guest.
 */
#ifndef VTPM_MANAGER_GUEST_RECOVER_H
#define VTPM_MANAGER_GUEST_RECOVER_H

#include "vtpm_manager/core/context.h"

/*
 * names NULL: the whole store, where it is refused as a whole; else these
 * vTPMs, NULL at the end.  cb once it is durable and safe; *ret_n: how many.
 * VT_E_* at once with text.
 */
int recover_older(struct mgr *m, char *const *names, const char *reason,
    const char *who, mgr_done_cb cb, void *arg, uint32_t *ret_n,
    char *text) VT_CHECK;
/* The store comes from another TPM: accept it, whether or not anything shows
 * that it is the newest. */
int recover_moved(struct mgr *m, const char *who, mgr_done_cb cb, void *arg,
    uint32_t *ret_n, char *text) VT_CHECK;

#endif
