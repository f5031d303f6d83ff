/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seal_epoch.h - the epoch counter in a TPM: what revokes approvals.
 *
 * Layer:  tools.
 * Spec:   TPM 2.0 Library, Part 3, 31.3 (NV_DefineSpace), 31.8
 *         (NV_Increment): a counter begins above all that the TPM ever had,
 *         so one that is undefined and defined again can only be higher.
 * Trust:  the owner of the TPM may raise or remove it, which revokes; nobody
 *         can lower it.  doc/THREATS.md.
 */
#ifndef TOOLS_SEAL_SEAL_EPOCH_H
#define TOOLS_SEAL_SEAL_EPOCH_H

#include <stdint.h>

#include "base/err.h"
#include "tools/esys/esys_ctx.h"

#define SEAL_EPOCH_INDEX 0x0180ec01u /* in the owner's range */
#define SEAL_EPOCH_FIRST 0x01800000u
#define SEAL_EPOCH_LAST 0x01bfffffu

/* VT_E_NOTFOUND: there is none; VT_E_POLICY: another kind of index is
 * there. */
int seal_epoch_read(struct esys *e, uint32_t index, uint64_t *ret) VT_CHECK;
/* Define it and count once. */
int seal_epoch_make(struct esys *e, uint32_t index, uint64_t *ret) VT_CHECK;
/* Raise it by one. VT_E_NOTFOUND, VT_E_POLICY. */
int seal_epoch_raise(struct esys *e, uint32_t index, uint64_t *ret) VT_CHECK;

#endif
