/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * back_fsm.h - the states of one front half's attachment to its back half.
 *
 * Layer:  tpmback; pure: no I/O, no logging.
 * Spec:   Xen public/io/tpmif.h: the front half writes SUBMIT and CANCEL,
 *         the back half IDLE and FINISH.
 *
 * One attachment lives from INIT_WAIT to CLOSED; the next front half gets a
 * new one.  While a command runs it cannot be taken back, so a front half
 * that leaves then is DRAINING until the answer, which is discarded, is
 * there.  No state change touches the TPM: detaching resets nothing.
 *
 *	INIT_WAIT --FE_READY--> IDLE <--REPLY-- BUSY --CANCEL--> CANCELING
 *	                          `---SUBMIT---^   \                /
 *	                                            `--FE_GONE--> DRAINING
 */
#ifndef TPMBACK_BACK_FSM_H
#define TPMBACK_BACK_FSM_H

#include <stdbool.h>

enum bk_state {
	BK_INIT_WAIT, /* no front half attached yet */
	BK_IDLE,      /* attached, no command in hand */
	BK_BUSY,      /* a command is with the TPM */
	BK_CANCELING, /* the TPM was asked to stop early */
	BK_DRAINING,  /* it runs, but its sender has detached */
	BK_CLOSED,    /* final */
	BK_NSTATES,
};

enum bk_event {
	BE_FE_READY,    /* front half is connected, its page can be mapped */
	BE_FE_GONE,     /* front half closed or died */
	BE_SUBMIT,      /* page says SUBMIT */
	BE_CANCEL,      /* page says CANCEL */
	BE_GARBAGE,     /* page holds no valid state */
	BE_REPLY,       /* the TPM answered */
	BE_WORKER_GONE, /* the back half is shutting down */
	BE_NEVENTS,
};

enum bk_action {
	BA_VIOLATION, /* not allowed here: close this attachment */
	BA_NONE,
	BA_MAP,      /* start to look at the page */
	BA_UNMAP,    /* never look at it again */
	BA_CLOSE,    /* release what is left */
	BA_DISPATCH, /* copy the command out and hand it to the TPM */
	BA_ABORT,    /* ask the TPM to stop early */
	BA_FINISH,   /* write the answer and FINISH */
	BA_SET_IDLE, /* write IDLE */
};

struct bk_step {
	enum bk_state next;
	enum bk_action act;
};

/* A command was submitted and not answered. */
bool bk_in_flight(enum bk_state s);

/* What event e does in state s; defined for every pair. */
struct bk_step bk_step(enum bk_state s, enum bk_event e);

/* "IDLE" and so on, for logs and tests; never NULL. */
const char *bk_state_name(enum bk_state s);

#endif
