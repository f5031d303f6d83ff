/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * certificates.h - signs certificates with the CA key in the host's TPM.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_CERTIFICATES_H
#define VTPM_MANAGER_HWTPM_CERTIFICATES_H

#include "vtpm_manager/hwtpm/tpm.h"

/* A ca_sign_fn; arg is the struct hwtpm. */
int hwcerts_sign(void *arg, const uint8_t digest[SHA256_LEN], uint8_t *out,
    size_t *ret_len) VT_CHECK;

/* HW_CERTS.  ders: room for HW_CERTS_MAX.  *ret_issuer: of the issuing key,
 * borrowed; NULL: the CA key itself signed.  Errors: tpm.h. */
int hwcerts_issue(struct hwtpm *h, const struct hw_certs *req,
    struct ca_der *ders, const struct ca_der **ret_issuer) VT_CHECK;

#endif
