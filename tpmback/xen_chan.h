/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_chan.h - the ring between a Xen guest and its vTPM.
 *
 * Layer:  tpmback.  Built into the module vtpm-xen.so, which a worker loads
 *         where Xen is; nothing else links Xen's libraries.
 * Spec:   Xen public/io/tpmif.h; xengnttab.h, xenevtchn.h.
 * Trust:  domid, grant and port come from xenback, which read them from
 *         xenstore: the page behind them is a guest's (back_core.h).
 *
 * The devices /dev/xen/gntdev and /dev/xen/evtchn are opened before the
 * worker's jail closes; afterwards only ioctl(2) and mmap(2) on them are
 * needed (xen_hv_fds() names them for the seccomp filter).
 */
#ifndef TPMBACK_XEN_CHAN_H
#define TPMBACK_XEN_CHAN_H

#include "tpmback/chan.h"

struct xen_hv; /* the open devices of one worker */

/* What the module exports under the name XEN_MODULE_SYMBOL. */
struct xen_module {
	/* VT_E_SYS: no Xen, or the devices are not there. */
	int (*hv_open)(struct xen_hv **ret);
	void (*hv_close)(struct xen_hv *hv);
	void (*hv_fds)(const struct xen_hv *hv, int ret_fds[2]);
	/* The channel takes ownership of hv.  VT_E_NOMEM. */
	int (*chan_new)(struct xen_hv *hv, uint8_t localities,
	    uint8_t tpm_version, const struct chan_host *host, void *host_arg,
	    struct chan **ret);
	/*
	 * A front half has connected.  An earlier connection is dropped: its
	 * grants are stale.  resumed: the page may hold a command that a dead
	 * predecessor of this worker had taken; it is answered with a failure.
	 * VT_E_SYS: the grant or the port is invalid.
	 */
	int (*connect)(struct chan *ch, uint32_t domid, uint32_t gref,
	    uint32_t port, bool resumed);
	/* It has left.  Resets nothing (law 4). */
	void (*disconnect)(struct chan *ch);
};
#define XEN_MODULE_SYMBOL "vtpm_xen_module"
#define XEN_MODULE_FILE "vtpm-xen.so"
extern const struct xen_module vtpm_xen_module;

#endif
