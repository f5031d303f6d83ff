/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_certs.h - short-lived certificates of guests' AKs.
 *
 * Layer:  vtpm_manager/guest.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_CERTS_H
#define VTPM_MANAGER_GUEST_GUEST_CERTS_H

#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/core/context.h"

struct guest_run;

int guest_ak_new(struct mgr *m) VT_CHECK;
void guest_ak_free(struct mgr *m);
uint32_t guest_ak_seconds(const struct mgr *m); /* life of a new one */
/* g runs: hand its worker the newest certificate, and renew it if it is due. */
void guest_ak_ready(struct guest_run *g);

/* The issuing key of an answer to HW_CERTS (len 0: the CA): one that was not
 * seen before is audited. */
void guest_issuer_seen(struct mgr *m, const struct wblob *issuer);
/* g's kept keys changed (SX_CERTS): a certificate that it lacks is issued. */
void guest_ak_changed(struct guest_run *g);

#endif
