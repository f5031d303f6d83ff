/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_store.h - what workers store and report.
 *
 * Layer:  vtpm_manager/guest.
 * Trust:  a worker's words: checked against its guest's record, bounded, and
 *         escaped before they reach the log.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_STORE_H
#define VTPM_MANAGER_GUEST_GUEST_STORE_H

#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/store/store_guest.h"

/* Operations of a guest's link; arg is its struct guest_run. */
void guest_on_store(void *arg, uint32_t id, const struct wstore *s);
void guest_on_event(void *arg, const struct wevent *e);
/* Delete the launch record that the store has; the worker keeps its own. */
void guest_forget_launch(struct mgr *m, const struct guest *in);
/* The same, but the present run is still known to be under it. */
void guest_leave_launch(struct mgr *m, const struct guest *in);
/* The header of a sealed blob fits the message and this uuid: VT_E_PROTO,
 * VT_E_TRUNC, VT_E_FORMAT.  Its digest is for store_state_put() to check, which
 * hashes the blob once. */
int guest_check_store(
    const uint8_t uuid[UUID_LEN], const struct wstore *s) VT_CHECK;

#endif
