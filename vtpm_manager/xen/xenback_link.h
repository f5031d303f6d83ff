/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xenback_link.h - the manager's end of vtpm-xenback: which Xen domain has
 * which vTPM, and what a new domain means for it.
 *
 * Layer:  vtpm_manager/xen.
 * Law 4:  a new domid with a vTPM's UUID is a power cycle, unless the toolstack
 *         has claimed that this domain continues another one (xen_move.h).  A
 *         device that closes, opens or reconnects within a domain is none.
 * Law 6:  one live domain per vTPM; an unknown UUID is refused.
 * Launch: a launch is for a domain, by its domid, that exists and has never
 *         run; it ends with that domain.
 */
#ifndef VTPM_MANAGER_XEN_XENBACK_LINK_H
#define VTPM_MANAGER_XEN_XENBACK_LINK_H

#include "base/crypto.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/proto/xen_saved.h"
#include "vtpm_manager/xen/move_fsm.h"

#define XENBACK_DEVICES_MAX 8192 /* devices that xenstore may name */

struct guest_run;
struct guest;

/* Is this a Xen domain? */
bool xenback_here(void);
/* Start vtpm-xenback, and restart it when it dies. */
int xenback_new(struct mgr *m, struct xenback_link **ret) VT_CHECK;
void xenback_free(struct xenback_link *x); /* NULL is a no-op */
/* May this domain's launch be recorded?  Only if it owns the vTPM and has never
 * used it.  VT_E_STATE, VT_E_UNSUPPORTED (no Xen) with text. */
int xenback_may_launch(const struct xenback_link *x, const struct guest *in,
    uint32_t domid, char *text) VT_CHECK;
void xenback_launched(struct xenback_link *x, const uint8_t uuid[UUID_LEN]);
/* True: the vTPM is still starting for this domain, and done runs once it has
 * started or failed.  False: nothing to wait for, done never runs. */
bool xenback_launch_waits(struct xenback_link *x, const uint8_t uuid[UUID_LEN],
    mgr_done_cb done, void *arg) VT_CHECK;
/* --- for the room's own files --- */
struct held;
struct ask;
struct xb_dev;

struct held *xenback_held_of(
    const struct xenback_link *x, const uint8_t uuid[UUID_LEN]);
/* The same, made if it does not exist; NULL: out of memory or at the limit. */
struct held *xenback_held_new(
    struct xenback_link *x, const uint8_t uuid[UUID_LEN]);
struct held *xenback_hold(struct xenback_link *x, const struct xb_dev *d);
struct ask *xenback_ask_new(
    struct xenback_link *x, uint32_t id, const struct xb_dev *d);
void xenback_ask_done(struct ask *q, int rc, const char *text); /* frees it */
/* After a message to xenback: write it, if it waits. */
void xenback_watch(struct xenback_link *x);
/* Answer xenback.  wait: whether this is a power cycle is still open. */
void xenback_answer(
    struct xenback_link *x, uint32_t id, int rc, bool wait, const char *text);
/*
 * The domain of q starts with this vTPM: start it, or power cycle it.  xenback
 * is answered at once, because libxl gives a device ten seconds, and the start
 * of a worker on a busy host takes longer: the domain is created, and its
 * connect and its launch wait for the start.  On VT_E_* the caller answers.
 */
int xenback_power(struct xenback_link *x, const struct guest *in, struct ask *q,
    char *text) VT_CHECK;
void xenback_on_connect(
    struct xenback_link *x, uint32_t id, const struct xb_dev *d);

#endif
