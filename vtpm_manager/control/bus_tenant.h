/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_tenant.h - what the administrator of a group may call without a role.
 *
 * Layer:  vtpm_manager/control.
 */
#ifndef VTPM_MANAGER_CONTROL_BUS_TENANT_H
#define VTPM_MANAGER_CONTROL_BUS_TENANT_H

#include "vtpm_manager/control/bus_call.h"

/* Does the method's tenant rule allow this call?  The message stays unread. */
bool bus_tenant_allows(const struct bus_call *c);

#endif
