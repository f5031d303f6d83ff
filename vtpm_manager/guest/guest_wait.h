/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_wait.h - callers that wait for a guest to start or stop.
 *
 * Layer:  vtpm_manager/guest.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_WAIT_H
#define VTPM_MANAGER_GUEST_GUEST_WAIT_H

#include "vtpm_manager/core/context.h"

struct guest_run;

struct guest_waiter {
	struct guest_waiter *next;
	mgr_done_cb cb;
	void *arg;
};

/* cb NULL is a no-op. */
int guest_waiting(struct guest_run *g, mgr_done_cb cb, void *arg) VT_CHECK;
/* The list is the caller's; it ends in guest_tell(). */
struct guest_waiter *guest_take_waiters(struct guest_run *g);
/* Frees the list; callbacks may ask for something new. */
void guest_tell(struct guest_waiter *w, int rc, const char *text);

#endif
