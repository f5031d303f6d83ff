/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_banks.h - PCR banks that the host sets.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_BANKS_H
#define VTPM_WORKER_WORKER_BANKS_H

#include "base/err.h"

struct worker;

/*
 * In a power cycle, before anything starts the TPM: makes the banks that
 * W_BANKS named the active ones, and leaves the TPM as it was, on and not
 * started.  That they could not be set is an event and no error.  VT_E_TPM: the
 * TPM is off.
 */
int wk_banks_apply(struct worker *w) VT_CHECK;

#endif
