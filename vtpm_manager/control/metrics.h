/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * metrics.h - the manager's numbers as text for Prometheus.
 *
 * Layer:  vtpm_manager/control; pure: no I/O, no clock, no logging.
 * Spec:   Prometheus text exposition format 0.0.4.
 * Trust:  names of guests and groups are the operator's; they are escaped.
 *
 * Every number is one of `vtpmctl --json status`, or of guest_stats.h: one
 * table says which.
 */
#ifndef VTPM_MANAGER_CONTROL_METRICS_H
#define VTPM_MANAGER_CONTROL_METRICS_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * All metrics that status has numbers for; of the others HELP and TYPE only.
 * status is borrowed; *ret is the caller's, free() it.  VT_E_NOMEM.
 */
int metrics_text(const json_t *status, char **ret, size_t *ret_len) VT_CHECK;

#endif
