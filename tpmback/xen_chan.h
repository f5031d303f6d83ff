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
 * Another process opens /dev/xen/gntdev and /dev/xen/evtchn, names the one
 * grant, binds the one port and hands both descriptors over
 * (vtpm_manager/xenback/front_open.h).  Here they need mmap(2), read(2),
 * write(2) and one request of ioctl(2), IOCTL_EVTCHN_NOTIFY; gntdev is closed
 * as soon as its page is mapped.
 */
#ifndef TPMBACK_XEN_CHAN_H
#define TPMBACK_XEN_CHAN_H

#include "tpmback/chan.h"

/* A front half, as xenstore names it. */
struct xen_front {
	uint32_t domid, gref, port;
	/* The page may hold a command that a dead predecessor of this worker
	 * had taken; it is answered with a failure. */
	bool resumed;
};

/* What the module exports under the name XEN_MODULE_SYMBOL. */
struct xen_module {
	/* VT_E_NOMEM. */
	int (*chan_new)(uint8_t localities, uint8_t tpm_version,
	    const struct chan_host *host, void *host_arg, struct chan **ret);
	/*
	 * A front half has connected.  An earlier connection is dropped: its
	 * grants are stale.  VT_E_AGAIN: attach() is due.  VT_OK: attached
	 * already, or the earlier page still serves a command; CN_WANTED says
	 * that attach() is due.
	 */
	int (*connect)(struct chan *ch, const struct xen_front *f);
	/*
	 * Its page and its port.  f: only its numbers count.  local: the end
	 * of the port that fds[1] (evtchn) has bound; fds[0]: gntdev, the page
	 * at offset 0.  Owns fds, also on failure.  VT_E_STATE: no connect()
	 * waits for this front half; VT_E_SYS: the grant is invalid.
	 */
	int (*attach)(struct chan *ch, const struct xen_front *f,
	    uint32_t local, const int fds[2]);
	/* It has left.  Resets nothing (law 4). */
	void (*disconnect)(struct chan *ch);
};
#define XEN_MODULE_SYMBOL "vtpm_xen_module"
#define XEN_MODULE_FILE "vtpm-xen.so"
extern const struct xen_module vtpm_xen_module;

#endif
