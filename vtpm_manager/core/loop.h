/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loop.h - timers of the manager's event loop, priorities of its sources, and
 * its end by a fatal error.
 *
 * Layer:  vtpm_manager/core.
 */
#ifndef VTPM_MANAGER_CORE_LOOP_H
#define VTPM_MANAGER_CORE_LOOP_H

#include "vtpm_manager/core/context.h"

/* Priorities of event sources: lower runs first.  The control plane and
 * deadlines come before what workers send, however much that is. */
#define LOOP_PRIO_CHILD (-10)
#define LOOP_PRIO_BUS (-5)
#define LOOP_PRIO_WORKER 0
#define LOOP_PRIO_COMMIT 50 /* after all input of this turn */
#define LOOP_PRIO_IDLE 100

/*
 * Call cb once, ms from now; 0: in the next turn.  *s is replaced and belongs
 * to the caller.  VT_E_SYS and errno; then *s is NULL.
 */
int loop_timer(struct mgr *m, sd_event_source **s, uint64_t ms, int priority,
    sd_event_time_handler_t cb, void *arg) VT_CHECK;
void loop_timer_off(sd_event_source *s); /* NULL is a no-op */
/* The manager cannot continue: log why and end the loop with failure.  The
 * first reason counts. */
void loop_fatal(struct mgr *m, const char *fmt, ...) VT_PRINTF(2, 3);

#endif
