/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_status.h - Status(): the state of the manager and of the host's TPM.
 *
 * Layer:  vtpm_manager/control.
 *
 * vtpm-hwtpm answers between two requests only, and one request can take long
 * (a new key, a TPM that hangs).  Status does not wait for that: after 100 ms
 * it shows the last known state, its time, and since when vtpm-hwtpm has been
 * busy.
 */
#ifndef VTPM_MANAGER_CONTROL_BUS_STATUS_H
#define VTPM_MANAGER_CONTROL_BUS_STATUS_H

#include <jansson.h>

#include "base/err.h"

struct bus_statusq; /* opaque: the callers that wait, the last known state */
struct mgr;

/* m is borrowed and must outlive *ret.  VT_E_NOMEM. */
int bus_status_new(struct mgr *m, struct bus_statusq **ret) VT_CHECK;
void bus_status_free(struct bus_statusq *q); /* NULL is a no-op */

/* status is given to the callback; NULL: out of memory, or the manager ends. */
typedef void (*bus_status_cb)(void *arg, json_t *status);
/* cb runs once, within 100 ms, maybe before this returns.  VT_E_NOMEM. */
int bus_status_ask(struct bus_statusq *q, bus_status_cb cb, void *arg) VT_CHECK;
void bus_status_forget(struct bus_statusq *q, const void *arg);

#endif
