/* SPDX-License-Identifier: BSD-3-Clause */
/* frontd_jail.c - drops the privileges of tpmfrontd's child. */
#include "tpmfront/frontd/frontd_jail.h"

#include <sys/ioctl.h>
#include <sys/prctl.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "base/jail_rules.h"
#include "base/log.h"
#include "base/util.h"
#include "tpmfront/xen_front.h"

#define MIB (UINT64_C(1) << 20)
#define SIGNAL_CANCEL 32 /* glibc's own, for pthread_cancel(3) */

/* clang-format off */
static const struct jail_rule rules[] = {
	ALLOW(dup2),			/* the log's new descriptor */
	ALLOW(dup3),
	ALLOW(epoll_create1),
	ALLOW(epoll_ctl),
	ALLOW(pipe2),			/* libxenstore's, for its thread */
	ALLOW(pipe),
	ALLOW_IF(fcntl, 1, F_GETFD),
	ALLOW_IF(fcntl, 1, F_SETFD),
	/* event channels of a restored guest */
	ALLOW(openat),			/* Landlock: that device alone */
	ALLOW_MASK(newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH),
	ALLOW(faccessat), /* whether the kernel's driver has the device */
	ALLOW_THREADS, /* libxenstore's */
	ALLOW_IF(tgkill, 2, SIGNAL_CANCEL), /* pthread_cancel(3) */
	/* Xen only: grants (type G) and event channels (type E); the library
	 * asks whether stderr is a terminal when it opens a device again */
	ANSWER_IF(ioctl, 1, TCGETS, ENOTTY),
	ALLOW_MASK(ioctl, 1, 0xff00, 'G' << 8),
	ALLOW_MASK(ioctl, 1, 0xff00, 'E' << 8),
};
#define XEN_RULES 3
/* clang-format on */

/* The needs of other TCTI modules are unknown. */
static int
no_new_privileges(const struct frontd *o, const char **ret_step)
{
	sigset_t none;

	if (o->debug)
		log_debug("the TCTI %s is used without a system-call filter",
		    o->tcti);
	*ret_step = "forbid new privileges";
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return VT_E_SYS;
	return VT_OK;
}

int
frontd_jail(const struct frontd *o, const char **ret_step)
{
	bool xen = o->tcti == NULL;
	struct jail_spec spec = { .rules = rules,
		.nrules = VT_NELEM(rules) - (xen ? 0 : XEN_RULES),
		.max_memory = 256 * MIB,
		.max_file = MIB,
		.max_fds = 1024, /* one for each time it was restored */
		.max_procs = 4,
		.keep_root = true,
		.keep_fds = true, /* libxenstore hides one */
		.devices = { xen ? XENFRONT_EVTCHN : NULL } };

	if (!xen && strncmp(o->tcti, "tpmfront:local=", 15) != 0)
		return no_new_privileges(o, ret_step);
	return jail_enter(&spec, ret_step);
}
