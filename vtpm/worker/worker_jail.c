/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_jail.c - the system calls and resources of a worker.
 */
#include "vtpm/worker/worker_jail.h"

#include <sys/ioctl.h>

#include <fcntl.h>
#include <stdint.h>

#include "base/jail_rules.h"
#include "base/util.h"
#include "vtpm/worker/worker_limits.h"

/* IOCTL_EVTCHN_NOTIFY of linux/include/uapi/xen/evtchn.h; that header needs
 * Xen's, which a worker is built without. */
#define EVTCHN_NOTIFY _IOC(_IOC_NONE, 'E', 4, sizeof(uint32_t))

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
	/* Xen only: notify the guest.  No request of gntdev: vtpm-xenback
	 * names the one grant and binds the one port. */
	ALLOW_IF(ioctl, 1, EVTCHN_NOTIFY),
};
#define XEN_RULES 1
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
