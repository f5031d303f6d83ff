/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * systemd_json.h - systemd's file of signed PCR policies,
 * tpm2-pcr-signature.json.
 *
 * Layer:  tools; no I/O, no TPM.
 * Spec:   systemd-measure(1), "sign"; systemd 252 and later, tpm2-util.c: per
 *         bank a list of { "pcrs": [numbers], "pkfp": hex of SHA-256 of the
 *         key, "pol": hex of the policy's digest, "sig": base64 }.  The policy
 *         is PolicyPCR in a SHA-256 session; the signature is over its 32
 *         bytes, RSA with PKCS #1 v1.5 or ECDSA, with SHA-256, and no
 *         policyRef.
 * Trust:  a file is hostile input.
 */
#ifndef TOOLS_SEAL_SYSTEMD_JSON_H
#define TOOLS_SEAL_SYSTEMD_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "tools/seal/seal_key.h"

#define SD_MAX 256               /* signatures in a file */
#define SD_FILE_MAX (512 * 1024) /* bytes */
#define SD_ERR_MAX 200

struct sd_sig {
	uint16_t alg;
	uint32_t mask; /* PCRs */
	uint8_t print[SHA256_LEN], pol[SHA256_LEN];
	uint8_t sig[SEAL_SIG_MAX];
	size_t sig_len;
};

struct sd_sigs {
	size_t n;
	struct sd_sig *list; /* heap */
};

/* *ret is the caller's: sd_sigs_free().  VT_E_FORMAT, VT_E_RANGE,
 * VT_E_UNSUPPORTED (a bank), VT_E_NOMEM; err says what. */
int sd_sigs_get(const uint8_t *buf, size_t len, struct sd_sigs *ret,
    char err[SD_ERR_MAX]) VT_CHECK;
void sd_sigs_free(struct sd_sigs *s); /* zeroed is a no-op */
/* Add, in place of the same one; with keep, only the newest `keep` of this
 * key, bank and PCRs stay (0: all).  VT_E_RANGE, VT_E_NOMEM. */
int sd_sigs_add(
    struct sd_sigs *s, const struct sd_sig *one, uint32_t keep) VT_CHECK;
/* The file: a new reference.  NULL: no memory. */
json_t *sd_sigs_json(const struct sd_sigs *s);

#endif
