/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_keys_op.h - change which host states release the master key: approve,
 * revoke, bind.
 *
 * Layer:  vtpm_manager/host.
 * VT_OK: cb runs later; otherwise text (MGR_TEXT_MAX) says why not.
 */
#ifndef VTPM_MANAGER_HOST_HOST_KEYS_OP_H
#define VTPM_MANAGER_HOST_HOST_KEYS_OP_H

#include "vtpm_manager/host/host_keys.h"

/* len 0: read the folder again. */
int host_keys_approve(struct mgr *m, const char *who, const uint8_t *raw,
    size_t len, host_keys_cb cb, void *arg, char *text) VT_CHECK;
int host_keys_revoke(struct mgr *m, const char *who, uint64_t expect,
    bool force, host_keys_cb cb, void *arg, char *text) VT_CHECK;
/* key NULL: remove the policy.  raw: an approval of the host's present state by
 * that key. */
int host_keys_bind(struct mgr *m, const char *who, const uint8_t *key,
    const uint8_t *raw, size_t len, host_keys_cb cb, void *arg,
    char *text) VT_CHECK;

/* Begin a change, for host_escrow.c.  VT_E_BUSY: another one is under way. */
int host_keys_begin(struct host_keys *h, const char *who, const char *action,
    host_keys_cb cb, void *arg, char *text) VT_CHECK;

#endif
