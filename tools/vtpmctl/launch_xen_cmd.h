/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * launch_xen_cmd.h - what the two halves of `vtpmctl launch xen` share:
 * launch_xen_cmd.c measures, xen_run.c starts and stays with the guest.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VTPMCTL_LAUNCH_XEN_CMD_H
#define TOOLS_VTPMCTL_LAUNCH_XEN_CMD_H

#include <limits.h>

#include "measure/log/launch_record.h"
#include "tools/launch/launch_xen.h"
#include "tools/vtpmctl/vtpmctl.h"

struct xlaunch {
	struct vctl *v;
	const char *cfg, *policy;
	bool dry, require, or_plain, foreground;
	int nargs;   /* KEY=VALUE after CFG */
	char **args; /* borrowed */

	char xl[PATH_MAX], xenwait[PATH_MAX];
	char *base; /* the configuration's text as it was read; heap */
	struct lx_plan plan;
	char *config;                   /* lx_config_text() */
	char vtpm[LAUNCH_MAX_NAME + 1]; /* name of the vTPM */
	bool remote;                    /* its manager is in another domain */

	/* Of one run; xrun_done() lets go. */
	struct launch_record *rec;
	uint16_t algs[PCR_MAX_BANKS];
	uint32_t nalgs;
	int fds[LX_FILES_MAX], cfg_fd; /* sealed memfds; -1 */
};

/* --- launch_xen_cmd.c --- */
/* Read every file, make the record, and the configuration that xl gets.
 * An exit code; after any of them xrun_done() is due. */
int xrun_measure(struct xlaunch *x);
void xrun_done(struct xlaunch *x);
/* What was measured, in lines or JSON; domid -1: not started. */
int xrun_report(const struct xlaunch *x, int64_t domid);

/* --- xen_manager.c: the manager, here or in a domain of its own --- */
/* The name of the configuration's vTPM.  Exit codes, all of them. */
int xmgr_find(struct xlaunch *x);
int xmgr_banks(struct xlaunch *x);
int xmgr_launch(struct xlaunch *x, uint32_t domid);

/* --- xen_run.c --- */
/* Create the domain paused, bind the record to it, let it run, and stay with
 * it.  measured: xrun_measure() was done.  An exit code. */
int xrun_guest(struct xlaunch *x);

#endif
