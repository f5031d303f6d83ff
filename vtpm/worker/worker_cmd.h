/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_cmd.h - a guest's command from submit to answer.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_CMD_H
#define VTPM_WORKER_WORKER_CMD_H

#include <stddef.h>
#include <stdint.h>

#include "tpmback/chan.h"

struct worker;

/* chan_host callbacks (tpmback/chan.h); arg is a struct slot. */
void wk_submit(void *arg, struct chan *ch, uint8_t locality,
    const uint8_t *bytes, size_t len);
void wk_cancel(void *arg, struct chan *ch);
/* Runs the commands that were held, or gives them up.  Called in each turn of
 * the loop. */
void wk_run_held(struct worker *w, uint64_t now);

#endif
