/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * front_open.h - opens Xen's devices for one front half, so that its worker
 * need not: the descriptors reach this page and this port only.
 *
 * Layer:  vtpm_manager/xenback.  Built where Xen's headers are.
 * Spec:   Linux 6.1 drivers/xen/gntdev.c and evtchn.c; xen/sys/gntdev.h.
 *
 * gntdev maps at mmap(2), in the process that calls it, only what an ioctl(2)
 * has named before; evtchn is restricted to the guest's domain for good.  The
 * kernel restricts no gntdev: the worker's system-call filter allows no request
 * of it (vtpm/worker/worker_jail.c).
 */
#ifndef VTPM_MANAGER_XENBACK_FRONT_OPEN_H
#define VTPM_MANAGER_XENBACK_FRONT_OPEN_H

#include <stdint.h>

#include "base/err.h"

/*
 * Name the grant and bind the port.  ret_fds: gntdev, the page at offset 0, and
 * evtchn; the caller closes both.  ret_local: this host's end of the port.
 * ret_step: what was being done, also on failure; static.
 * VT_E_SYS: no devices, or the port is invalid; an invalid grant is found by
 * mmap(2) only.
 */
int front_open(uint32_t domid, uint32_t gref, uint32_t port, int ret_fds[2],
    uint32_t *ret_local, const char **ret_step) VT_CHECK;

#endif
