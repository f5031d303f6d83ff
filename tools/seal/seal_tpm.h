/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seal_tpm.h - seal and unseal with a TPM, over salted, encrypted sessions.
 *
 * Layer:  tools.
 * Spec:   TPM 2.0 Library, Part 1, 19.6 (salted sessions), 21 (parameter
 *         encryption); Part 3, 12.1 (Create), 12.7 (Unseal), 23.7
 *         (PolicyPCR); TCG Provisioning Guidance 7.5 (SRK).
 * Trust:  an attacker between us and the TPM may read and change all
 *         bytes.  Every session is salted to the storage key, whose Name a
 *         blob fixes, and every command that carries a secret is encrypted.
 */
#ifndef TOOLS_SEAL_SEAL_TPM_H
#define TOOLS_SEAL_SEAL_TPM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tools/esys/esys_ctx.h"
#include "tools/seal/seal_blob.h"

struct seal_srk {
	ESYS_TR tr;
	uint32_t handle; /* persistent; 0: the standard primary, transient */
	struct tpm_name name;
};

/*
 * Find the storage key: at 0x81000001 if there is one (or `handle` says so:
 * pass ESYS_SRK_HANDLE to look, 0 to make the primary), else the standard
 * ECC P-256 primary of the owner hierarchy.  VT_E_POLICY: the key at the
 * handle is not a storage key.  seal_srk_done() releases it.
 */
int seal_srk_find(struct esys *e, uint32_t handle, bool may_make,
    struct seal_srk *ret) VT_CHECK;
void seal_srk_done(struct esys *e, struct seal_srk *srk);

/* Seal len bytes (<= SB_DIRECT_MAX) under srk and policy.  pub and priv have
 * SB_PUB_MAX and SB_PRIV_MAX bytes. */
int seal_tpm_seal(struct esys *e, const struct seal_srk *srk,
    const uint8_t policy[SHA256_LEN], const uint8_t *secret, size_t len,
    uint8_t *pub, size_t *ret_pub_len, uint8_t *priv,
    size_t *ret_priv_len) VT_CHECK;

/*
 * Open.  out has SB_DIRECT_MAX bytes.  VT_E_POLICY: the TPM refuses, for
 * PCRs differ; VT_E_AGAIN: they kept changing meanwhile.
 */
int seal_tpm_unseal(struct esys *e, const struct seal_srk *srk,
    const struct seal_blob *b, uint8_t *out, size_t *ret_len) VT_CHECK;

#endif
