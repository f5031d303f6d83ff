/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_certs.h - newest certificates of the vTPM's keys.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_CERTS_H
#define VTPM_WORKER_WORKER_CERTS_H

#include "base/err.h"
#include "vtpm/proto/worker_msg.h"

struct worker;

/* Takes a copy for the vendor command, and into NV if possible.
 * VT_E_NOMEM. */
int wk_cert_take(struct worker *w, const struct wakcert *m) VT_CHECK;
/* The AK is a new one: what certifies the old one goes. */
void wk_certs_drop_ak(struct worker *w);
/* Writes to NV what is due, if possible.  Uses the engine; the caller stores
 * the state. */
void wk_certs_write(struct worker *w);

#endif
