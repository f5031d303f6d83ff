/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seal_blob.h - the file that holds a secret sealed to PCR values.
 *
 * Layer:  tools; no I/O, no TPM.
 * Spec:   doc/FORMATS.md, "Sealed blob".
 * Bytes:  big-endian.  "VTSB" | be16 version 1 | be16 flags SB_* |
 *         be32 handle of the storage key (0: the standard primary key) |
 *         be16 + Name of the storage key | TPML_PCR_SELECTION |
 *         the value of each selected PCR, in order |
 *         be16 + TPMT_PUBLIC and be16 + TPM2B_PRIVATE's buffer of the
 *         sealed object | if SB_BULK: iv[12] | be32 + ciphertext | tag[16].
 *         AES-256-GCM under the sealed key; the associated data is all that
 *         stands before iv.
 * Trust:  a blob is hostile input.  The TPM protects the secret; the PCR
 *         values in the blob are checked against its policy, so that
 *         messages about them are true.
 */
#ifndef TOOLS_SEAL_SEAL_BLOB_H
#define TOOLS_SEAL_SEAL_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/rdwr.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/tpm_public.h"

#define SB_SECRET_MAX (16u * 1024 * 1024) /* bytes of a secret */
#define SB_DIRECT_MAX 128                 /* bytes that a TPM seals itself */
#define SB_PUB_MAX 512
#define SB_PRIV_MAX 1024
#define SB_HEAD_MAX 8192 /* bytes before the bulk part */
#define SB_FILE_MAX (SB_SECRET_MAX + SB_HEAD_MAX + 64)

enum { SB_BULK = 1 };

struct seal_blob {
	uint16_t flags;
	uint32_t srk_handle;
	struct tpm_name srk_name;
	struct pcr_sel sel;
	struct pcr_set pcrs;       /* values at sealing time */
	const uint8_t *pub, *priv; /* borrowed */
	size_t pub_len, priv_len;
	/* SB_BULK */
	const uint8_t *iv, *bulk, *tag; /* borrowed */
	size_t bulk_len;
	const uint8_t *ad; /* of the bulk part; borrowed from the file */
	size_t ad_len;
};

/* TPM2_PolicyPCR alone, SHA-256.  VT_E_NOTFOUND: a value is missing. */
int seal_policy_digest(const struct pcr_sel *sel, const struct pcr_set *pcrs,
    uint8_t out[SHA256_LEN]) VT_CHECK;

/* Append everything before iv. */
void seal_blob_head(struct wr *w, const struct seal_blob *b);

/*
 * Parse all of buf.  VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED
 * (version, bank); VT_E_CORRUPT: its PCR values are not those of its policy,
 * or the sealed object can be opened without that policy.
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

/* Names the PCRs of b that differ from now, "sha256 PCR 8 (kernel command line
 * ...)"; returns how many. */
uint32_t seal_differs(const struct seal_blob *b, const struct pcr_set *now,
    char *out, size_t cap);

#endif
