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
#include "vtpm/worker/power_fsm.h"

struct worker;

/*
 * Raises an event and performs what the table says, up to the end.
 * VT_E_STATE: not possible now; VT_E_TPM, VT_E_NOMEM, VT_E_NOTFOUND: an
 * action failed, and the table said what follows.
 */
int wk_power(struct worker *w, enum power_event e) VT_CHECK;
/*
 * What is to be done with a command: PE_ASK_* in, PA_RUN, PA_ACCEPT, PA_REFUSE
 * or PA_FAIL out.  If the command is one that starts the TPM, it is started
 * before this returns.
 */
enum power_action wk_power_ask(struct worker *w, enum power_event ask);

/* On, with event plain, or launch if one is to be measured.  As wk_power(). */
int wk_power_on(
    struct worker *w, enum power_event plain, enum power_event launch) VT_CHECK;
/* The next power cycle has a launch to measure; on already: this one has. */
bool wk_launch_due(const struct worker *w);
/* Off, in order if a command ran; off already: no effect. */
void wk_power_off(struct worker *w);
/* Off as it is: a state that was brought back could not be resumed. */
void wk_power_lost(struct worker *w);
/* Starts the TPM as a guest's first command would.  VT_E_TPM. */
int wk_start(struct worker *w) VT_CHECK;
/* After a Startup that succeeded.  Uses the engine: a caller that holds a
 * response has a copy of it. */
int wk_note_startup(struct worker *w, uint8_t locality, bool clear) VT_CHECK;

#endif
