/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_manager.h - what `vtpmctl launch xen` asks of the vTPM's manager, on
 * this host or in a separate domain.
 *
 * Layer:  tools.
 * Errors: exit codes, all of them, after a message.
 */
#ifndef TOOLS_VTPMCTL_XEN_MANAGER_H
#define TOOLS_VTPMCTL_XEN_MANAGER_H

#include "tools/vtpmctl/xlaunch.h"

/* x->remote, and x->vtpm: the name of the configuration's vTPM. */
int xen_manager_find(struct xlaunch *x);
/* x->algs, x->nalgs: its PCR banks. */
int xen_manager_banks(struct xlaunch *x);
/* Record x->rec for that domain. */
int xen_manager_launch(struct xlaunch *x, uint32_t domid);

#endif
