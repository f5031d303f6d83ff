/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_owner.h - the user whose processes may be a guest's front half: at
 * RUN/NAME.tpmif, RUN/NAME.swtpm and the monitor's pipes RUN/NAME.qmp.*.  Root
 * always may.
 *
 * Layer:  vtpm_manager/guest.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_OWNER_H
#define VTPM_MANAGER_GUEST_GUEST_OWNER_H

#include "vtpm_manager/core/context.h"
#include "vtpm_manager/store/store_guest.h"

/* The uid: the guest's own, or that of the setting guest_owner, or ours. */
uint32_t guest_owner(const struct mgr *m, const struct guest *in);
/* A user's name or number, as the registry keeps it (0: our user).
 * VT_E_NOTFOUND, VT_E_DENIED (we cannot give anything to that user), with
 * text. */
int guest_owner_parse(const char *user, uint32_t *ret, char *text) VT_CHECK;
/* Change it; cb when that is durable.  VT_E_STATE: the guest is running. */
int guest_owner_set(struct mgr *m, const struct guest *in, uint32_t owner,
    mgr_done_cb cb, void *arg, char *text) VT_CHECK;

#endif
