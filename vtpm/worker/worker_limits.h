/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_limits.h - what one guest can use up in its worker, and how far.
 *
 * Layer:  vtpm; constants only.
 */
#ifndef VTPM_WORKER_WORKER_LIMITS_H
#define VTPM_WORKER_WORKER_LIMITS_H

#define WORKER_BUFFER 4088   /* advertised: what the ring's page carries */
#define WORKER_HOLD_MS 10000 /* a command waits so long for the store */
#define WORKER_EVENT_BURST 16
#define WORKER_EVENT_US 1000000 /* then one event in this time */
#define WORKER_DEEP_TICKETS 8

#endif
