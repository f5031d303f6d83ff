/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * device_fsm.h - the life of one vtpm device as its backend sees it in
 * xenstore.
 *
 * Layer:  vtpm_manager; pure: no I/O, no logging.
 * Spec:   Xen public/io/xenbus.h (XenbusState).  Front halves differ: Linux
 *         goes to 3 and submits at once, mini-os goes straight to 4; a boot
 *         loader closes (5, 6) and the kernel behind it opens again (1, 3).
 *         Closing is not an end: the backend goes back to 2.
 */
#ifndef VTPM_MANAGER_XENBACK_DEVICE_FSM_H
#define VTPM_MANAGER_XENBACK_DEVICE_FSM_H

enum xb_state {
	XS_ASKING,     /* the manager has to say whether it serves this uuid */
	XS_REFUSED,    /* it does not: xenstore says 6; final */
	XS_WAITING,    /* xenstore says 2 */
	XS_CONNECTING, /* worker is mapping the page */
	XS_CONNECTED,  /* xenstore says 4 */
	XS_CLOSING,    /* xenstore says 5 */
	XS_GONE,       /* final */
	XS_NSTATES
};

enum xb_event {
	XE_ALLOWED,    /* the manager: yes */
	XE_DENIED,     /* the manager: no */
	XE_READY,      /* front half is at 3 or 4 with page and port */
	XE_CHANGED,    /* at 3 or 4 with another page or port than before */
	XE_CLOSING,    /* front half is at 5 */
	XE_CLOSED,     /* front half is at 6, or back at 1 or 2 */
	XE_MAPPED,     /* the worker: connected */
	XE_UNMAPPABLE, /* the worker: no */
	XE_UNPLUG, /* the toolstack asks for the release (online 0, state 5) */
	XE_VANISHED, /* front half's or our own folder is gone */
	XE_NEVENTS
};

enum xb_action {
	XA_NONE,      /* also for impossible events: xenstore repeats itself */
	XA_OFFER,     /* feature-protocol-v2, then state 2 */
	XA_REFUSE,    /* state 6 and error text */
	XA_CONNECT,   /* ask the worker to map the page */
	XA_ANNOUNCE,  /* ready, then state 4 */
	XA_RECONNECT, /* disconnect, then connect */
	XA_LET_GO,    /* disconnect; state 5 */
	XA_REOPEN,    /* state 2 */
	XA_HANG_UP,   /* disconnect; state 2 */
	XA_END,       /* disconnect; state 6; forget */
};

struct xb_step {
	enum xb_state next;
	enum xb_action act;
};

/* Total; an event without meaning in a state changes nothing. */
struct xb_step xb_step(enum xb_state s, enum xb_event e);
const char *xb_state_name(enum xb_state s);

#endif
