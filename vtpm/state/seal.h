/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seal.h - the container in which a vTPM's state leaves its worker.
 *
 * Layer:  vtpm; no I/O, no logging.
 * Bytes:  big-endian.  "VTPS" | be16 format 1 | be16 kind | uuid[16] |
 *         be64 generation | be64 version | iv[12] | ciphertext | tag[16].
 *         AES-256-GCM under the instance key; the associated data is the
 *         whole header up to and including iv.
 * Law 5:  a container of another instance, kind or key does not open; only
 *         the manager's store knows which version is current.
 */
#ifndef VTPM_STATE_SEAL_H
#define VTPM_STATE_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/util.h"
#include "vtpm/proto/worker_msg.h" /* enum seal_kind */

#define SEAL_HDR_LEN 52
#define SEAL_OVERHEAD (SEAL_HDR_LEN + GCM_TAG_LEN)

struct seal_id {
	uint16_t kind;
	uint8_t uuid[UUID_LEN];
	uint64_t generation;
	uint64_t version;
};

/* out has len + SEAL_OVERHEAD bytes.  VT_E_CRYPTO, VT_E_SYS (no random). */
int seal_make(const uint8_t key[GCM_KEY_LEN], const struct seal_id *id,
    const uint8_t *plain, size_t len, uint8_t *out) VT_CHECK;
/* Read the header without opening.  VT_E_TRUNC, VT_E_FORMAT. */
int seal_peek(const uint8_t *buf, size_t len, struct seal_id *ret) VT_CHECK;
/*
 * Open.  want->kind and want->uuid must match (VT_E_AUTH otherwise);
 * generation and version are returned in *ret_id for the caller to judge.
 * *ret: heap, len - SEAL_OVERHEAD bytes, the caller wipes and frees it.
 * VT_E_TRUNC, VT_E_FORMAT, VT_E_AUTH, VT_E_NOMEM, VT_E_CRYPTO.
 */
int seal_open(const uint8_t key[GCM_KEY_LEN], const struct seal_id *want,
    const uint8_t *buf, size_t len, struct seal_id *ret_id, uint8_t **ret,
    size_t *ret_len) VT_CHECK;

#endif
