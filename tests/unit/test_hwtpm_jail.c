/* SPDX-License-Identifier: BSD-3-Clause */
/* The jail of vtpm-hwtpm: its ids, and what a TPM taken over cannot reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/util.h"
#include "vtpm_manager/hwtpm/jail.h"

#define OWN_UID 61998u
#define GROUP 61997u
#define NOBODY 61996u

/* Only root can choose a user; the sanitizer's own calls are not on the list.
 */
#if defined(__SANITIZE_ADDRESS__)
#define NEEDS_ROOT() skip()
#else
#define NEEDS_ROOT()                \
	do {                        \
		if (geteuid() != 0) \
			skip();     \
	} while (0)
#endif

static char dir[] = "/tmp/hwjail.XXXXXX", file[64], control[64], conf[96];

/* Run fn in the jail of a TPM at conf; how the child ended. */
static int
in_jail(const char *tcti, int (*fn)(void))
{
	const char *step;
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (hwjail_enter(tcti, OWN_UID, 3, &step) != VT_OK)
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
make_file(uid_t uid, gid_t gid, mode_t mode)
{
	int fd = open(file, O_CREAT | O_RDWR | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(fchown(fd, uid, gid), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

/* --- what it may reach ------------------------------------------------------
 */

static int
call_control(void)
{
	return unix_connect(control) == -1 ? 0 : 1;
}

static int
make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) == -1 ? 0 : 1;
}

static int
open_device(void)
{
	return open(file, O_RDWR) == -1 ? 1 : 0;
}

static int
open_other(void)
{
	return open("/etc/passwd", O_RDONLY) == -1 ? 0 : 1;
}

static void
a_device_needs_no_socket(void **state)
{
	int status;

	(void)state;
	NEEDS_ROOT();
	make_file(0, 0, 0666);
	status = in_jail(conf, call_control);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	status = in_jail(conf, make_socket);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(in_jail(conf, open_device), 0);
	assert_int_equal(in_jail(conf, open_other), 0);
}

/* --- who it is --------------------------------------------------------------
 */

static int
is_own(void)
{
	return getuid() == OWN_UID && geteuid() == OWN_UID && getgid() != 0 ? 0
									    : 1;
}

static int
is_own_in_group(void)
{
	return geteuid() == OWN_UID && getegid() == GROUP ? 0 : 1;
}

static int
is_nobody(void)
{
	return geteuid() == NOBODY ? 0 : 1;
}

static int
is_root(void)
{
	return geteuid() == 0 ? 0 : 1;
}

static void
it_takes_the_least_that_reaches_the_tpm(void **state)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		mode_t mode;
		int (*is)(void);
	} all[] = {
		{ 0, 0, 0666, is_own },
		{ OWN_UID, 0, 0600, is_own },
		{ NOBODY, GROUP, 0660, is_own_in_group },
		{ NOBODY, GROUP, 0600, is_nobody },
		{ NOBODY, GROUP, 0640, is_nobody },
		{ 0, GROUP, 0600, is_root },
		{ 0, 0, 0600, is_root },
	};
	size_t i;

	(void)state;
	NEEDS_ROOT();
	for (i = 0; i < VT_NELEM(all); i++) {
		make_file(all[i].uid, all[i].gid, all[i].mode);
		if (in_jail(conf, all[i].is) != 0)
			fail_msg("row %zu", i);
	}
	assert_int_equal(in_jail("mssim:port=1", is_own), 0);
	assert_int_equal(in_jail("device:/dev/none", is_own), 0);
}

/* A folder on the way that is closed to it counts as the file does. */
static void
a_closed_folder_keeps_root(void **state)
{
	char tcti[96];

	(void)state;
	NEEDS_ROOT();
	make_file(0, 0, 0666);
	assert_int_equal(chmod(dir, 0700), 0);
	(void)snprintf(tcti, sizeof(tcti), "tpmfront:local=%s,x=1", file);
	assert_int_equal(in_jail(tcti, is_root), 0);
	/* nor does a socket that is made later */
	(void)unlink(file);
	assert_int_equal(in_jail(tcti, is_root), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(in_jail(tcti, is_own), 0);
	make_file(0, 0, 0666);
	assert_int_equal(in_jail(tcti, is_own), 0);
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL || chmod(dir, 0755) == -1)
		return -1;
	(void)snprintf(file, sizeof(file), "%s/tpm", dir);
	(void)snprintf(control, sizeof(control), "%s/control.sock", dir);
	(void)snprintf(conf, sizeof(conf), "device:%s", file);
	return unix_listen(control, 0666) == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(file);
	(void)unlink(control);
	return rmdir(dir);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_needs_no_socket),
		cmocka_unit_test(it_takes_the_least_that_reaches_the_tpm),
		cmocka_unit_test(a_closed_folder_keeps_root),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
