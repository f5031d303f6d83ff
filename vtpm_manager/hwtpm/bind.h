/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bind.h - the master key, resealed.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_BIND_H
#define VTPM_MANAGER_HWTPM_BIND_H

#include "vtpm_manager/hwtpm/tpm.h"

/*
 * HW_BIND: seal the master key under another approval key, or none; a store
 * without counters gets them.  *ret borrows from h until the next call.
 * VT_E_POLICY: under the new key nothing that was approved matches the host's
 * state, so nothing is changed.  Errors: tpm.h.
 */
int hwbind_master(
    struct hwtpm *h, const struct hw_bind *req, struct hw_bound *ret) VT_CHECK;

#endif
