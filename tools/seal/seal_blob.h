/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seal_blob.h - the file that holds a sealed secret: sealed to PCR values, or
 * to whatever state a key has approved, with a recovery branch or without.
 *
 * Layer:  tools; no I/O, no TPM.
 * Spec:   doc/FORMATS.md, "Sealed blob".
 * Bytes:  big-endian.  "VTSB" | be16 version | be16 flags SB_* |
 *         be32 handle of the storage key (0: the standard primary key) |
 *         be16 + Name of the storage key | what it is sealed to |
 *         be16 + TPMT_PUBLIC and be16 + TPM2B_PRIVATE's buffer of the
 *         sealed object | if SB_BULK: iv[12] | be32 + ciphertext | tag[16].
 *         AES-256-GCM under the sealed key; the associated data is all that
 *         stands before iv.
 *         Sealed to, without SB_AUTHORITY: TPML_PCR_SELECTION | the value of
 *         each selected PCR, in order; with it: be16 + the authority's
 *         TPMT_PUBLIC | be16 + ref | be32 index of the epoch counter.  Then
 *         SB_PASSPHRASE: salt[16] | u8 cost; SB_RECOVERY_KEY: be16 + its
 *         TPMT_PUBLIC.
 *         Version 1 has SB_BULK alone, version 2 one of the others at least.
 * Trust:  a blob is hostile input.  The TPM protects the secret; what the
 *         blob says that it is sealed to is checked against its policy, so
 *         that messages about it are true.
 */
#ifndef TOOLS_SEAL_SEAL_BLOB_H
#define TOOLS_SEAL_SEAL_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/tpm_public.h"
#include "tools/seal/seal_key.h"
#include "tools/seal/seal_policy.h"

#define SB_SECRET_MAX (16u * 1024 * 1024) /* bytes of a secret */
#define SB_DIRECT_MAX 128                 /* bytes that a TPM seals itself */
#define SB_PUB_MAX 512
#define SB_PRIV_MAX 1024
#define SB_HEAD_MAX 8192 /* bytes before the bulk part */
#define SB_FILE_MAX (SB_SECRET_MAX + SB_HEAD_MAX + 64)

#define SB_SALT_LEN 16
#define SB_COST_MIN 14 /* log2 of scrypt's N */
#define SB_COST_MAX 18 /* 256 MiB */
#define SB_ROLE_MAX 27
#define SB_REF_MAX (UUID_STRLEN + 1 + SB_ROLE_MAX) /* a policyRef: 64 */
#define SB_BRANCHES 3

/* policyRef of a recovery key's signature. */
#define SB_RECOVERY_REF "vtpm-seal recovery"

enum {
	SB_BULK = 1,
	SB_AUTHORITY = 2,
	SB_PASSPHRASE = 4,
	SB_RECOVERY_KEY = 8,
	SB_RECOVERY = SB_PASSPHRASE | SB_RECOVERY_KEY,
	SB_FLAGS = SB_BULK | SB_AUTHORITY | SB_RECOVERY,
};

struct seal_blob {
	uint16_t flags;
	uint32_t srk_handle;
	struct tpm_name srk_name;
	/* without SB_AUTHORITY */
	struct pcr_sel sel;
	struct pcr_set pcrs; /* values at sealing time */
	/* SB_AUTHORITY */
	struct seal_key authority;
	char ref[SB_REF_MAX + 1];
	uint32_t epoch_index;
	/* SB_PASSPHRASE */
	uint8_t salt[SB_SALT_LEN];
	uint8_t cost;
	/* SB_RECOVERY_KEY */
	struct seal_key recovery;

	const uint8_t *pub, *priv; /* borrowed */
	size_t pub_len, priv_len;
	/* SB_BULK */
	const uint8_t *iv, *bulk, *tag; /* borrowed */
	size_t bulk_len;
	const uint8_t *ad; /* of the bulk part; borrowed from the file */
	size_t ad_len;
};

/* The policy of a sealed object: one branch, or a PolicyOR of them. */
struct seal_branches {
	size_t n;
	uint8_t digest[SB_BRANCHES][SHA256_LEN];
	uint8_t policy[SHA256_LEN]; /* the object's authPolicy */
};

/* VT_E_NOTFOUND: a PCR value is missing. */
int seal_blob_policy(
    const struct seal_blob *b, struct seal_branches *ret) VT_CHECK;
/* The attributes of its object (TO_*): a passphrase is guarded against
 * guessing, what has no passphrase cannot be locked out. */
uint32_t seal_blob_attrs(const struct seal_blob *b);
/* UUID:ROLE, a role of letters, digits, '.', '_' and '-'.  VT_E_FORMAT. */
int seal_ref_check(const char *ref) VT_CHECK;
/* The passphrase as the TPM gets it: scrypt, r 8, p 1.  VT_E_CRYPTO. */
int seal_stretch(const struct seal_blob *b, const void *pass, size_t len,
    uint8_t out[SHA256_LEN]) VT_CHECK;

/* Append everything before iv. */
void seal_blob_head(struct wr *w, const struct seal_blob *b);

/*
 * Parse all of buf.  VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED
 * (version, bank, key); VT_E_CORRUPT: what it says it is sealed to is not its
 * policy, or the sealed object can be opened without that policy.
 */
int seal_blob_get(
    const uint8_t *buf, size_t len, struct seal_blob *ret) VT_CHECK;

/*
 * May a secret be sealed to these?  VT_OK, or VT_E_POLICY with the reason
 * and what to do in why.
 */
int seal_check_pcrs(const struct pcr_sel *sel, const struct pcr_set *pcrs,
    char *why, size_t cap) VT_CHECK;
/* The same for the selection alone, before any PCR is read. */
int seal_check_sel(const struct pcr_sel *sel, char *why, size_t cap) VT_CHECK;

/* Names the PCRs of sel whose values in was and now differ, "sha256 PCR 8
 * (kernel command line ...)"; returns how many. */
uint32_t seal_differs(const struct pcr_sel *sel, const struct pcr_set *was,
    const struct pcr_set *now, char *out, size_t cap);

#endif
