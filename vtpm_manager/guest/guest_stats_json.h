/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_stats_json.h - numbers about guests as JSON: what the manager knows,
 * what /proc says of the workers, and what these said last (guest_stats.h).
 *
 * Layer:  vtpm_manager/guest.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_STATS_JSON_H
#define VTPM_MANAGER_GUEST_GUEST_STATS_JSON_H

#include <jansson.h>

#include "vtpm_manager/core/context.h"

/* doc/FORMATS.md has the members of the object; NULL: out of memory. */
json_t *guest_stats_json(struct mgr *m);

#endif
