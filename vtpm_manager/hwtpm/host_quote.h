/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_quote.h - quotes of the host's PCRs.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_HOST_QUOTE_H
#define VTPM_MANAGER_HWTPM_HOST_QUOTE_H

#include "vtpm_manager/hwtpm/tpm.h"

/* Errors: tpm.h.  *ret borrows from h until the next call. */

/* HW_AK: a new AK for a tenant. */
int hwquote_new_ak(
    struct hwtpm *h, const struct hw_ak *req, struct hw_aked *ret) VT_CHECK;

/* HW_QUOTE. */
int hwquote_make(struct hwtpm *h, const struct hw_quote *req,
    struct hw_quoted *ret) VT_CHECK;

#endif
