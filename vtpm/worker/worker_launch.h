/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_launch.h - the measured launch of this power cycle and of the next.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_LAUNCH_H
#define VTPM_WORKER_WORKER_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vtpm/proto/worker_msg.h"

/* A launch, as W_LAUNCH gave it. */
struct launch {
	uint8_t *bytes; /* heap: encoded struct wlaunch; NULL: none */
	size_t len;
	struct wlaunch l; /* borrows from bytes */
};

struct launches {
	struct launch now; /* of this power cycle */
	bool over;         /* the launched guest has ended: not again */
	struct launch next;
	bool next_set; /* next is for the next power cycle, even if empty */
};

/*
 * Takes a copy of an encoded struct wlaunch into *l; len 0 or a launch
 * without a record: none.  On failure *l is as before.  VT_E_NOMEM; as
 * msg_get(wlaunch, ) and el_open(); VT_E_FORMAT: log and record contradict each
 * other.
 */
int launch_take_copy(struct launch *l, const uint8_t *p, size_t len) VT_CHECK;
/* For the next power cycle, likewise. */
int launch_set_next(struct launches *l, const uint8_t *p, size_t len) VT_CHECK;
/* The launch that the next power cycle will have; bytes NULL or the result
 * NULL: none. */
const struct launch *launch_of_next(const struct launches *l);
/* A power cycle: what was set for it is the present launch now. */
void launch_power_cycle(struct launches *l);
/* The launched guest ended; true if that was not known.  What it loaded says
 * nothing of a guest that connects next. */
bool launch_end(struct launches *l);

#endif
