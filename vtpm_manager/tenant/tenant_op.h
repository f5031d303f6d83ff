/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenant_op.h - create, change and delete tenants, and quote for them.
 *
 * Layer:  vtpm_manager/tenant.
 * Asynchronous where it takes the host's TPM: VT_OK means that cb runs once,
 * later; otherwise text (MGR_TEXT_MAX) says why not.
 */
#ifndef VTPM_MANAGER_TENANT_TENANT_OP_H
#define VTPM_MANAGER_TENANT_TENANT_OP_H

#include "vtpm_manager/tenant/tenant.h"

struct tenant_spec {
	char name[NAME_MAX_LEN + 1];
	uint32_t number; /* 0: the next one */
	uint8_t key[APPROVAL_KEY_LEN];
	struct tenant_quota quota;
};
int tenants_create(struct mgr *m, const struct tenant_spec *spec,
    mgr_done_cb cb, void *arg, char *text) VT_CHECK;
/* Durable on return.  quota NULL, len 0: unchanged. */
int tenants_update(struct mgr *m, struct tenant *g,
    const struct tenant_quota *quota, const uint8_t *config, size_t len,
    char *text) VT_CHECK;
/* Make a new AK in the host's TPM, after recovery on another TPM. */
int tenants_renew_ak(struct mgr *m, struct tenant *g, mgr_done_cb cb, void *arg,
    char *text) VT_CHECK;
int tenants_delete(struct mgr *m, struct tenant *g, char *text) VT_CHECK;
typedef void (*tenant_quote_cb)(
    void *arg, int rc, const char *text, const struct tenant_quote *q);
int tenants_quote(struct mgr *m, struct tenant *g, const uint8_t *nonce,
    size_t len, tenant_quote_cb cb, void *arg, char *text) VT_CHECK;

#endif
