/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * endorsement.h - the host's endorsement key (EK).
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_ENDORSEMENT_H
#define VTPM_MANAGER_HWTPM_ENDORSEMENT_H

#include "vtpm_manager/hwtpm/tpm.h"

#define HWEK_CERT_MAX 2000 /* bytes of DER */

/* ek: enum hwblob_ek.  Errors: tpm.h. */

/* The EK that has a certificate in the TPM, P-256 before RSA. */
int hwek_choose(struct hwtpm *h, uint8_t *ret) VT_CHECK;

/* Its certificate, at most HWEK_CERT_MAX bytes; *ret_len 0: there is none. */
int hwek_cert(
    struct hwtpm *h, uint8_t ek, uint8_t *out, size_t *ret_len) VT_CHECK;

/* Make it.  *ret_pub, if asked for: Esys_Free(). */
int hwek_make(
    struct hwtpm *h, uint8_t ek, TPM2B_PUBLIC **ret_pub, ESYS_TR *ret) VT_CHECK;

/* A session that satisfies its policy once. */
int hwek_session(struct hwtpm *h, ESYS_TR *ret) VT_CHECK;

#endif
