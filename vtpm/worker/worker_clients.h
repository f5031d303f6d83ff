/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_clients.h - what programs on the local ring leave loaded in the TPM.
 *
 * Layer:  vtpm; private to the worker.
 * Spec:   TPM 2.0 Library, Part 1, 30 (context management), Part 3, 30.2
 *         (TPM2_GetCapability, TPM_CAP_HANDLES).
 * Limits: WORKER_SAVED_MAX saved sessions of programs that have ended, each for
 *         WORKER_SAVED_COMMANDS commands.
 *
 * A TPM has slots for three objects and three loaded sessions.  Programs use
 * a host's ring one after another, and one that ends, or dies, often leaves
 * some.  As Linux' resource manager does for /dev/tpmrm0, the worker flushes
 * what was not there before the program.  A session that it saved (tpm2-tools
 * pass one from program to program so) is kept until too many are, or it is so
 * old that the TPM could soon save no other context (TPM_RC_CONTEXT_GAP).
 * What another channel's guest has loaded is never touched.
 */
#ifndef VTPM_WORKER_WORKER_CLIENTS_H
#define VTPM_WORKER_WORKER_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#define WORKER_SAVED_MAX 16
#define WORKER_SAVED_COMMANDS 30000 /* TPM2_PT_CONTEXT_GAP_MAX is 65535 */
#define CLIENT_HANDLES 96           /* more than libtpms has slots */

struct worker;
struct slot;

struct clients {
	uint32_t before[CLIENT_HANDLES]; /* loaded when the program came */
	uint32_t nbefore;
	uint32_t
	    saved[CLIENT_HANDLES]; /* sessions of ended ones, oldest first */
	uint32_t nsaved;
	uint64_t since[CLIENT_HANDLES]; /* worker.commands when each was left */
	uint32_t cycle;                 /* the power cycle that before is of */
};

/* A program has attached to the local ring. */
void wk_client_began(struct slot *s);
/* It has gone, and no command of it runs.  keeps: it wants all kept. */
void wk_client_ended(struct slot *s, bool keeps);

#endif
