/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_machine.h - what the host saw of the machine's power since the last
 * CMD_INIT.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_MACHINE_H
#define VTPM_WORKER_WORKER_MACHINE_H

#include <stdbool.h>

#include "base/err.h"
#include "vtpm/worker/machine_events.h"
#include "vtpm/worker/power_fsm.h"

struct worker;

struct machine {
	int fd; /* a pipe that QEMU's monitor writes into; -1: none */
	struct machine_events events;
	bool fresh;               /* no CMD_INIT of this hypervisor yet */
	bool watched;             /* its monitor has greeted us */
	enum machine_event since; /* RESET or WAKEUP since CMD_INIT, or NONE */
	bool unseen;              /* the last reset is the guest's word */
};

/* Takes fd, a pipe that does not block.  VT_E_EXISTS. */
int wk_machine_watch(struct worker *w, int fd) VT_CHECK;
/* Reads what the monitor wrote.  Never blocks. */
void wk_machine_read(struct worker *w);
/* A hypervisor connected: its first CMD_INIT is a cold boot. */
void wk_machine_connected(struct worker *w);
/*
 * CMD_INIT: which power event it is.  Events that were written before it are
 * forgotten.
 */
enum power_event wk_machine_init(struct worker *w);
/* Before the first command after CMD_INIT: settles what kind it was.  The
 * TPM is off if that fails. */
void wk_machine_settle(struct worker *w);

#endif
