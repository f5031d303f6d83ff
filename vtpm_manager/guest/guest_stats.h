/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_stats.h - what the workers count (WQ_STATS).
 *
 * Layer:  vtpm_manager/guest.
 * Trust:  a worker that was taken over lies about its own numbers; bounds keep
 *         the sums of all from overflowing.
 *
 * Nothing is sent unasked: a worker is asked when somebody wants the numbers,
 * when it is told to stop, and when a new manager finds it.  The sums of all
 * guests lack what a worker counted between the last question and its death.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_STATS_H
#define VTPM_MANAGER_GUEST_GUEST_STATS_H

#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/core/context.h"

struct guest_run;
struct guest_stats; /* opaque */

/* Sets m->guests->stats; VT_E_NOMEM. */
int guest_stats_new(struct mgr *m) VT_CHECK;
void guest_stats_free(struct mgr *m);

/* Ask g's worker, if it has one that was not asked yet. */
void guest_stats_ask(struct guest_run *g);

/*
 * Ask all.  cb runs once, within 250 ms, maybe before this returns: a worker
 * that is late then keeps its last known numbers.  rc VT_E_CLOSED: the manager
 * ends.  VT_E_NOMEM.
 */
typedef void (*guest_stats_cb)(void *arg, int rc);
int guest_stats_gather(struct mgr *m, guest_stats_cb cb, void *arg) VT_CHECK;
void guest_stats_forget(struct mgr *m, const void *arg);
/* Times of the commands of all guests, those that are gone too. */
const struct histogram *guest_stats_times(
    const struct mgr *m, enum wclass class);

#endif
