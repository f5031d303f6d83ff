/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_front.h - the front half of a Xen guest's vtpm device, in user space.
 *
 * Layer:  tpmfront.  Built into the module vtpm-xenfront.so, which is loaded
 *         where Xen is (front_mod.c); nothing else links Xen's libraries.
 * Spec:   Xen public/io/xenbus.h, tpmif.h; the states are front_fsm.h's.
 * Trust:  what the back half writes into xenstore are a path and numbers,
 *         each checked; what it writes into the page is ring.c's.
 *
 * gntalloc gives the page, evtchn the port, xenbus the way to xenstore.
 * open() opens these devices and starts nothing; the first ring_ready()
 * watches xenstore and, by that, makes libxenstore's thread: so a caller
 * can close its jail in between.  After that only /dev/xen/evtchn is ever
 * opened again: a guest that was restored on another host has lost its
 * event channels, and Linux (6.1: BUG_ON in evtchn_unbind_from_user()) must
 * not be asked to let go of a port that it no longer knows, so the old
 * descriptor is left open for good and a new one taken.
 *
 * One front half per device: a lock in /run, and no driver of the kernel.  A
 * driver that binds later writes its own page and states into the device's
 * folder.  Until it has released the device, nothing is written there: Linux
 * 6.1's xen-tpmfront reacts to a back half that closes by removing the device
 * in the thread that delivers all watches, and waits there for its own probe,
 * which waits for the TPM (120 s for each command), or for an unbind, which
 * waits for that thread (for ever).
 */
#ifndef TPMFRONT_XEN_FRONT_H
#define TPMFRONT_XEN_FRONT_H

#include "tpmfront/ring.h"

#define XENFRONT_EVTCHN "/dev/xen/evtchn"

/* What the module exports under the name XENFRONT_SYMBOL. */
struct xenfront_module {
	/*
	 * *ret belongs to the caller, ring_close() frees it.  On failure why
	 * is set: VT_E_SYS (no Xen, a device is missing), VT_E_BUSY (another
	 * process or the kernel's driver has the device), VT_E_NOMEM.
	 */
	int (*open)(uint32_t devid, struct ring **ret, char why[RING_WHY_MAX]);
};
#define XENFRONT_SYMBOL "vtpm_xenfront_module"
#define XENFRONT_FILE "vtpm-xenfront.so"
extern const struct xenfront_module vtpm_xenfront_module;

#endif
