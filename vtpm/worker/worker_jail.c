/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_jail.c - the system calls and resources of a worker.
 */
#include "vtpm/worker/worker_jail.h"

#include <sys/ioctl.h>

#include <fcntl.h>

#include "base/jail_rules.h"
#include "base/util.h"
#include "vtpm/worker/worker_limits.h"

/* clang-format off */
static const struct jail_rule rules[] = {
	ALLOW(pread64),
	ALLOW(accept4),
	ALLOW(getsockopt),
	ALLOW(shutdown),
	ALLOW_IF(fcntl, 1, F_ADD_SEALS),
	ALLOW_IF(fcntl, 1, F_GET_SEALS),
	ALLOW_MASK(newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH), /* fstat(3) */
	/* memory shared with the guest's front half, and its doorbells */
	ALLOW(memfd_create),
	ALLOW(ftruncate),
	ALLOW(eventfd2),
	ALLOW(timerfd_create),
	ALLOW(timerfd_settime),
	/* identity */
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
	ALLOW_THREADS, /* the watch thread */
	/* stdio asks whether the log is a terminal: libtpms' first message */
	ANSWER_IF(ioctl, 1, TCGETS, ENOTTY),
	/* Xen only: grants (type G) and event channels (type E) */
	ALLOW_MASK(ioctl, 1, 0xff00, 'G' << 8),
	ALLOW_MASK(ioctl, 1, 0xff00, 'E' << 8),
};
#define XEN_RULES 2
/* clang-format on */

const struct jail_spec worker_jail = {
	.rules = rules,
	.nrules = VT_NELEM(rules) - XEN_RULES,
	.max_memory = WORKER_MEMORY,
	.max_file = WORKER_FILE, /* memfds of the channels */
	.max_fds = WORKER_FDS,
	.max_procs = WORKER_THREADS,
};

const struct jail_spec worker_jail_xen = {
	.rules = rules,
	.nrules = VT_NELEM(rules),
	.max_memory = WORKER_MEMORY,
	.max_file = WORKER_FILE,
	.max_fds = WORKER_FDS,
	.max_procs = WORKER_THREADS,
};
