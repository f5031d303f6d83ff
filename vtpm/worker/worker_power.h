/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_power.h - power, startup, measured launch, cap after a crash.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_POWER_H
#define VTPM_WORKER_WORKER_POWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct worker;

/* VT_E_STATE, VT_E_TPM, VT_E_NOMEM. */
int wk_power_on(struct worker *w) VT_CHECK;
/* In order if it was started; powered off already: no effect. */
void wk_power_off(struct worker *w);
/* Startup(CLEAR), or the launch of this power cycle, if not done yet. */
int wk_auto_start(struct worker *w) VT_CHECK;
/* After a Startup that succeeded.  Uses the engine: a caller that holds a
 * response has a copy of it. */
int wk_note_startup(struct worker *w, uint8_t locality, bool clear) VT_CHECK;
/* After a crash: starts the TPM and caps every PCR. */
int wk_cap(struct worker *w) VT_CHECK;

#endif
