/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus.h - the control interface org.vtpm.Manager1: connections over sd-bus,
 * peer to peer on RUN/control.sock and, if configured, on the system bus.
 *
 * Layer:  vtpm_manager/control.
 * Trust:  the kernel's peer credentials identify the caller and give it a
 *         role (bus_roles.h); one table names the least role that may call
 *         each method (methods.h).
 */
#ifndef VTPM_MANAGER_CONTROL_BUS_H
#define VTPM_MANAGER_CONTROL_BUS_H

#include "base/err.h"

struct bus; /* opaque */
struct mgr;

/*
 * Listen on RUN/control.sock and join the system bus.  m is borrowed and must
 * outlive *ret.  Returns VT_E_NOMEM, VT_E_RANGE or VT_E_SYS; a system bus that
 * cannot be joined is only logged.
 */
int bus_new(struct mgr *m, struct bus **ret) VT_CHECK;
void bus_free(struct bus *b); /* NULL is a no-op */

#endif
