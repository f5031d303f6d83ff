/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_load.h - W_LOAD: the worker becomes an instance.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_LOAD_H
#define VTPM_WORKER_WORKER_LOAD_H

#include "base/err.h"
#include "vtpm/proto/worker_msg.h"

struct worker;

/*
 * Opens the sealed states, checks that they are the newest ones, and powers
 * on.  text: TEXT_MAX_LEN + 1 bytes; says why on failure.  VT_E_NOTFOUND,
 * VT_E_AUTH, VT_E_STALE, VT_E_CORRUPT, VT_E_FORMAT, VT_E_TPM, VT_E_NOMEM.
 */
int wk_load(struct worker *w, const struct wload *m, char *text) VT_CHECK;

#endif
