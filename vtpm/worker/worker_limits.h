/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_limits.h - what one guest can use up in its worker, and how far.
 *
 * Layer:  vtpm; pure, and without the engine: the manager prints the table.
 */
#ifndef VTPM_WORKER_WORKER_LIMITS_H
#define VTPM_WORKER_WORKER_LIMITS_H

#include "base/limits.h"

#define WORKER_CHANNELS 3       /* local, swtpm, Xen */
#define WORKER_BUFFER 4088      /* bytes; advertised, fits the ring's page */
#define WORKER_HOLD_MS 10000    /* a command waits for the store */
#define WORKER_EVENT_BURST 16   /* events to the manager's log ... */
#define WORKER_EVENT_US 1000000 /* ... then one in this time */
#define WORKER_KEEP_BURST 64    /* of descriptors handed to the manager ... */
#define WORKER_KEEP_US 10000    /* ... then one set in this time */
#define WORKER_DEEP_TICKETS 8   /* deep quotes in hand */
#define WORKER_SPIN_US 1000     /* one busy channel before the others' turn */

/* Enforced by the jail. */
#define WORKER_MEMORY (256u << 20) /* bytes of address space */
#define WORKER_FILE (2u << 20)     /* bytes of one memfd */
#define WORKER_FDS 64
#define WORKER_THREADS 4

/* Every row of this process; static. */
const struct limit_table *worker_limits(void);

#endif
