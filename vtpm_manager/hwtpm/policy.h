/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy.h - releases the master key in approved host states only.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_POLICY_H
#define VTPM_MANAGER_HWTPM_POLICY_H

#include "vtpm_manager/hwtpm/tpm.h"

/* Errors: tpm.h. */

/* Put the approval key's policy into the sealed master key's template. */
int hwpolicy_template(struct hwtpm *h, const struct wblob *approval_key,
    TPM2B_PUBLIC *in) VT_CHECK;

/* A policy session, salted, that releases the sealed master key now.
 * VT_E_POLICY: no approved state matches; the text says what differs. */
int hwpolicy_session(struct hwtpm *h, ESYS_TR srk, const struct hwblob *b,
    ESYS_TR *ret) VT_CHECK;

int hwpolicy_refused(struct hwtpm *h); /* by the TPM; VT_E_POLICY */

/* HW_APPROVALS: the approvals that now release the master key; n 0: none. */
int hwpolicy_set(
    struct hwtpm *h, uint32_t n, const struct wblob *approvals) VT_CHECK;
void hwpolicy_clear(struct hwtpm *h);

bool hwpolicy_bound(const struct hwtpm *h); /* h->blob has a policy */

#endif
