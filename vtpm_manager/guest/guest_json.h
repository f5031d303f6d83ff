/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_json.h - a guest as JSON.
 *
 * Layer:  vtpm_manager/guest.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_JSON_H
#define VTPM_MANAGER_GUEST_GUEST_JSON_H

#include <jansson.h>

#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/store/store_guest.h"

/* A certificate as PEM text; NULL: out of memory. */
json_t *guest_json_pem(const struct wblob *der);
json_t *guest_json(struct mgr *m, const struct guest *in); /* short */
json_t *guest_json_list(struct mgr *m);
/* Long; info: the worker's WQ_INFO text, or NULL. */
json_t *guest_json_show(struct mgr *m, const struct guest *in,
    const uint8_t *info, size_t info_len);
/* {public, name, certificate}; cert NULL: it has none. */
json_t *guest_json_key(
    uint8_t version, const struct wblob *pub, const struct wblob *cert);
json_t *guest_json_banks(uint8_t version, uint8_t banks); /* BANK_* */
/* What is kept as SX_CERTS. */
json_t *guest_json_identity(uint8_t tpm_version, uint8_t banks,
    const struct wprovisioned *pub, const struct wcerts *certs);
/* The same, read; json_decref().  NULL: there is none. */
json_t *guest_identity(struct mgr *m, const struct guest *in);
/* Names of the keys of a TPM 2.0 (algorithm and digest), cap bytes each;
 * the EK is the one whose child the AK is.  VT_E_UNSUPPORTED: a TPM 1.2. */
int guest_key_names(struct mgr *m, const struct guest *in, uint8_t *ek,
    size_t *ek_len, uint8_t *ak, size_t *ak_len, size_t cap) VT_CHECK;
/* BANK_* of what guest_identity() gave, NULL included. */
uint8_t guest_banks_of(const json_t *id, uint8_t tpm_version);
uint8_t guest_banks(struct mgr *m, const struct guest *in); /* BANK_* */

#endif
