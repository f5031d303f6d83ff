/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * front_fsm.h - the life of a vtpm device as its front half sees it.
 *
 * Layer:  tpmfront; pure: no I/O, no logging.
 * Spec:   Xen public/io/xenbus.h (XenbusState), tpmif.h.
 *
 * A page is offered only while the back half says 2: then it certainly has
 * none of ours, so that grant and port numbers that come again cannot be
 * taken for the old ones.  What a predecessor left connected (killed, or a
 * boot loader) is closed first.
 *
 *	AWAY --2--> OFFERED --4--> UP
 *	  |  <-----5, 6, gone------'|--LEAVE--> LEAVING --5--> PARTING --2-->
 *LEFT
 *	  `-4-> CLEARING --2--> OFFERED
 */
#ifndef TPMFRONT_FRONT_FSM_H
#define TPMFRONT_FRONT_FSM_H

enum front_state {
	FS_AWAY,     /* no page; no back half ready for one */
	FS_CLEARING, /* it is connected to an earlier front half: we wrote 5 */
	FS_OFFERED,  /* page and port are in xenstore, we wrote 3 */
	FS_UP,       /* the page may be used */
	FS_LEAVING,  /* we wrote 5 and wait for its 5 */
	FS_PARTING,  /* we wrote 6 and wait for its 2 */
	FS_LEFT,     /* final */
	FS_NSTATES,
};

enum front_event {
	FE_NO_DEVICE,  /* our folder is not there */
	FE_TAKEN,      /* the kernel's driver has the device: see xen_front.h */
	FE_REMADE,     /* our folder is a new one: resumed, or attached again */
	FE_BACK_NONE,  /* back half: no state, or an unknown one */
	FE_BACK_WAITS, /* 2 */
	FE_BACK_UP,    /* 3 or 4 */
	FE_BACK_OLD,   /* 3 or 4, but without feature-protocol-v2 */
	FE_BACK_CLOSING, /* 5 */
	FE_BACK_CLOSED,  /* 6 */
	FE_FAILED,       /* the requested action failed */
	FE_LEAVE,        /* our owner has done */
	FE_NEVENTS,
};

enum front_action {
	FA_NONE,
	FA_OFFER,    /* make page and port, write their keys, write 3 */
	FA_USE,      /* say 4 */
	FA_DROP,     /* release page and port; the folder is not ours */
	FA_WITHDRAW, /* the same, and say 6 */
	FA_CLOSE,    /* say 5 */
	FA_RESET,    /* write 1, for the next front half */
	FA_NACTIONS,
};

struct front_step {
	enum front_state next;
	enum front_action act;
};

/* Total: an event without meaning in a state changes nothing. */
struct front_step front_step(enum front_state s, enum front_event e);
const char *front_state_name(enum front_state s);

#endif
