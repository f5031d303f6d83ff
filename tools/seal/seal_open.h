/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seal_open.h - open a sealed object: by PCRs, by an approval, or by its
 * recovery branch; and close the way behind it.
 *
 * Layer:  tools.
 * Spec:   TPM 2.0 Library, Part 3: 12.7 (Unseal), 20.1 (VerifySignature), 22.4
 *         (PCR_Event), 23 (policies).
 * Trust:  the TPM decides.  An approval is verified here only to say what is
 *         wrong with it.
 */
#ifndef TOOLS_SEAL_SEAL_OPEN_H
#define TOOLS_SEAL_SEAL_OPEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tools/esys/esys_ctx.h"
#include "tools/seal/approvals.h"
#include "tools/seal/seal_blob.h"
#include "tools/seal/seal_tpm.h"

/* By which branch of the policy. */
enum seal_way { SEAL_BY_STATE, SEAL_BY_PASSPHRASE, SEAL_BY_KEY };

struct seal_proof {
	enum seal_way way;
	const struct approved *approved; /* SEAL_BY_STATE, SB_AUTHORITY */
	const uint8_t *p; /* the passphrase, or the recovery key's PEM */
	size_t len;
};

/*
 * Open.  out has SB_DIRECT_MAX bytes.  VT_E_POLICY: the TPM refuses, for PCRs
 * or the epoch differ; VT_E_AUTH: a wrong passphrase, key or signature;
 * VT_E_AGAIN: PCRs kept changing meanwhile; VT_E_STATE: the secret has no
 * such branch.
 */
int seal_tpm_unseal(struct esys *e, const struct seal_srk *srk,
    const struct seal_blob *b, const struct seal_proof *proof, uint8_t *out,
    size_t *ret_len) VT_CHECK;

/* Have the TPM load a key as it would to open: it may not know the kind. */
int seal_tpm_takes(struct esys *e, const struct seal_key *k) VT_CHECK;
/* Extend a PCR in every active bank, by H("vtpm-seal: capped"). */
int seal_tpm_cap(struct esys *e, uint32_t pcr) VT_CHECK;

#endif
