/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * esys_vendor.h - the guest's side of the command TPM_CC_VTPM.
 *
 * Layer:  tools.  Spec: vtpm/engine/vendor.h.
 */
#ifndef TOOLS_ESYS_ESYS_VENDOR_H
#define TOOLS_ESYS_ESYS_VENDOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tools/esys/esys_ctx.h"

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

/*
 * A deep quote (measure/evidence/deep_leaf.h) for a quote that this TPM made
 * lately. Waits at most wait_ms.  out: DEEP_ANSWER_MAX bytes.  VT_E_TIMEOUT;
 * VT_E_STATE: the manager failed, and why says so in at most TEXT_MAX_LEN
 * bytes.
 */
struct vendor_deep {
	uint8_t quote[32];       /* SHA-256(TPMS_ATTEST || TPMT_SIGNATURE) */
	uint8_t channel_key[32]; /* SHA-256 of a key; zeros: none */
	const uint8_t *nonce;    /* borrowed */
	size_t nonce_len;
};
int esys_vendor_deep(struct esys *e, const struct vendor_deep *d,
    uint32_t wait_ms, uint8_t *out, size_t *ret_len, char *why) VT_CHECK;

#endif
