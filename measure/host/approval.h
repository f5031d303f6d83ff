/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * approval.h - a host state that an approval key has signed: what releases
 * the host's master key, and what a verifier takes for a good host.
 *
 * Layer:  measure; pure.
 * Spec:   doc/FORMATS.md, "Approval"; TPM 2.0 Library 1.59, Part 3,
 *         TPM2_PolicyPCR, TPM2_PolicyNV, TPM2_PolicyAuthorize.
 * What is signed.  Two signatures by one ECDSA P-256 key:
 *   statement: over SHA-256 of all encoded fields before the signatures, so
 *         bank, selection, digest, sequence and epoch are all inside it;
 *   policy: over SHA-256(approvedPolicy || policyRef), which the TPM
 *         itself checks.  approvedPolicy = PolicyPCR(selection, digest) then
 *         PolicyNV(epoch counter, epoch, offset 0, TPM_EO_UNSIGNED_LE): once
 *         the counter has passed `epoch`, the approval is dead.
 * Refused by approval_check(): no PCR selected, SHA-1, a value that is all 00
 * or all FF among those selected.
 */
#ifndef MEASURE_HOST_APPROVAL_H
#define MEASURE_HOST_APPROVAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/rdwr.h"
#include "measure/tpm/pcr.h"

#define APPROVAL_KEY_LEN 65 /* 04 || X || Y on P-256 */
#define APPROVAL_SIG_MAX 80 /* DER Ecdsa-Sig-Value */
#define APPROVAL_LABEL_MAX 63
#define APPROVAL_MAX_LEN 4096 /* encoded */
#define APPROVAL_NAME_LEN 34  /* TPM2B_NAME of an NV index: alg + SHA-256 */
#define APPROVAL_REF \
	"VTPM host state" /* policyRef; for group N: " N" after it */

struct approval {
	uint32_t group;                     /* 0: the host's own */
	char label[APPROVAL_LABEL_MAX + 1]; /* for people: "kernel 6.1.0-28" */
	uint64_t sequence;                  /* strictly growing per key */
	uint64_t epoch; /* alive while the epoch counter is <= this */
	uint8_t epoch_name[APPROVAL_NAME_LEN]; /* Name of the counter's index */
	uint64_t made_s;                       /* seconds since 1970 */
	struct pcr_set pcrs; /* one bank: what the values are; which are
				selected is which are there */
	uint8_t sig[APPROVAL_SIG_MAX], policy_sig[APPROVAL_SIG_MAX];
	uint16_t sig_len, policy_sig_len;
};

void approval_put(struct wr *w, const struct approval *a);
/* VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED. */
int approval_get(
    const uint8_t *data, size_t len, struct approval *ret) VT_CHECK;
/* VT_E_POLICY: a state that must not be approved; text says why. */
int approval_check(const struct approval *a, char *text, size_t cap) VT_CHECK;
/* Digest of the TPM policy that the state stands for (TPM2_PolicyGetDigest
 * after PolicyPCR and PolicyNV), and of the authorising policy of an object
 * that is released by any state that `key` signed. */
int approval_policy(const struct approval *a, uint8_t out[SHA256_LEN]) VT_CHECK;
int approval_auth_policy(const uint8_t key[APPROVAL_KEY_LEN], uint32_t group,
    uint8_t out[SHA256_LEN]) VT_CHECK;
/* The key as the TPM sees it (TPM2B_PUBLIC for TPM2_LoadExternal); *ret_len
 * of cap bytes are written. */
int approval_key_public(const uint8_t key[APPROVAL_KEY_LEN], uint8_t *out,
    size_t cap, size_t *ret_len) VT_CHECK;
/* PEM (PRIVATE KEY, or PUBLIC KEY) -> point; VT_E_FORMAT, VT_E_UNSUPPORTED. */
int approval_key_read(
    const void *pem, size_t len, uint8_t ret[APPROVAL_KEY_LEN]) VT_CHECK;
/* Fill both signatures.  pem: private key. */
int approval_sign(struct approval *a, const void *pem, size_t len) VT_CHECK;
/* VT_E_AUTH: not signed by this key. */
int approval_verify(
    const struct approval *a, const uint8_t key[APPROVAL_KEY_LEN]) VT_CHECK;
/* ECDSA with SHA-256 by such a key over any message that begins with a magic
 * that no other structure has: what else an approval key signs
 * (measure/host/tenant_config.h). Signing: VT_E_FORMAT, VT_E_UNSUPPORTED (not a
 * P-256 key); verifying: VT_E_AUTH. */
int approval_sign_bytes(const void *pem, size_t pem_len, const uint8_t *msg,
    size_t len, uint8_t sig[APPROVAL_SIG_MAX], uint16_t *ret_len) VT_CHECK;
int approval_verify_bytes(const uint8_t key[APPROVAL_KEY_LEN],
    const uint8_t *msg, size_t len, const uint8_t *sig,
    size_t sig_len) VT_CHECK;
/* Which PCRs differ, as text ("PCR 4 (sha256) is a1b2.., approved
 * d4c3.."); VT_OK if none does, VT_E_POLICY. */
int approval_compare(const struct approval *a, const struct pcr_set *now,
    char *text, size_t cap) VT_CHECK;

#endif
