/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenant_priv.h - the list of tenants, open to the room's own files only.
 *
 * Layer:  vtpm_manager/tenant.
 */
#ifndef VTPM_MANAGER_TENANT_TENANT_PRIV_H
#define VTPM_MANAGER_TENANT_TENANT_PRIV_H

#include "vtpm_manager/tenant/tenant.h"

#define TENANTS_KEY "groups" /* the index, in the store */

struct tenants {
	struct tenant_list list; /* group 0, then ascending */
	uint32_t next;           /* number of the next new one */
	bool bad;                /* some are unreadable: change none */
};

#endif
