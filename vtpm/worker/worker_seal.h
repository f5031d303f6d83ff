/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_seal.h - the vTPM's state, sealed for the store or a hypervisor.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_SEAL_H
#define VTPM_WORKER_WORKER_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct worker;

/*
 * kind: SEAL_* of vtpm/state/seal.h.  *ret: heap, sealed; the caller frees it.
 * VT_E_NOMEM, VT_E_RANGE, VT_E_CRYPTO, VT_E_TPM.
 */
int wk_seal_perm(struct worker *w, uint16_t kind, uint64_t generation,
    uint64_t version, uint8_t **ret, size_t *ret_len) VT_CHECK;
/* The volatile state that belongs to permanent state `version`. */
int wk_seal_vol(struct worker *w, uint16_t kind, uint64_t version,
    uint8_t **ret, size_t *ret_len) VT_CHECK;

#endif
