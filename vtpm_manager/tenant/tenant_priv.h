/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenant_priv.h - what groups*.c share.
 *
 * Layer:  vtpm_manager.
 */
#ifndef VTPM_MANAGER_TENANT_TENANT_PRIV_H
#define VTPM_MANAGER_TENANT_TENANT_PRIV_H

#include "vtpm_manager/tenant/tenant.h"

#define TENANTS_KEY "groups" /* the index, in the store */

struct groups {
	struct grp *first; /* group 0, then ascending */
	uint32_t next;     /* number for a new one */
	bool bad;          /* some cannot be read: nothing is changed */
};

/* g->conf out of g->r.config; none if it does not fit. */
int tenant_decode_config(struct grp *g) VT_CHECK;
/* By number; the list has it from now on. */
void tenant_insert(struct groups *gs, struct grp *g);
void tenant_meta_key(uint32_t number, char key[32]);

#endif
