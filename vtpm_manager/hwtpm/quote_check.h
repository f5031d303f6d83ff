/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote_check.h - checks a quote before it is given out.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_QUOTE_CHECK_H
#define VTPM_MANAGER_HWTPM_QUOTE_CHECK_H

#include "vtpm_manager/hwtpm/tpm.h"

/*
 * q is what req asks for, signed by pub (TPM2B_PUBLIC).  VT_E_UNSUPPORTED: the
 * TPM has no such bank; VT_E_AUTH and h->again: it is not.
 */
int hwquote_check(struct hwtpm *h, const struct wblob *pub,
    const struct hw_quote *req, const struct hw_quoted *q) VT_CHECK;

#endif
