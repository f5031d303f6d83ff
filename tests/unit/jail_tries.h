/* SPDX-License-Identifier: BSD-3-Clause */
/* jail_tries.h - what no jailed process may do; each call should kill it. */
#ifndef TESTS_UNIT_JAIL_TRIES_H
#define TESTS_UNIT_JAIL_TRIES_H

#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/util.h"

/* The sanitizer's own calls (its allocator, its signal stacks) are not on
 * the list: with it only what is forbidden can be looked at. */
#if defined(__SANITIZE_ADDRESS__)
#define NOT_WITH_ASAN() skip()
#else
#define NOT_WITH_ASAN() (void)0
#endif

static int
try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}
static int
try_exec(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}
static int
try_fork(void)
{
	return (int)syscall(SYS_fork);
}
static int
try_ptrace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, 0, 0);
}
static int
try_kill(void)
{
	return kill(getppid(), 0);
}
static int
try_terminal(void)
{
	return (int)syscall(SYS_ioctl, 2, 0x5412 /* TIOCSTI */, "x");
}

#endif
