/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * move_fsm.h - which domain continues with a vTPM's volatile state, and which
 * one is a power cycle.
 *
 * Layer:  vtpm_manager; pure: no I/O, no logging.
 * Law 4:  the hypervisor cannot tell a domain that was restored from one that
 *         was started; the toolstack claims it.  A domain continues under
 *         the PCRs of another one only by MOVE_DONE of a claim that was begun
 *         before that domain appeared; until then it is not connected.
 *         Worked traces: doc/XEN.md.
 */
#ifndef VTPM_MANAGER_XEN_MOVE_FSM_H
#define VTPM_MANAGER_XEN_MOVE_FSM_H

enum move_state {
	MOVE_FREE,    /* no claim */
	MOVE_SAVING,  /* the toolstack saves the owning domain */
	MOVE_CLAIMED, /* a saved domain is about to be restored */
	MOVE_OFFERED, /* a candidate domain appeared; not connected */
	MOVE_MOVING,  /* the owning domain gets a successor on this host */
	MOVE_TWO, /* the successor exists, not connected; the old one, too */
	MOVE_LEFT_TWO, /* the old one is gone, the successor waits */
	MOVE_NSTATES
};

enum move_event {
	MOVE_BEGIN_SAVE,
	MOVE_BEGIN_RESTORE,
	MOVE_BEGIN_MOVE,
	MOVE_NEW_DOMAIN, /* another domain shows a device with this uuid */
	MOVE_OLD_GONE,   /* the device of the owning domain is gone */
	MOVE_NEW_GONE,   /* the waiting domain's device is gone */
	MOVE_DONE,       /* the toolstack confirms its claim */
	MOVE_ABORT,      /* the toolstack aborts, or is gone */
	MOVE_NEVENTS
};

enum move_action {
	MOVE_REFUSE,    /* not possible now; nothing changes */
	MOVE_NOTHING,   /* only the state changes */
	MOVE_POWER,     /* the new domain is a power cycle */
	MOVE_OFFER,     /* let its device wait; PCRs stay */
	MOVE_HIBERNATE, /* keep the volatile state under the image's digest */
	MOVE_RESUME,    /* the waiting domain gets the saved state */
	MOVE_SWITCH,    /* the waiting domain gets the running vTPM */
	MOVE_AGAIN,     /* not yet: ask again */
	MOVE_CYCLE,     /* the waiting domain is a power cycle after all */
};

struct move_step {
	enum move_state next;
	enum move_action act;
};

/* Total.  MOVE_REFUSE and MOVE_AGAIN keep the state. */
struct move_step move_step(enum move_state s, enum move_event e);
const char *move_state_name(enum move_state s);

#endif
