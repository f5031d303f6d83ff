/* SPDX-License-Identifier: BSD-3-Clause */
/* The jail of vtpm-xenback: what one that a guest took over cannot reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/util.h"
#include "tests/unit/jail_tries.h"
#include "vtpm_manager/xenback/xenback_jail.h"

#define OPEN_FAILS 98

/* Run fn in the jail; how the child ended. */
static int
in_jail(int (*fn)(void))
{
	const char *step;
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (xenback_jail(&step) != VT_OK)
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* --- forbidden --- */

static int
try_connect(void)
{
	return connect(0, NULL, 0);
}
static int
try_mount(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL);
}
static int
try_mknod(void)
{
	return mknod("/tmp/x", S_IFCHR | 0600, 0);
}
static int
try_unlink(void)
{
	return unlink("/tmp/x");
}
/* privcmd's hypercall: every page of every guest */
static int
try_hypercall(void)
{
	return ioctl(0, _IOC(_IOC_NONE, 'P', 0, 48), NULL);
}
static int
try_bind_virq(void)
{
	return ioctl(0, _IOC(_IOC_NONE, 'E', 0, 4), NULL);
}

static void
forbidden_calls_kill(void **state)
{
	static int (*const all[])(void) = { try_exec, try_fork, try_unix_socket,
		try_connect, try_kill, try_ptrace, try_mount, try_mknod,
		try_unlink, try_hypercall, try_bind_virq, try_terminal };
	int status;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(all); i++) {
		status = in_jail(all[i]);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("row %zu: status %#x", i, status);
	}
}

/* --- no file, not even of root's --- */

static const char *const files[] = { "/etc/passwd", "/etc/shadow",
	"/proc/self/maps", "/proc/1/mem", "/dev/mem", "/dev/xen/privcmd",
	"/dev/null", "/var/lib", "/" };

static int
try_files(void)
{
	size_t i;

	for (i = 0; i < VT_NELEM(files); i++)
		if (open(files[i], O_RDONLY) != -1)
			return (int)i + 1;
	return open("/tmp/xenback", O_CREAT | O_WRONLY, 0600) == -1 ? OPEN_FAILS
								    : 100;
}

static void
no_file_opens(void **state)
{
	int status;

	(void)state;
	NOT_WITH_ASAN();
	status = in_jail(try_files);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), OPEN_FAILS);
}

/* --- what it needs --- */

static void *
run(void *arg)
{
	int *fds = arg;

	return write(fds[1], "x", 1) == 1 ? arg : NULL;
}

/* libxenstore: a pipe and a thread that reports through it */
static int
works(void)
{
	pthread_t t;
	void *ret;
	int fds[2];
	char c;

	if (pipe(fds) == -1 || fcntl(fds[0], F_SETFD, FD_CLOEXEC) == -1 ||
	    pthread_create(&t, NULL, run, fds) != 0 ||
	    pthread_join(t, &ret) != 0 || ret == NULL)
		return 1;
	return read(fds[0], &c, 1) == 1 && c == 'x' ? 0 : 2;
}

/* Xen's requests reach the kernel: here they fail for want of a device. */
static int
asks_xen(void)
{
	if (ioctl(0, _IOC(_IOC_NONE, 'G', 0, 24), NULL) != -1 ||
	    ioctl(0, _IOC(_IOC_NONE, 'E', 1, 8), NULL) != -1 ||
	    ioctl(0, _IOC(_IOC_NONE, 'E', 6, 2), NULL) != -1)
		return 1;
	return 0;
}

static void
what_it_needs_works(void **state)
{
	(void)state;
	NOT_WITH_ASAN();
	assert_int_equal(in_jail(works), 0);
	assert_int_equal(in_jail(asks_xen), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forbidden_calls_kill),
		cmocka_unit_test(no_file_opens),
		cmocka_unit_test(what_it_needs_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
