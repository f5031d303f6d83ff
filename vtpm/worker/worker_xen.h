/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_xen.h - a worker's access to Xen, where the host has it.
 *
 * Layer:  vtpm.
 * The zygote loads the module vtpm-xen.so once; each worker opens the devices
 * itself before its jail closes, because their library cannot take over
 * descriptors that another process opened.
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
 * VT_E_UNSUPPORTED: this worker has no devices; VT_E_SYS, VT_E_NOMEM. */
int wk_xen(struct worker *w, const struct wxen *m) VT_CHECK;

#endif
