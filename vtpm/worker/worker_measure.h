/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_measure.h - PCRs that the host extends: a launch, or the cap.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_MEASURE_H
#define VTPM_WORKER_WORKER_MEASURE_H

#include "base/err.h"

struct worker;

/*
 * The TPM has just been started.  Measures the launch of this power cycle:
 * its record into PCR 17, its log into the other PCRs.  VT_E_TPM,
 * VT_E_NOTFOUND (an active bank has no digest), VT_E_NOMEM; the TPM must not
 * run then.
 */
int wk_measure_launch(struct worker *w) VT_CHECK;
/* Extends every PCR with an event that no boot has.  VT_E_TPM, VT_E_NOMEM,
 * VT_E_CRYPTO. */
int wk_measure_cap(struct worker *w) VT_CHECK;

#endif
