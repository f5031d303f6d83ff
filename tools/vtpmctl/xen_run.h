/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_run.h - start a measured Xen domain and stay with it.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VTPMCTL_XEN_RUN_H
#define TOOLS_VTPMCTL_XEN_RUN_H

#include "tools/vtpmctl/xlaunch.h"

/* After xen_measure(): create the domain paused, bind the record to it, let it
 * run, and act on its ends until it ends for good.  An exit code. */
int xen_run(struct xlaunch *x);

#endif
