/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_resume.h - the engine becomes a state that was opened.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_RESUME_H
#define VTPM_WORKER_WORKER_RESUME_H

#include "base/err.h"
#include "vtpm/state/state.h"

struct worker;

/* This permanent state; powered off.  As eng_set_permanent(). */
int wk_become(struct worker *w, const struct state_perm *s) VT_CHECK;
/* Powers on into this volatile state; the permanent one is set.  On failure
 * the next power on finds nothing of it.  VT_E_TPM, VT_E_NOMEM, VT_E_*. */
int wk_resume(struct worker *w, const struct state_vol *s) VT_CHECK;

#endif
