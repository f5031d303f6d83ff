/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xenlink.h - the manager's end of vtpm-xenback: which Xen domain has which
 * vTPM, and what a new domain means for it.
 *
 * Layer:  vtpm_manager.
 * Law 4:  a new domid with a vTPM's uuid is a power cycle; a device that
 *         closes, opens or reconnects within a domain is none.
 * Law 6:  one live domain per vTPM; an unknown uuid is refused.
 * Launch: a launch is for a domain that exists and has never run, by its
 *         domid; it ends with that domain.
 */
#ifndef VTPM_MANAGER_XENLINK_H
#define VTPM_MANAGER_XENLINK_H

#include "vtpm_manager/manager.h"

struct ginst;
struct inst;

/* Is this a Xen domain? */
bool xenlink_here(void);
/* Start vtpm-xenback; it is started again when it dies. */
int xenlink_new(struct mgr *m, struct xenlink **ret) VT_CHECK;
void xenlink_free(struct xenlink *x); /* NULL is a no-op */
/* A worker was replaced: connect it to the page that its predecessor had.
 * true: a request went out, cb runs once. */
bool xenlink_reconnect(struct xenlink *x, struct ginst *g,
    void (*cb)(void *arg, int rc, const struct msg *msg), void *arg);
uint32_t xenlink_pid(const struct xenlink *x); /* 0: not running */
/* May this domain's launch be recorded?  Only if it has the vTPM and never
 * talked to it.  VT_E_STATE, VT_E_UNSUPPORTED (no Xen) with text. */
int xenlink_may_launch(const struct xenlink *x, const struct inst *in,
    uint32_t domid, char *text) VT_CHECK;
void xenlink_launched(struct xenlink *x, const uint8_t uuid[UUID_LEN]);
/* The domain that has this vTPM; (uint32_t)-1: none. */
uint32_t xenlink_domain(const struct xenlink *x, const uint8_t uuid[UUID_LEN]);

#endif
