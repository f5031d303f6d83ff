/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_page.h - gives a worker the page and the port of its guest.
 *
 * Layer:  vtpm_manager/xen.
 * Law 1:  a worker that a guest took over has no device of Xen's.  It says when
 *         it is ready (VT_E_AGAIN to W_XEN); vtpm-xenback names the one grant
 *         and binds the one port (XB_OPEN); the two descriptors go to that
 *         worker (W_PAGE), and no process keeps a copy.
 * A port can be bound once only, so each step waits for the one before, and two
 * requests for one front half become one.
 */
#ifndef VTPM_MANAGER_XEN_XEN_PAGE_H
#define VTPM_MANAGER_XEN_XEN_PAGE_H

#include <stdbool.h>

#include "base/err.h"

struct ask;
struct guest_run;
struct msg;
struct xb_dev;
struct xenback_link;

/*
 * Connect g's worker to q->dev.  resumed: the page may hold a command that a
 * dead worker had taken.  On VT_OK q ends by itself, with an answer to xenback
 * unless q->id is 0; on an error the caller still has it.  VT_E_CLOSED: no
 * worker; VT_E_*: it could not be asked.
 */
int xen_page_connect(struct guest_run *g, struct ask *q, bool resumed) VT_CHECK;
/* Disconnect it; nothing waits for that.  VT_E_CLOSED: no worker. */
int xen_page_leave(struct guest_run *g) VT_CHECK;
/* XB_OPENED.  The caller closes msg's descriptors. */
void xen_page_opened(struct xenback_link *x, const struct msg *msg);

#endif
