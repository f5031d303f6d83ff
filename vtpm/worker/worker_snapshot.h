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
 * Power cycle: off in order, then into the snapshot that is staged, or on with
 * event plain, or launch if a launch is to be measured (PE_INIT and
 * PE_INIT_LAUNCH, PE_RESET and PE_RESET_LAUNCH).
 */
int wk_power_cycle(
    struct worker *w, enum power_event plain, enum power_event launch) VT_CHECK;

/* chan_host callbacks (tpmback/chan.h); arg is a struct slot. */
uint32_t wk_get_blob(
    void *arg, enum chan_blob type, uint8_t **ret, size_t *ret_len);
uint32_t wk_set_blob(void *arg, enum chan_blob type, bool incoming,
    const uint8_t *p, size_t len);
uint32_t wk_take_over(void *arg);

#endif
