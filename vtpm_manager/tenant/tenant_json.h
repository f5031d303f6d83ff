/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenant_json.h - tenants as JSON for the bus, and their use of the host's TPM.
 *
 * Layer:  vtpm_manager/tenant.
 */
#ifndef VTPM_MANAGER_TENANT_TENANT_JSON_H
#define VTPM_MANAGER_TENANT_TENANT_JSON_H

#include <jansson.h>

#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/tenant/tenant.h"

json_t *tenants_json(struct mgr *m, const struct tenant *g); /* one */
/* The tenants that this user administers; (uint32_t)-1: all. */
json_t *tenants_json_list(struct mgr *m, uint32_t uid);
/* Store the figures of HW_USAGE's answer. */
void tenants_take_usage(struct mgr *m, const struct hw_answer *a);

#endif
