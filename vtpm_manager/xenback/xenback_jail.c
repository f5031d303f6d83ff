/* SPDX-License-Identifier: BSD-3-Clause */
/* xenback_jail.c - drops vtpm-xenback's privileges. */
#include "vtpm_manager/xenback/xenback_jail.h"

#include <sys/ioctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>

#include "base/jail_rules.h"
#include "base/util.h"

#define MIB (UINT64_C(1) << 20)

/* linux/include/uapi/xen/gntdev.h and evtchn.h, which need Xen's headers. */
#define GNTDEV_MAP_GRANT_REF _IOC(_IOC_NONE, 'G', 0, 24)
#define EVTCHN_BIND_INTERDOMAIN _IOC(_IOC_NONE, 'E', 1, 8)
#define EVTCHN_RESTRICT_DOMID _IOC(_IOC_NONE, 'E', 6, 2)

/* clang-format off */
static const struct jail_rule rules[] = {
	ALLOW_THREADS,			/* libxenstore's, for watches */
	ALLOW(pipe),			/* and its pipe */
	ALLOW(pipe2),
	ALLOW_IF(fcntl, 1, F_GETFD),
	ALLOW_IF(fcntl, 1, F_SETFD),
	ALLOW(openat),			/* Landlock: the two devices */
	/* The library asks whether stderr is a terminal. */
	ALLOW_MASK(newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH),
	ANSWER_IF(ioctl, 1, TCGETS, ENOTTY),
	ALLOW_IF(ioctl, 1, GNTDEV_MAP_GRANT_REF),
	ALLOW_IF(ioctl, 1, EVTCHN_BIND_INTERDOMAIN),
	ALLOW_IF(ioctl, 1, EVTCHN_RESTRICT_DOMID),
};
/* clang-format on */

int
xenback_jail(const char **ret_step)
{
	static const struct jail_spec spec = { .rules = rules,
		.nrules = VT_NELEM(rules),
		.max_memory = 256 * MIB,
		.max_file = RLIM_INFINITY, /* the log; it can open no other */
		.max_fds = 64,
		.max_procs = 4,
		.keep_root = true,
		.keep_fds = true, /* libxenstore hides one */
		.devices = { "/dev/xen/gntdev", "/dev/xen/evtchn" } };

	return jail_enter(&spec, ret_step);
}
