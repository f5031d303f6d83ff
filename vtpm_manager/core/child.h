/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * child.h - start a helper process with a socket on descriptor 3.
 *
 * Layer:  vtpm_manager/core.
 */
#ifndef VTPM_MANAGER_CORE_CHILD_H
#define VTPM_MANAGER_CORE_CHILD_H

#include "vtpm_manager/core/context.h"

struct child {
	pid_t pid; /* 0: not running */
	sd_event_source *src;
	/* It ended; how says by which status or signal. */
	void (*exited)(void *arg, const char *how);
	void *arg;
	/* cgroup.procs of the cgroup that it moves to; NULL or "": ours. */
	const char *cgroup;
};

/*
 * Fork and exec path.  exited and arg are set before; *ret_fd is the caller's
 * end of the socket.  VT_E_SYS and errno.
 */
int child_start(struct mgr *m, struct child *c, const char *path,
    char *const argv[], int *ret_fd) VT_CHECK;
/* Stop watching it; it ends when its socket closes. */
void child_forget(struct child *c);
/* The path of a program: configured, or from the environment, or beside this
 * one. */
int child_path(char *out, size_t cap, const char *configured, const char *env,
    const char *name) VT_CHECK;

#endif
