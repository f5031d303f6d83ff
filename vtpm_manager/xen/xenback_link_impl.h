/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xenback_link_impl.h - which Xen domain has which vTPM, shared by its files.
 *
 * Layer:  vtpm_manager; private to xenback_link.c (devices come, connect and
 * go) and xen_move.c (a domain is saved, restored or moved).
 */
#ifndef VTPM_MANAGER_XEN_XENBACK_LINK_IMPL_H
#define VTPM_MANAGER_XEN_XENBACK_LINK_IMPL_H

#include "base/msg.h"
#include "vtpm_manager/core/child.h"
#include "vtpm_manager/proto/xenback_msg.h"
#include "vtpm_manager/xen/xenback_link.h"
#include "vtpm_manager/xen/move_fsm.h"

#define NO_DOMAIN UINT32_MAX

/* One vTPM of a Xen domain. */
struct held {
	struct held *next;
	struct xb_dev dev; /* gref and port of the last connect */
	bool connected;
	bool there;    /* its device exists; else only the domid counts */
	bool stale;    /* there when xenback died; not seen by its successor */
	bool ran;      /* this domain connected once, or nobody knows */
	bool launched; /* this domain's launch was measured */
	enum move_state move;
	struct xb_dev cand; /* MOVE_OFFERED, _TWO, _LEFT_TWO: who waits */
	const void *owner;  /* whose connection claims it */
};

/* A question of xenback's that waits for a worker or a start. */
struct ask {
	struct ask *next;
	struct xenlink *x;
	uint32_t id;
	struct xb_dev dev;
	bool later;   /* decided when xenback has told of every device */
	bool waiting; /* to connect, until it is decided who that is */
};

struct xenlink {
	struct mgr *m;
	struct child child;
	struct msgch *ch;
	sd_event_source *io, *timer;
	struct held *held;
	unsigned int nheld;
	struct ask *asks;
};

/* --- xenback_link.c --- */
struct held *xl_held_of(const struct xenlink *x, const uint8_t uuid[UUID_LEN]);
/* The same, made if it is not there; NULL: no memory. */
struct held *xl_held_new(struct xenlink *x, const uint8_t uuid[UUID_LEN]);
struct held *xl_hold(struct xenlink *x, const struct xb_dev *d);
struct ask *xl_ask_new(struct xenlink *x, uint32_t id, const struct xb_dev *d);
void xl_ask_done(struct ask *q, int rc, const char *text); /* frees it */
/* To xenback.  wait: it is not decided yet whether this is a power cycle. */
void xl_answer(
    struct xenlink *x, uint32_t id, int rc, bool wait, const char *text);
/* q's domain starts with this vTPM: a start or a reset, then q is answered.
 * What VT_E_* says at once is the caller's to answer. */
int xl_power(struct xenlink *x, const struct guest *in, struct ask *q,
    char *text) VT_CHECK;
void xl_on_connect(struct xenlink *x, uint32_t id, const struct xb_dev *d);

/* --- xen_move.c --- */
/* This device is one that waits, or from now on does: true, id is answered.
 * False: xenback_link.c decides. */
bool move_new_domain(
    struct xenlink *x, struct held *h, uint32_t id, const struct xb_dev *d);
bool move_is_candidate(const struct held *h, const struct xb_dev *d);
/* Its front half closed, or its device went. */
void move_candidate_left(struct xenlink *x, struct held *h, bool gone);
void move_old_gone(struct held *h);
/* It is decided: whoever of this domain waits to connect may, or is refused
 * with rc. */
void move_release(struct xenlink *x, const struct xb_dev *d, int rc);

#endif
