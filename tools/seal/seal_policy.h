/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seal_policy.h - the policy digests of what vtpm-seal seals, as the TPM
 * computes them.
 *
 * Layer:  tools; no I/O, no TPM.
 * Spec:   TPM 2.0 Library 1.59, Part 3, 23: PolicySigned (23.3), PolicyOR
 *         (23.6), PolicyPCR (23.7), PolicyNV (23.9), PolicyAuthorize (23.16),
 *         PolicyAuthValue (23.17); doc/FORMATS.md, "Sealed blob".
 * All of them are SHA-256.  Each step takes the session's digest in d, which
 * starts as zeros, and leaves there what the TPM makes of it; d is untouched
 * on failure.  VT_E_CRYPTO, and what stands beside a step.
 */
#ifndef TOOLS_SEAL_SEAL_POLICY_H
#define TOOLS_SEAL_SEAL_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/tpm_public.h"

#define SEAL_OR_MAX 8 /* branches of a PolicyOR */

/* VT_E_NOTFOUND: a value is missing. */
int seal_policy_pcr(uint8_t d[SHA256_LEN], const struct pcr_sel *sel,
    const struct pcr_set *pcrs) VT_CHECK;
/* Eight bytes of the index, unsigned, are at most `most`. */
int seal_policy_nv(
    uint8_t d[SHA256_LEN], uint64_t most, const struct tpm_name *nv) VT_CHECK;
int seal_policy_authorize(uint8_t d[SHA256_LEN], const struct tpm_name *key,
    const char *ref) VT_CHECK;
int seal_policy_signed(uint8_t d[SHA256_LEN], const struct tpm_name *key,
    const char *ref) VT_CHECK;
int seal_policy_auth_value(uint8_t d[SHA256_LEN]) VT_CHECK;
/* VT_E_RANGE: not 2 to SEAL_OR_MAX branches. */
int seal_policy_or(uint8_t d[SHA256_LEN], const uint8_t branch[][SHA256_LEN],
    size_t n) VT_CHECK;

/* TPM2_PolicyPCR alone.  VT_E_NOTFOUND: a value is missing. */
int seal_policy_digest(const struct pcr_sel *sel, const struct pcr_set *pcrs,
    uint8_t out[SHA256_LEN]) VT_CHECK;
/* A state as an authority signs it: these PCRs, and the epoch counter at
 * `index` at most `epoch`. */
int seal_policy_state(const struct pcr_sel *sel, const struct pcr_set *pcrs,
    uint32_t index, uint64_t epoch, uint8_t out[SHA256_LEN]) VT_CHECK;

/* The attributes of an epoch counter: TPMA_NV, once it was incremented. */
#define SEAL_EPOCH_ATTRS 0x22060012u
/* Its Name.  A counter that is another kind of index, or that others may
 * write, has another. */
int seal_epoch_name(uint32_t index, struct tpm_name *ret) VT_CHECK;

#endif
