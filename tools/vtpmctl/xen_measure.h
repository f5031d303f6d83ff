/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xen_measure.h - measure what xl would load for a Xen domain.
 *
 * Layer:  tools.
 * Errors: exit codes, all of them, after a message.
 */
#ifndef TOOLS_VTPMCTL_XEN_MEASURE_H
#define TOOLS_VTPMCTL_XEN_MEASURE_H

#include "tools/vtpmctl/xlaunch.h"

/* x->fds and the rest of a run: nothing yet. */
void xen_measure_init(struct xlaunch *x);
/* Read the configuration by way of xl: x->plan, x->config. */
int xen_measure_plan(struct xlaunch *x);
/* Add the files that libxl loads by default. */
int xen_measure_defaults(struct xlaunch *x);
/* Read every file, make the record, and the configuration that xl gets.
 * xen_measure_done() is due after it in any case. */
int xen_measure(struct xlaunch *x);
void xen_measure_done(struct xlaunch *x);
/* Print what was measured, in lines or JSON; domid -1: not started. */
int xen_measure_report(const struct xlaunch *x, int64_t domid);

#endif
