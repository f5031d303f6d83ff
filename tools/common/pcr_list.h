/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcr_list.h - numbers of PCRs as an option has them.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_COMMON_PCR_LIST_H
#define TOOLS_COMMON_PCR_LIST_H

#include <stdint.h>

#include "base/err.h"

/* "0,7" or "0-3,7": bit i of *ret_mask is PCR i.  VT_E_FORMAT. */
int tool_pcr_list(const char *text, uint32_t *ret_mask) VT_CHECK;

#endif
