/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_move.h - domains that are saved, restored or moved: which claim of the
 * toolstack lets a vTPM keep its volatile state.
 *
 * Layer:  vtpm_manager/xen.
 * Law 4:  move_fsm.h.
 */
#ifndef VTPM_MANAGER_XEN_XEN_MOVE_H
#define VTPM_MANAGER_XEN_XEN_MOVE_H

#include "base/crypto.h"
#include "vtpm_manager/proto/xen_saved.h"
#include "vtpm_manager/xen/move_fsm.h"
#include "vtpm_manager/xen/xenback_link.h"

/* What the toolstack claims about a vTPM's domain. */
struct xen_claim {
	enum move_event what;      /* MOVE_BEGIN_*, MOVE_DONE, MOVE_ABORT */
	uint8_t image[SHA256_LEN]; /* MOVE_BEGIN_RESTORE; MOVE_DONE of a save */
	uint32_t domid;            /* MOVE_DONE of a restore or a move */
	char domain[XEN_NAME_MAX + 1]; /* MOVE_DONE of a save: its name */
	const void *owner;             /* the connection that claims it */
};
/* domid and domain: the domain concerned; NO_DOMAIN and "": unknown. */
typedef void (*xen_claim_cb)(
    void *arg, int rc, const char *text, uint32_t domid, const char *domain);
/* VT_OK: cb runs once, perhaps before this returns; otherwise text says why
 * not. VT_E_BUSY: not yet, try again. */
int xen_move_claim(struct xenback_link *x, const struct guest *in,
    const struct xen_claim *c, xen_claim_cb cb, void *arg, char *text) VT_CHECK;
/* The connection that claimed is closed: give up its unfinished claims. */
void xen_move_owner_gone(struct xenback_link *x, const void *owner);
/* Does that connection hold a claim? */
bool xen_move_has_claim(const struct xenback_link *x, const void *owner);

/* --- for xenback_link.c --- */
/* True: this device waits for a claim, and id is answered.  False:
 * xenback_link.c decides. */
bool xen_move_new_domain(struct xenback_link *x, struct held *h, uint32_t id,
    const struct xb_dev *d);
bool xen_move_is_candidate(const struct held *h, const struct xb_dev *d);
/* Its front half closed, or its device is gone. */
void xen_move_candidate_left(struct xenback_link *x, struct held *h, bool gone);
void xen_move_old_gone(struct held *h);
/* The claim or the start is decided: connect the waiting device of this domain,
 * or refuse it with rc and text. */
void xen_move_release(
    struct xenback_link *x, const struct xb_dev *d, int rc, const char *text);

#endif
