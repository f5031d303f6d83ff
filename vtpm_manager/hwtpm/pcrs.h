/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcrs.h - the host's PCRs.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 */
#ifndef VTPM_MANAGER_HWTPM_PCRS_H
#define VTPM_MANAGER_HWTPM_PCRS_H

#include "measure/tpm/pcr.h"
#include "vtpm_manager/hwtpm/tpm.h"

/* A selection of one bank: bit i of mask selects PCR i, i < 24. */
void hwpcrs_select(TPML_PCR_SELECTION *ret, uint16_t alg, uint32_t mask);

/* All PCRs of all active banks.  Errors: tpm.h. */
int hwpcrs_read(struct hwtpm *h, struct pcr_set *ret) VT_CHECK;

#endif
