/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xm_fsm.h - which domain goes on with a vTPM's volatile state, and which one
 * is a power cycle.
 *
 * Layer:  vtpm_manager; pure: no I/O, no logging.
 * Law 4:  the hypervisor cannot tell a domain that was restored from one that
 *         was started; the toolstack claims it.  A domain goes on under the
 *         PCRs of another one only by XM_DONE of a claim that was begun
 *         before that domain appeared; until then it is not connected.
 *         Worked traces: doc/XEN.md.
 */
#ifndef VTPM_MANAGER_XM_FSM_H
#define VTPM_MANAGER_XM_FSM_H

enum xm_state {
	XM_FREE,     /* nobody claims anything */
	XM_SAVING,   /* the toolstack saves the domain that has it */
	XM_CLAIMED,  /* a saved domain is about to come back */
	XM_OFFERED,  /* a domain came that may be it; not connected */
	XM_MOVING,   /* the domain that has it gets a successor on this host */
	XM_TWO,      /* that one is there, not connected; the old one, too */
	XM_LEFT_TWO, /* the old one is gone, the successor waits */
	XM_NSTATES
};

enum xm_event {
	XM_BEGIN_SAVE,
	XM_BEGIN_RESTORE,
	XM_BEGIN_MOVE,
	XM_NEW_DOMAIN, /* another domain shows a device with this uuid */
	XM_OLD_GONE,   /* the device of the domain that has it went */
	XM_NEW_GONE,   /* the device of the one that waits went */
	XM_DONE,       /* the toolstack: it is as I said */
	XM_ABORT,      /* the toolstack gave up, or is gone */
	XM_NEVENTS
};

enum xm_action {
	XM_REFUSE,    /* not possible now; nothing changes */
	XM_NOTHING,   /* only the state changes */
	XM_POWER,     /* the new domain is a power cycle */
	XM_OFFER,     /* let its device wait; PCRs stay */
	XM_HIBERNATE, /* keep the volatile state under the image's digest */
	XM_RESUME,    /* the one that waits gets the saved state */
	XM_SWITCH,    /* the one that waits gets the running vTPM */
	XM_AGAIN,     /* not yet: ask again */
	XM_CYCLE,     /* the one that waits is a power cycle after all */
};

struct xm_step {
	enum xm_state next;
	enum xm_action act;
};

/* Total.  XM_REFUSE and XM_AGAIN keep the state. */
struct xm_step xm_step(enum xm_state s, enum xm_event e);
const char *xm_state_name(enum xm_state s);

#endif
