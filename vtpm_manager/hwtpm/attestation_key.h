/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * attestation_key.h - attestation keys (AKs) under the host's EK.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_ATTESTATION_KEY_H
#define VTPM_MANAGER_HWTPM_ATTESTATION_KEY_H

#include "vtpm_manager/hwtpm/key_object.h"

/* Errors: tpm.h. */

/* Derive the authorisation of all AKs, once the master key is known. */
int hwak_ready(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN]) VT_CHECK;

/* Flush h->ak; forget saved contexts and certificates. */
void hwak_unload(struct hwtpm *h);

/* shield: a salted session that hides the new key's authorisation, or
 * ESYS_TR_NONE. */
int hwak_create(struct hwtpm *h, ESYS_TR ek, ESYS_TR shield,
    struct key_bytes *ret) VT_CHECK;

/* Load one with a freshly made EK. */
int hwak_load_slow(struct hwtpm *h, uint8_t ek, const struct wblob *pub,
    const struct wblob *priv, ESYS_TR *ret) VT_CHECK;

/* The same, from its saved context if it was loaded before.  h->ak may be
 * flushed for it. */
int hwak_load(struct hwtpm *h, uint8_t ek, const struct wblob *pub,
    const struct wblob *priv, ESYS_TR *ret) VT_CHECK;

/* The host blob, if it has an AK; the latter also loads that as h->ak. */
int hwak_blob(struct hwtpm *h, struct hwblob *ret) VT_CHECK;
int hwak_need(struct hwtpm *h, struct hwblob *ret) VT_CHECK;

#endif
