/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * make_credential.h - TPM2_MakeCredential without a TPM.
 *
 * Layer:  measure; no I/O, no logging.
 * Spec:   TPM 2.0 Library, Part 1, 24 (credential protection), 11.4.10
 *         (KDFa, KDFe), B.10 and C.6.1 (the seed); Part 2, 10.12.3, 12.4.
 * Limits: EKs of RSA 2048..4096 and P-256, P-384, P-521, whose symmetric
 *         algorithm is AES in CFB mode.
 */
#ifndef MEASURE_CERT_MAKE_CREDENTIAL_H
#define MEASURE_CERT_MAKE_CREDENTIAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/tpm/tpm_public.h"

#define CREDENTIAL_SECRET_MAX 32
#define CREDENTIAL_ID_MAX 256  /* TPM2B_ID_OBJECT */
#define CREDENTIAL_ENC_MAX 600 /* TPM2B_ENCRYPTED_SECRET */

struct credential {
	uint8_t id[CREDENTIAL_ID_MAX], enc[CREDENTIAL_ENC_MAX];
	size_t id_len, enc_len;
};

/*
 * Wrap secret (1..32 bytes) so that only the TPM with this EK gives it back,
 * and only beside an object with this Name.  ek_pub: TPMT_PUBLIC.
 * VT_E_UNSUPPORTED: such an EK is not known; VT_E_RANGE, VT_E_CRYPTO, errors
 * of tpm_pub_get() and tpm_pub_to_evp().
 */
int credential_make(const uint8_t *ek_pub, size_t ek_pub_len,
    const struct tpm_name *name, const uint8_t *secret, size_t secret_len,
    struct credential *ret) VT_CHECK;

#endif
