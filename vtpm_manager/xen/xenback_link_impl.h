/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xenback_link_impl.h - which Xen domain has which vTPM, open to the room's own
 * files only.
 *
 * Layer:  vtpm_manager/xen.
 */
#ifndef VTPM_MANAGER_XEN_XENBACK_LINK_IMPL_H
#define VTPM_MANAGER_XEN_XENBACK_LINK_IMPL_H

#include <sys/queue.h>

#include "base/msg.h"
#include "vtpm_manager/core/child.h"
#include "vtpm_manager/proto/xenback_msg.h"
#include "vtpm_manager/xen/xenback_link.h"
#include "vtpm_manager/xen/move_fsm.h"

#define NO_DOMAIN UINT32_MAX

/* One vTPM of a Xen domain. */
struct held {
	SLIST_ENTRY(held) link;
	struct xb_dev dev; /* gref and port of the last connect */
	bool connected;
	bool there; /* its device exists; else only the domid counts */
	bool stale; /* existed when xenback died; not seen by its successor */
	bool ran;   /* this domain connected once, or may have */
	bool launched; /* this domain's launch was measured */
	enum move_state move;
	struct xb_dev
	    cand; /* MOVE_OFFERED, _TWO, _LEFT_TWO: the waiting device */
	const void *owner; /* the connection that claims it */
	struct ask *power; /* the start or power cycle under way for dev */
};

/* What waits for a worker, a start or a claim. */
struct ask {
	LIST_ENTRY(ask) link;
	struct xenback_link *x;
	uint32_t id; /* of xenback's message; 0: no answer is due */
	struct xb_dev dev;
	bool later;       /* decided once xenback has reported every device */
	bool waiting;     /* until xen_move_release(): a connect, or a launch */
	bool page;        /* its page is being opened, or given to its worker */
	uint32_t opens;   /* id of the XB_OPEN without an answer; 0: none */
	uint64_t worker;  /* serial of the link whose worker waits for it */
	mgr_done_cb done; /* the launch; NULL: it is a connect */
	void *arg;
};

struct xenback_link {
	struct mgr *m;
	struct child child;
	struct msgch *ch;
	sd_event_source *io, *timer;
	SLIST_HEAD(, held) held;
	unsigned int nheld;
	uint32_t opens; /* id of the last XB_OPEN */
	LIST_HEAD(, ask) asks;
};

#endif
