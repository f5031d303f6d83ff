/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seal_tpm.h - the storage key, salted and encrypted sessions, and sealing
 * under them.
 *
 * Layer:  tools.
 * Spec:   TPM 2.0 Library, Part 1, 19.6 (salted sessions), 21 (parameter
 *         encryption); Part 3, 12.1 (Create); TCG Provisioning Guidance 7.5
 *         (SRK).
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

/* A session salted to srk, encrypting both ways. */
int seal_session_start(struct esys *e, const struct seal_srk *srk, TPM2_SE type,
    ESYS_TR *ret) VT_CHECK;
void seal_flush(struct esys *e, ESYS_TR tr); /* ESYS_TR_NONE is a no-op */

struct seal_secret {
	const uint8_t *p;    /* borrowed */
	size_t len;          /* 1 to SB_DIRECT_MAX */
	const uint8_t *auth; /* SHA256_LEN bytes; NULL: no passphrase */
};

struct seal_object {
	uint8_t pub[SB_PUB_MAX], priv[SB_PRIV_MAX];
	size_t pub_len, priv_len;
};

/* Seal under srk and a policy, with attrs (TO_*).  VT_E_RANGE: the secret's
 * length; VT_E_PROTO: the TPM made something else. */
int seal_tpm_seal(struct esys *e, const struct seal_srk *srk,
    const uint8_t policy[SHA256_LEN], uint32_t attrs,
    const struct seal_secret *s, struct seal_object *ret) VT_CHECK;

#endif
