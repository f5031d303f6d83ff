/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_identity.h - a guest's keys, certificates and PCR banks, as kept
 * (SX_CERTS).
 *
 * Layer:  vtpm_manager/guest.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_IDENTITY_H
#define VTPM_MANAGER_GUEST_GUEST_IDENTITY_H

#include <jansson.h>

#include "base/err.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/store/store_guest.h"

/* A certificate as PEM text; NULL: out of memory. */
json_t *guest_json_pem(const struct wblob *der);
/* The certificate, and the issuing key's behind it; issuer->len may be 0. */
json_t *guest_json_chain(const struct wblob *der, const struct wblob *issuer);
/* {public, name, certificate}; cert NULL: it has none.  issuer as above. */
json_t *guest_json_key(uint8_t version, const struct wblob *pub,
    const struct wblob *cert, const struct wblob *issuer);
json_t *guest_json_banks(uint8_t version, uint8_t banks); /* BANK_* */
/* What is kept as SX_CERTS. */
json_t *guest_json_identity(uint8_t tpm_version, uint8_t banks,
    const struct wprovisioned *pub, const struct wcerts *certs);
/* The same, read; json_decref().  NULL: there is none. */
json_t *guest_identity(struct mgr *m, const struct guest *in);
/* Put it into the open transaction; the caller commits. */
int guest_identity_keep(
    struct mgr *m, const uint8_t uuid[UUID_LEN], const json_t *id) VT_CHECK;
/* Names of the keys of a TPM 2.0 (algorithm and digest), cap bytes each;
 * the EK is the one whose child the AK is.  VT_E_UNSUPPORTED: a TPM 1.2. */
int guest_key_names(struct mgr *m, const struct guest *in, uint8_t *ek,
    size_t *ek_len, uint8_t *ak, size_t *ak_len, size_t cap) VT_CHECK;
/* "sha1,sha256" to BANK_*.  VT_E_FORMAT, also for SHA-1 alone: nothing takes a
 * quote of it. */
#define GUEST_BANKS_RULE                                                   \
	"banks are a list out of sha1, sha256, sha384 and sha512 with at " \
	"least one besides sha1"
int guest_banks_parse(const char *text, uint8_t *ret) VT_CHECK;
/* The banks that the next power cycle is to bring; 0: the active ones. */
uint8_t guest_banks_next(const json_t *id);
/* BANK_* of what guest_identity() gave, NULL included. */
uint8_t guest_banks_of(const json_t *id, uint8_t tpm_version);

#endif
