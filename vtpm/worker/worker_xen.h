/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_xen.h - a worker's way to Xen, when the host has one.
 *
 * Layer:  vtpm.
 * The module vtpm-xen.so is loaded by the zygote, once; each worker opens
 * the devices for itself before its jail closes, because descriptors to
 * them cannot be passed and their library cannot take them over.
 */
#ifndef VTPM_WORKER_WORKER_XEN_H
#define VTPM_WORKER_WORKER_XEN_H

#include "tpmback/xen_chan.h"

/* The module beside this program, loaded on the first call; NULL with the
 * reason in *ret_why (borrowed) if there is none. */
const struct xen_module *xen_module_load(const char **ret_why);

#endif
