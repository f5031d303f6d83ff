/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * limits.h - the table of vtpmctl status --limits.
 *
 * Layer:  tools/vtpmctl.
 */
#ifndef TOOLS_VTPMCTL_LIMITS_H
#define TOOLS_VTPMCTL_LIMITS_H

#include <jansson.h>

/* o: the answer of Limits(). */
void vctl_print_limits(const json_t *o);

#endif
