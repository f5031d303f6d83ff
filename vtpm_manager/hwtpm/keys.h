/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * keys.h - the host's keys, made, sealed and loaded.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_KEYS_H
#define VTPM_MANAGER_HWTPM_KEYS_H

#include "vtpm_manager/hwtpm/key_object.h"

/* Errors: tpm.h. */

/*
 * HW_INIT: make the host's keys.  *ret borrows from h until the next call.
 * VT_E_STATE: there are keys already.
 */
int hwkeys_init(
    struct hwtpm *h, const struct hw_init *req, struct hw_inited *ret) VT_CHECK;

/*
 * HW_LOAD: take the host's keys from the manager.  VT_E_POLICY: another TPM,
 * another kind of root, or no approved state; VT_E_CORRUPT: the blob.
 */
int hwkeys_restore(
    struct hwtpm *h, const struct hw_load *req, struct hw_loaded *ret) VT_CHECK;

/* Load h->blob into the TPM: storage key, master key, CA key.  known: the
 * master key, if it need not be unsealed. */
int hwkeys_load(struct hwtpm *h, const uint8_t *known,
    uint8_t master[HW_MASTER_LEN]) VT_CHECK;
void hwkeys_unload(struct hwtpm *h);

/* Seal the master key in h->session; approval_key len 0: without a policy. */
int hwkeys_seal(struct hwtpm *h, ESYS_TR srk, const struct wblob *approval_key,
    const uint8_t master[HW_MASTER_LEN], struct key_bytes *ret) VT_CHECK;

/* Append b, with its MAC, to w; and take an encoded blob as h->blob. */
int hwkeys_put_blob(struct hwtpm *h, const struct hwblob *b,
    const uint8_t master[HW_MASTER_LEN], struct wr *w) VT_CHECK;
int hwkeys_set_blob(struct hwtpm *h, const uint8_t *p, size_t len) VT_CHECK;

#endif
