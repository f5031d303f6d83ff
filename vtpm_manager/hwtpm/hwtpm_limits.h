/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwtpm_limits.h - what can be used up in vtpm-hwtpm, as rows.
 *
 * Layer:  vtpm_manager/hwtpm; the manager prints the rows.
 */
#ifndef VTPM_MANAGER_HWTPM_HWTPM_LIMITS_H
#define VTPM_MANAGER_HWTPM_HWTPM_LIMITS_H

#include "base/limits.h"

#define HWTPM_WAIT_MS 30000 /* the default of --wait-ms */

const struct limit_table *hwtpm_limits(void);

#endif
