/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_snapshot.h - states that a hypervisor takes out and brings back.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_SNAPSHOT_H
#define VTPM_WORKER_WORKER_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tpmback/chan.h"
#include "vtpm/worker/power_fsm.h"

struct worker;

/*
 * The first half of a power cycle: off in order, then into the snapshot that
 * is staged, if there is one.  Started afterwards: the cycle is over.
 */
int wk_power_down(struct worker *w) VT_CHECK;

/* chan_host callbacks (tpmback/chan.h); arg is a struct slot. */
uint32_t wk_get_blob(
    void *arg, enum chan_blob type, uint8_t **ret, size_t *ret_len);
uint32_t wk_set_blob(void *arg, enum chan_blob type, bool incoming,
    const uint8_t *p, size_t len);
uint32_t wk_take_over(void *arg);

#endif
