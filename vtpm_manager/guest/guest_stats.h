/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_stats.h - numbers about each guest that has a worker or should have
 * one, as JSON.
 *
 * Layer:  vtpm_manager/guest.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_STATS_H
#define VTPM_MANAGER_GUEST_GUEST_STATS_H

#include <jansson.h>

#include "vtpm_manager/core/context.h"

/* An array; NULL: out of memory.  doc/FORMATS.md has its members. */
json_t *guest_stats_json(struct mgr *m);

#endif
