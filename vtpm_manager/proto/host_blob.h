/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_blob.h - the host's keys, as the store keeps them between two runs.
 *
 * Layer:  vtpm_manager; pure.
 * Bytes:  big-endian.  "VTHB" | be16 version 3 | be32 bytes that follow |
 *         u8 root (enum hw_root) | u8 policy (enum hwblob_policy) | storage
 *         key Name | master public | master private | CA public | CA
 *         private | CA certificate (DER) | u8 ek (enum hwblob_ek) | AK
 *         public | AK private | CA attest | CA signature (TPM2_Certify of
 *         the CA key by the AK) | approval key (65 bytes; without a policy
 *         0) | be32 index and Name of the epoch counter | be32 index and
 *         Name of the anchor counter | MAC; what has no size here is be16
 *         length + bytes, keys as TPM2B_PUBLIC and TPM2B_PRIVATE.  MAC:
 *         HMAC-SHA-256 of all before its length, by a key from the master
 *         key.  Version 2 has no approval key, no counters; version 1 ends
 *         behind the CA certificate.
 * Trust:  private parts are under the storage key of one TPM, which checks
 *         them; the rest is checked against what they turn out to be.
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

/* Which template the EK is made by, so which of the TPM's EKs it is. */
enum hwblob_ek { HWEK_NONE = 0, HWEK_ECC = 1, HWEK_RSA = 2 };

/* What releases the master key, besides its TPM. */
enum hwblob_policy { HWPOL_NONE = 0, HWPOL_APPROVED = 1 };

/* An NV index of the host's TPM, and the Name that it must have. */
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
	uint8_t ek; /* HWEK_NONE: version 1, and the rest is empty */
	struct wblob ak_pub, ak_priv;
	struct wblob ca_attest, ca_sig;
	struct wblob approval_key; /* len 0 but with HWPOL_APPROVED */
	struct hwblob_nv nv[HWBLOB_COUNTERS]; /* enum hw_which - 1; Names of
						 len 0: version 2 or 1 */
	struct wblob mac;                     /* HWBLOB_MAC_LEN bytes */
};

void hwblob_put(struct wr *w, const struct hwblob *b);
/* *ret borrows from data.  VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE;
 * VT_E_UNSUPPORTED: another version or policy. */
int hwblob_get(const uint8_t *data, size_t len, struct hwblob *ret) VT_CHECK;
/* The MAC of an encoded blob: over all but the MAC itself and its length.
 * VT_E_CRYPTO, VT_E_TRUNC. */
int hwblob_mac(const uint8_t master[32], const uint8_t *p, size_t len,
    uint8_t out[HWBLOB_MAC_LEN]) VT_CHECK;

#endif
