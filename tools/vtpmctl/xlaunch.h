/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xlaunch.h - one `vtpmctl launch xen`.  From the bottom up: xen_manager.c
 * talks to the vTPM's manager, xen_measure.c measures, xen_run.c starts the
 * domain and stays with it, xen_launch.c is the command.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VTPMCTL_XLAUNCH_H
#define TOOLS_VTPMCTL_XLAUNCH_H

#include <limits.h>

#include "measure/log/launch_record.h"
#include "tools/launch/launch_xen.h"
#include "tools/vtpmctl/bus.h"

struct xlaunch_args {
	const char *policy;
	bool dry, require, or_plain, foreground;
};

struct xlaunch {
	struct vctl *v;
	const struct xlaunch_args *a;
	const char *cfg;
	int nargs;   /* KEY=VALUE after CFG */
	char **args; /* borrowed */

	char xl[PATH_MAX], xenwait[PATH_MAX];
	char *base; /* the configuration's text as it was read; heap */
	struct lx_plan plan;
	char *config;                   /* lx_config_text() */
	char vtpm[LAUNCH_MAX_NAME + 1]; /* name of the vTPM */
	bool remote;                    /* its manager is in another domain */

	/* Of one run; xen_measure_done() releases it. */
	struct launch_record *rec;
	uint16_t algs[PCR_MAX_BANKS];
	uint32_t nalgs;
	int fds[LX_FILES_MAX], cfg_fd; /* sealed memfds; -1 */
};

#endif
