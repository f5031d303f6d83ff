/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwblob.h - the host's keys, as the store keeps them between two runs.
 *
 * Layer:  vtpm_manager; pure.
 * Bytes:  big-endian.  "VTHB" | be16 version 1 | be32 bytes that follow |
 *         u8 root (enum hw_root) | u8 policy (0: none; place for an
 *         authorised policy) | storage key Name | master public | master
 *         private | CA public | CA private | CA certificate (DER); each
 *         be16 length + bytes, keys as TPM2B_PUBLIC and TPM2B_PRIVATE.
 * Trust:  private parts are under the storage key of one TPM, which checks
 *         them; the rest is checked against what they turn out to be.
 */
#ifndef VTPM_MANAGER_HWBLOB_H
#define VTPM_MANAGER_HWBLOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rdwr.h"
#include "vtpm/proto.h"

#define HWBLOB_VERSION 1
#define HWBLOB_NAME_MAX 66 /* TPM2B_NAME: algorithm and a SHA-512 */
#define HWBLOB_KEY_MAX 1024

struct hwblob {
	uint8_t root;
	uint8_t policy;
	struct wblob srk_name;
	struct wblob master_pub, master_priv;
	struct wblob ca_pub, ca_priv;
	struct wblob ca_cert;
};

void hwblob_put(struct wr *w, const struct hwblob *b);
/* *ret borrows from data.  VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE;
 * VT_E_UNSUPPORTED: another version or policy. */
int hwblob_get(const uint8_t *data, size_t len, struct hwblob *ret) VT_CHECK;

#endif
