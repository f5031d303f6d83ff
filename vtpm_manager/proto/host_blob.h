/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_blob.h - the host's keys, as the store keeps them.
 *
 * Layer:  vtpm_manager; pure.
 * Bytes:  big-endian; doc/FORMATS.md, "Host keys".  Version 2 has no approval
 *         key and no counters; version 1 ends behind the CA certificate.
 * MAC:    HMAC-SHA-256 of all bytes before its length, under a key derived
 *         from the master key.
 * Trust:  the storage key of one TPM protects the private parts and that TPM
 *         checks them; vtpm-hwtpm checks the rest against the loaded keys.
 * Memory: a decoded struct borrows from the bytes it was decoded from.
 */
#ifndef VTPM_MANAGER_PROTO_HOST_BLOB_H
#define VTPM_MANAGER_PROTO_HOST_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rdwr.h"
#include "vtpm/proto/worker_msg.h"

#define HWBLOB_VERSION 3
#define HWBLOB_NAME_MAX 66 /* TPM2B_NAME: algorithm and a SHA-512 */
#define HWBLOB_KEY_MAX 1024
#define HWBLOB_COUNTERS 2
#define HWBLOB_NV_NAME_LEN 34 /* algorithm and a SHA-256 */
#define HWBLOB_MAC_LEN 32     /* the last bytes; 2 more for their length */

/* The template of the EK, hence which of the TPM's EKs it is. */
enum hwblob_ek { HWEK_NONE = 0, HWEK_ECC = 1, HWEK_RSA = 2 };

/* What releases the master key, apart from its TPM. */
enum hwblob_policy { HWPOL_NONE = 0, HWPOL_APPROVED = 1 };

/* An NV index of the host's TPM and the Name it must have. */
struct hwblob_nv {
	uint32_t index;
	struct wblob name; /* HWBLOB_NV_NAME_LEN bytes */
};

struct hwblob {
	uint8_t root;
	uint8_t policy;
	struct wblob srk_name;
	struct wblob master_pub, master_priv;
	struct wblob ca_pub, ca_priv;
	struct wblob ca_cert;
	uint8_t ek; /* HWEK_NONE: version 1; the rest is empty */
	struct wblob ak_pub, ak_priv;
	struct wblob ca_attest, ca_sig;
	struct wblob approval_key;            /* empty unless HWPOL_APPROVED */
	struct hwblob_nv nv[HWBLOB_COUNTERS]; /* enum hw_which - 1; empty
						 Names: version 2 or 1 */
	struct wblob mac;                     /* HWBLOB_MAC_LEN bytes */
};

/* Encode in the version that holds what *b has. */
void hwblob_put(struct wr *w, const struct hwblob *b);
/* VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE; VT_E_UNSUPPORTED: another version or
 * policy. */
int hwblob_get(const uint8_t *data, size_t len, struct hwblob *ret) VT_CHECK;
/* The MAC of an encoded blob, which ends with room for the MAC.  VT_E_CRYPTO,
 * VT_E_TRUNC. */
int hwblob_mac(const uint8_t master[32], const uint8_t *p, size_t len,
    uint8_t out[HWBLOB_MAC_LEN]) VT_CHECK;

#endif
