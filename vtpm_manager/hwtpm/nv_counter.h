/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nv_counter.h - counters in the NV memory of the host's TPM.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_NV_COUNTER_H
#define VTPM_MANAGER_HWTPM_NV_COUNTER_H

#include "vtpm_manager/hwtpm/tpm.h"

struct nv_bytes {
	uint32_t index;
	uint8_t name[HWBLOB_NV_NAME_LEN];
};

/* Errors: tpm.h. */

/*
 * Make both, in h->session, which hides both parameters before and after.
 * Then hwnv_settle() once what names them is kept; or hwnv_clean() takes
 * them out of the TPM again, as far as it answers.
 */
int hwnv_make(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN],
    struct nv_bytes ret[HWBLOB_COUNTERS]) VT_CHECK;
void hwnv_settle(struct hwtpm *h);
void hwnv_clean(struct hwtpm *h);
void hwnv_to_blob(
    const struct nv_bytes nv[HWBLOB_COUNTERS], struct hwblob *ret);

/* Derive their authorisation, once the master key is known. */
int hwnv_ready(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN]) VT_CHECK;
void hwnv_unload(struct hwtpm *h);

/* Find one of them as h->nv[which - 1]; its Name must be the blob's. */
int hwnv_open(
    struct hwtpm *h, const struct hwblob *b, enum hw_which which) VT_CHECK;
/* The open counter's value; auth: of the owner. */
int hwnv_read(
    struct hwtpm *h, enum hw_which which, ESYS_TR auth, uint64_t *ret) VT_CHECK;

/*
 * HW_COUNTER.  VT_E_STALE: the value is neither expect nor one more;
 * VT_E_UNSUPPORTED: the store is older than counters; VT_E_POLICY: the
 * counter was removed or replaced.
 */
int hwnv_count(
    struct hwtpm *h, const struct hw_counter *req, uint64_t *ret) VT_CHECK;

/* The epoch for HW_PCRS: 0 before there are keys, or without counters. */
int hwnv_epoch(struct hwtpm *h, uint64_t *ret) VT_CHECK;

#endif
