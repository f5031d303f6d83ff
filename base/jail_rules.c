/* SPDX-License-Identifier: BSD-3-Clause */
/* jail_rules.c - the system calls that every jailed process may make. */
#include "base/jail_rules.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <signal.h>

#include "base/util.h"

/* clang-format off */
const struct jail_rule jail_rules_common[] = {
	/* descriptors that are open */
	ALLOW(read),
	ALLOW(write),
	ALLOW(writev),
	ALLOW(close),
	ALLOW(poll),
	ALLOW(ppoll),
	ALLOW(recvfrom),
	ALLOW(recvmsg),
	ALLOW_IF(sendto, 4, 0),		/* no address */
	ALLOW(sendmsg),
	ALLOW_IF(fcntl, 1, F_GETFL),
	ALLOW_IF(fcntl, 1, F_SETFL),
	ALLOW_IF(fcntl, 1, F_DUPFD_CLOEXEC),
	ALLOW(fstat),
	ALLOW(lseek),
	/* memory, none of it executable */
	ALLOW_MASK(mmap, 2, PROT_EXEC, 0),
	ALLOW_MASK(mprotect, 2, PROT_EXEC, 0),
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW(madvise),
	ALLOW(brk),
	/* time, entropy, identity */
	ALLOW(clock_gettime),
	ALLOW(gettimeofday),
	ALLOW(nanosleep),
	ALLOW(clock_nanosleep),
	ALLOW(getrandom),
	ALLOW(getpid),
	ALLOW(gettid),
	ALLOW(sched_yield),
	ALLOW(sched_getaffinity),
	ALLOW(futex),
	/* signals to itself, and the end */
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigreturn),
	ALLOW(restart_syscall),
	ALLOW_IF(tgkill, 2, SIGABRT),	/* abort(3) */
	ALLOW(exit),
	ALLOW(exit_group),
};
/* clang-format on */

const size_t jail_rules_ncommon = VT_NELEM(jail_rules_common);
