/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_repair.h - keys that the guest removed come back at a power cycle.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_REPAIR_H
#define VTPM_WORKER_WORKER_REPAIR_H

struct worker;

/* After a Startup(CLEAR), before the guest's next command.  Uses the engine. */
void wk_repair(struct worker *w);

#endif
