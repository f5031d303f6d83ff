/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_fsm.h - the life of a vTPM's worker as the manager sees it.
 *
 * Layer:  vtpm_manager; pure, no I/O, no logging.
 *
 * Failures have two events: a vTPM that was never up is refused, with an error
 * to the operator (IE_REFUSED); one that was up is restarted (IE_CRASHED) until
 * it fails too often (IE_CRASHED_OUT).
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_FSM_H
#define VTPM_MANAGER_GUEST_GUEST_FSM_H

enum guest_state {
	IS_STOPPED = 0, /* no worker; not wanted */
	IS_SPAWNING,    /* asked the zygote */
	IS_LOADING,     /* the worker runs; state and channels go in */
	IS_RUNNING,
	IS_STOPPING, /* asked the worker to end */
	IS_BACKOFF,  /* died; waits before the next try */
	IS_FAILED,   /* died too often; waits for the operator */
	IS_FINDING,  /* manager restarted; connecting to a running worker */
	IS_NSTATES
};

enum guest_event {
	IE_START = 0,   /* the operator, or status from before a restart */
	IE_FIND,        /* it was running when the manager went away */
	IE_FOUND,       /* the worker said hello and is this guest's */
	IE_SPAWNED,     /* the zygote forked */
	IE_LOADED,      /* worker has state and channels */
	IE_REFUSED,     /* could not come up, and never was */
	IE_CRASHED,     /* worker or its socket is gone, or it hangs */
	IE_CRASHED_OUT, /* the same, once too often */
	IE_TIMER,       /* back-off is over */
	IE_STOP,        /* the operator */
	IE_STOPPED,     /* worker ended after IE_STOP */
	IE_NEVENTS
};

enum guest_action {
	IA_VIOLATION = 0, /* not possible now: refuse, change nothing */
	IA_NONE,
	IA_SPAWN,   /* ask the zygote for a worker */
	IA_CONNECT, /* to RUN/w/UUID */
	IA_LOAD,    /* send state and channels */
	IA_READY,   /* answer the waiters */
	IA_TAKE,    /* taken over from a former manager */
	IA_BACKOFF, /* clean up after the dead, set the timer */
	IA_GIVE_UP, /* the same without a timer; report it */
	IA_REFUSE,  /* clean up, answer the waiters, forget */
	IA_STOP,    /* send W_STOP */
	IA_END,     /* clean up, answer the waiters, forget */
	IA_NACTIONS
};

struct guest_step {
	enum guest_state next;
	enum guest_action act;
};

/* Total: IA_VIOLATION keeps the state. */
struct guest_step guest_step(enum guest_state s, enum guest_event e);
const char *guest_state_name(enum guest_state s);
const char *guest_event_name(enum guest_event e);

#endif
