/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xenback_link.h - the manager's end of vtpm-xenback: which Xen domain has
 * which vTPM, and what a new domain means for it.
 *
 * Layer:  vtpm_manager.
 * Law 4:  a new domid with a vTPM's uuid is a power cycle, unless the
 *         toolstack claims beforehand that it goes on where another one
 *         ended (xen_move.c); a device that closes, opens or reconnects
 *         within a domain is none.
 * Law 6:  one live domain per vTPM; an unknown uuid is refused.
 * Launch: a launch is for a domain that exists and has never run, by its
 *         domid; it ends with that domain.
 */
#ifndef VTPM_MANAGER_XEN_XENBACK_LINK_H
#define VTPM_MANAGER_XEN_XENBACK_LINK_H

#include "base/crypto.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/proto/xen_saved.h"
#include "vtpm_manager/xen/move_fsm.h"

#define XENLINK_DEVICES_MAX 8192 /* devices that xenstore may name */

struct ginst;
struct guest;

/* Is this a Xen domain? */
bool xenlink_here(void);
/* Start vtpm-xenback; it is started again when it dies. */
int xenlink_new(struct mgr *m, struct xenlink **ret) VT_CHECK;
void xenlink_free(struct xenlink *x); /* NULL is a no-op */
/* May this domain's launch be recorded?  Only if it has the vTPM and never
 * talked to it.  VT_E_STATE, VT_E_UNSUPPORTED (no Xen) with text. */
int xenlink_may_launch(const struct xenlink *x, const struct guest *in,
    uint32_t domid, char *text) VT_CHECK;
void xenlink_launched(struct xenlink *x, const uint8_t uuid[UUID_LEN]);
/* What the toolstack says of a vTPM's domain. */
struct xen_claim {
	enum move_event what;      /* MOVE_BEGIN_*, MOVE_DONE, MOVE_ABORT */
	uint8_t image[SHA256_LEN]; /* MOVE_BEGIN_RESTORE; MOVE_DONE of a save */
	uint32_t domid;            /* MOVE_DONE of a restore or a move */
	char domain[XEN_NAME_MAX + 1]; /* MOVE_DONE of a save: its name */
	const void *owner;             /* the connection that says so */
};
/* domid and domain: whom it is about, where that is known; else NO_DOMAIN
 * and "". */
typedef void (*xen_claim_cb)(
    void *arg, int rc, const char *text, uint32_t domid, const char *domain);
/* cb once, perhaps before this returns; or VT_E_* at once with text:
 * VT_E_BUSY: not yet, ask again. */
int xenlink_claim(struct xenlink *x, const struct guest *in,
    const struct xen_claim *c, xen_claim_cb cb, void *arg, char *text) VT_CHECK;
/* Whoever claimed over this connection is gone: what was not done is not. */
void xenlink_owner_gone(struct xenlink *x, const void *owner);
/* Does that connection hold a claim? */
bool xenlink_has_claim(const struct xenlink *x, const void *owner);

#endif
