/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * identity.h - who the host is.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_IDENTITY_H
#define VTPM_MANAGER_HWTPM_IDENTITY_H

#include "vtpm_manager/hwtpm/key_object.h"

/* Made when the host's keys are: the AK, and the CA key certified by it. */
struct ident_bytes {
	uint8_t ek; /* enum hwblob_ek */
	struct key_bytes ak;
	uint8_t attest[HWBLOB_KEY_MAX], sig[HWBLOB_KEY_MAX];
	size_t attest_len, sig_len;
};

/* Errors: tpm.h.  Both need h->session; the latter also the CA key, and
 * flushes *srk on the way. */
int hwident_make_ak(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN],
    struct ident_bytes *ret) VT_CHECK;
int hwident_certify_ca(struct hwtpm *h, ESYS_TR *srk, const struct hwblob *b,
    struct ident_bytes *ret) VT_CHECK;

/* HW_IDENTITY.  *ret borrows from h until the next call. */
int hwident_show(struct hwtpm *h, struct hw_identity *ret) VT_CHECK;

/* HW_ACTIVATE.  secret: at least sizeof(TPMU_HA) bytes. */
int hwident_activate(struct hwtpm *h, const struct hw_activate *req,
    uint8_t *secret, size_t *ret_len) VT_CHECK;

#endif
