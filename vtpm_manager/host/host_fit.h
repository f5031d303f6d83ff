/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_fit.h - is the host in an approved state?  Asked before a vTPM is
 * certified.  Reading the PCRs takes a physical TPM some 100 ms, so one reading
 * serves everyone who asked before it was begun; who asks during it waits for
 * the next one.
 *
 * Layer:  vtpm_manager.
 */
#ifndef VTPM_MANAGER_HOST_HOST_FIT_H
#define VTPM_MANAGER_HOST_HOST_FIT_H

#include <stdbool.h>

#include "vtpm_manager/core/context.h"

/* VT_OK, VT_E_POLICY: in no approved state, or why that is not known. */
typedef void (*host_fit_cb)(void *arg, int rc, const char *text);

int host_fit_new(struct mgr *m) VT_CHECK;
void host_fit_free(struct mgr *m); /* nobody is called any more */
/*
 * True: it need not be in one; go on.  False: cb will be called, and *ret is
 * VT_OK, or it will not, and *ret says why.
 */
bool host_fit(struct mgr *m, host_fit_cb cb, void *arg, int *ret);
void host_fit_forget(struct mgr *m, const void *arg);

#endif
