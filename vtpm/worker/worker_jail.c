/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm/worker/worker_jail.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>

#include "base/jail_rules.h"
#include "base/util.h"

#define MIB (1024 * 1024ULL)
#define THREAD_FLAGS (CLONE_VM | CLONE_THREAD | CLONE_SIGHAND)

/* clang-format off */
static const struct jail_rule rules[] = {
	/* descriptors that it has */
	ALLOW(read),
	ALLOW(write),
	ALLOW(writev),
	ALLOW(pread64),
	ALLOW(close),
	ALLOW(poll),
	ALLOW(ppoll),
	ALLOW(recvfrom),
	ALLOW(recvmsg),
	ALLOW_IF(sendto, 4, 0),		/* no address */
	ALLOW(sendmsg),
	ALLOW(accept4),
	ALLOW(getsockopt),
	ALLOW(shutdown),
	ALLOW_IF(fcntl, 1, F_GETFL),
	ALLOW_IF(fcntl, 1, F_SETFL),
	ALLOW_IF(fcntl, 1, F_DUPFD_CLOEXEC),
	ALLOW_IF(fcntl, 1, F_ADD_SEALS),
	ALLOW_IF(fcntl, 1, F_GET_SEALS),
	ALLOW(fstat),
	ALLOW_MASK(newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH), /* fstat(3) */
	ALLOW(lseek),
	/* memory to share with the guest's front half, and its bells */
	ALLOW(memfd_create),
	ALLOW(ftruncate),
	ALLOW(eventfd2),
	ALLOW(timerfd_create),
	ALLOW(timerfd_settime),
	/* memory; nothing that could be run */
	ALLOW_MASK(mmap, 2, PROT_EXEC, 0),
	ALLOW_MASK(mprotect, 2, PROT_EXEC, 0),
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW(madvise),
	ALLOW(brk),
	/* time, entropy, who am I */
	ALLOW(clock_gettime),
	ALLOW(gettimeofday),
	ALLOW(nanosleep),
	ALLOW(clock_nanosleep),
	ALLOW(getrandom),
	ALLOW(getpid),
	ALLOW(gettid),
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
	ALLOW(sched_yield),
	ALLOW(sched_getaffinity),
	/* the watch thread: threads, never processes; clone3(2) hides its
	 * flags in memory, so glibc is sent to clone(2) */
	ALLOW_MASK(clone, 0, THREAD_FLAGS, THREAD_FLAGS),
	ANSWER(clone3, ENOSYS),
	ALLOW(futex),
	ALLOW(set_robust_list),
	ALLOW(rseq),
	/* ends and signals to itself */
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigreturn),
	ALLOW(restart_syscall),
	ALLOW_IF(tgkill, 2, SIGABRT),	/* abort(3) */
	ALLOW(exit),
	ALLOW(exit_group),
	/* Xen only: grants (type G) and event channels (type E) */
	ALLOW_MASK(ioctl, 1, 0xff00, 'G' << 8),
	ALLOW_MASK(ioctl, 1, 0xff00, 'E' << 8),
};
#define XEN_RULES 2
/* clang-format on */

const struct jail_spec worker_jail = {
	.rules = rules,
	.nrules = VT_NELEM(rules) - XEN_RULES,
	.max_memory = 256 * MIB,
	.max_file = 2 * MIB, /* memfds of the channels */
	.max_fds = 64,
	.max_procs = 4,
};

const struct jail_spec worker_jail_xen = {
	.rules = rules,
	.nrules = VT_NELEM(rules),
	.max_memory = 256 * MIB,
	.max_file = 2 * MIB,
	.max_fds = 64,
	.max_procs = 4,
};
