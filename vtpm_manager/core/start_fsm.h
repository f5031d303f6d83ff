/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * start_fsm.h - how far the manager's start is.
 *
 * Layer:  vtpm_manager/core; pure, no I/O, no logging.  manager.c has the
 *         actions.
 *
 * Each step waits for the answer to the one before: the zygote, the software
 * root, the host's keys, the counter that anchors the store, the store.  Where
 * the host's TPM refuses the master key the manager waits, sealed, for an
 * operator: an approval of the host's state gives the key (loaded), or the
 * shares of an escrow do (moved: the store comes from another TPM).  A step
 * that fails ends the manager (loop_fatal()), so failures are no states.
 */
#ifndef VTPM_MANAGER_CORE_START_FSM_H
#define VTPM_MANAGER_CORE_START_FSM_H

#include <stdbool.h>

enum start_state {
	START_NEW = 0,
	START_ZYGOTE, /* waits for the zygote */
	START_ROOT,   /* waits for the software root, if there is one */
	START_KEYS,   /* waits for vtpm-hwtpm: the host's keys */
	START_SEALED, /* waits for an operator */
	START_COUNTER,
	START_COUNTER_NEW,   /* the same, for a store without content */
	START_COUNTER_MOVED, /* the same, for a store from another TPM */
	START_OPEN,          /* the store is open; are the approvals good? */
	START_OPEN_MOVED,
	START_READY, /* serves guests */
	START_NSTATES
};

enum start_event {
	START_E_BEGIN = 0,
	START_E_ZYGOTE,  /* the zygote is up */
	START_E_ROOT,    /* the software root is up, or not needed */
	START_E_MADE,    /* the host's keys were made: a new store */
	START_E_LOADED,  /* the host's TPM gave the master key */
	START_E_SEALED,  /* it refused */
	START_E_MOVED,   /* shares gave it; keys are in another TPM */
	START_E_COUNTER, /* the counter is known, or there is none */
	START_E_CHECKED, /* the approvals agree with the store */
	START_NEVENTS
};

enum start_action {
	START_VIOLATION = 0, /* not possible now: change nothing */
	START_WAIT,          /* only the state changes */
	START_ASK_ROOT,
	START_ASK_KEYS,
	START_SEAL, /* serve the Host* methods and nothing else */
	START_ASK_COUNTER,
	START_UNLOCK,      /* open the store */
	START_UNLOCK_NEW,  /* the same, and tell the operator what is next */
	START_SERVE,       /* bring back the guests that ran */
	START_SERVE_MOVED, /* the same, and accept the store */
	START_NACTIONS
};

struct start_step {
	enum start_state next;
	enum start_action act;
};

/* Total: START_VIOLATION keeps the state. */
struct start_step start_step(enum start_state s, enum start_event e);
bool start_store_open(enum start_state s); /* store_unlock() was called */
const char *start_state_name(enum start_state s);
const char *start_event_name(enum start_event e);

#endif
