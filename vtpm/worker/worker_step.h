/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_step.h - one step of the vTPM's power life.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_STEP_H
#define VTPM_WORKER_WORKER_STEP_H

#include "vtpm/worker/power_fsm.h"

struct worker;

/*
 * Takes the step and logs it.  The caller performs the action; most callers
 * want wk_power() or wk_power_ask() (vtpm/worker/worker_power.h), which do.
 */
enum power_action wk_step(struct worker *w, enum power_event e);

#endif
