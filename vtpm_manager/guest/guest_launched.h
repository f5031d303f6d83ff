/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest_launched.h - which launches the registry knows of a guest, and what of
 * it goes into its deep quotes.
 *
 * Layer:  vtpm_manager/guest.
 * Kept:   in SX_CERTS.  "launches": the digests that were issued, the newest
 *         last; "launch_saved": what a saved Xen domain ran with;
 *         "launch_resumed": what this run was launched with, since it continues
 *         a saved one or lost its device.  The launch of the present run is the
 *         one in SX_LAUNCH, or else that.
 * Trust:  a worker's word only ever takes away: it is not launched, it is
 *         capped.
 */
#ifndef VTPM_MANAGER_GUEST_GUEST_LAUNCHED_H
#define VTPM_MANAGER_GUEST_GUEST_LAUNCHED_H

#include "vtpm_manager/guest/guest.h"

/* The next functions write into the open transaction; the caller commits. */

/* The record (len bytes) is issued to in.  VT_E_*. */
int guest_launched_issue(struct mgr *m, const struct guest *in,
    const uint8_t *record, size_t len) VT_CHECK;
/* Its volatile state is saved: the present launch belongs to it.  VT_E_*. */
int guest_launched_save(struct mgr *m, const struct guest *in) VT_CHECK;
/*
 * Its device is gone.  If that was all, the run continues and so does its
 * launch; if the guest has ended, the next run says so (guest_launched_over()).
 * VT_E_*.
 */
int guest_launched_leave(struct mgr *m, const struct guest *in) VT_CHECK;
/* It starts: from the saved state, or without it (resumed false).  VT_E_*. */
int guest_launched_start(
    struct mgr *m, const struct guest *in, bool resumed) VT_CHECK;
/* The run has ended, and its launch with it.  VT_E_*. */
int guest_launched_over(struct mgr *m, const struct guest *in) VT_CHECK;

/* What g's worker says of launch and cap, as the registry knows it. */
void guest_launched_check(struct guest_run *g, struct wdeep *d);

#endif
