/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_xen.h - a worker's access to Xen, where the host has it.
 *
 * Layer:  vtpm.
 * The zygote loads the module vtpm-xen.so once.  A worker opens no device: it
 * gets the descriptors of its guest's page and port (W_PAGE), which
 * vtpm-xenback made, and may do nothing else with Xen.
 */
#ifndef VTPM_WORKER_WORKER_XEN_H
#define VTPM_WORKER_WORKER_XEN_H

#include "base/err.h"
#include "tpmback/xen_chan.h"
#include "vtpm/proto/worker_msg.h"

struct worker;

/* The module beside this program, loaded on the first call; NULL with the
 * reason in *ret_why (borrowed) if there is none. */
const struct xen_module *xen_module_load(const char **ret_why);

/* W_XEN: a front half came or went; the first one makes the channel.
 * VT_E_AGAIN: it waits for W_PAGE.  VT_E_UNSUPPORTED: no module here;
 * VT_E_BUSY: another channel is in use; VT_E_NOMEM. */
int wk_xen(struct worker *w, const struct wxen *m) VT_CHECK;
/* W_PAGE: the page and the port of that front half.  Owns fds, also on
 * failure.  VT_E_STATE: it is not the one that is waited for; VT_E_SYS,
 * VT_E_NOMEM. */
int wk_page(struct worker *w, const struct wpage *m, const int fds[2]) VT_CHECK;

#endif
