/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * esys_vendor.h - the guest's side of the command TPM_CC_VTPM.
 *
 * Layer:  tools.  Spec: vtpm/vendor.h.
 */
#ifndef TOOLS_ESYS_VENDOR_H
#define TOOLS_ESYS_VENDOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tools/esys_ctx.h"

#define ESYS_VENDOR_MAX (4u * 1024 * 1024) /* bytes of a log or journal */

/*
 * The parameters of the answer to VSUB_INFO, as they came; at most cap bytes.
 * VT_E_UNSUPPORTED: this TPM does not know the command (not one of ours).
 */
int esys_vendor_info(
    struct esys *e, uint8_t *buf, size_t cap, size_t *ret_len) VT_CHECK;
/*
 * All of a log, journal or record, piece by piece.  sub: VSUB_LOG,
 * VSUB_JOURNAL, VSUB_LAUNCH.  *ret: heap, free() frees it; NULL and 0 when
 * there is nothing.  VT_E_AGAIN: it kept growing; VT_E_PROTO.
 */
int esys_vendor_fetch(
    struct esys *e, uint16_t sub, uint8_t **ret, size_t *ret_len) VT_CHECK;

#endif
