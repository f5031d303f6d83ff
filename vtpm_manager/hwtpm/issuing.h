/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * issuing.h - the issuing key: certifies vTPMs without a signature of the
 * host's TPM for each.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 * Life:   made when the host's keys are loaded and each day after; the CA key
 *         in the TPM certifies it.  Wiped with the day, and when the TPM is
 *         lost or reset: then the keys have to be released again.  It is only
 *         in this process's memory, which is locked, and never written.
 */
#ifndef VTPM_MANAGER_HWTPM_ISSUING_H
#define VTPM_MANAGER_HWTPM_ISSUING_H

#include <stdbool.h>
#include <stdint.h>

#include "vtpm_manager/hwtpm/tpm.h"

/*
 * The CA or issuing key that certifies vTPMs now; makes today's if there is
 * none.  VT_E_STATE: no host keys are loaded.
 */
int hwissuing_get(struct hwtpm *h, struct ca **ret) VT_CHECK;
/* There is none, or its day ends within the hour: a new one should be made
 * before a request needs it. */
bool hwissuing_due(const struct hwtpm *h);
/* Makes it; the old one stays until then.  Only if hwissuing_due(). */
int hwissuing_make(struct hwtpm *h) VT_CHECK;

#endif
