/* SPDX-License-Identifier: BSD-3-Clause */
/* The worker's jail: what it may not do kills it, what it needs works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/lock_memory.h"
#include "base/util.h"
#include "tests/unit/jail_tries.h"
#include "vtpm/worker/worker_jail.h"

#define OWN_UID 61999u

static struct jail *jail;
static int kept[2]; /* a socket pair */
static bool was_root;

static uint32_t
own_uid(void)
{
	return geteuid() == 0 ? OWN_UID : JAIL_KEEP_ID;
}

/* Run fn in the jail; how the child ended. */
static int
in_jail(int (*fn)(void))
{
	const char *step;
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (jail_drop(jail, own_uid(), own_uid(), kept, 2, &step) !=
			VT_OK ||
		    jail_close(jail, &step) != VT_OK)
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* --- forbidden --------------------------------------------------------------
 */

static int
try_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}
static int
try_creat(void)
{
	return open("x", O_CREAT | O_WRONLY, 0600);
}
static int
try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}
static int
try_connect(void)
{
	return connect(kept[0], NULL, 0);
}
static int
try_clone_process(void)
{
	return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}
static int
try_signal_thread(void)
{
	return (int)syscall(SYS_tgkill, 1, 1, SIGTERM);
}
static int
try_abort_parent(void)
{
	pid_t parent = getppid();

	return (int)syscall(SYS_tgkill, parent, parent, SIGABRT);
}
static int
try_mmap_exec(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}
static int
try_mprotect_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}
static int
try_setuid(void)
{
	return setuid(0);
}
static int
try_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}
static int
try_process_vm(void)
{
	return (int)syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0);
}
static int
try_fcntl_owner(void)
{
	return fcntl(kept[0], F_SETOWN, 1);
}
static int
try_stat_path(void)
{
	char buf[256];

	return (int)syscall(SYS_newfstatat, AT_FDCWD, "/etc", buf, 0);
}

static void
forbidden_calls_kill(void **state)
{
#define ROW(name)           \
	{                   \
#name, name \
	}
	static const struct {
		const char *name;
		int (*fn)(void);
	} all[] = { ROW(try_open), ROW(try_creat), ROW(try_socket),
		ROW(try_unix_socket), ROW(try_connect), ROW(try_exec),
		ROW(try_fork), ROW(try_clone_process), ROW(try_ptrace),
		ROW(try_kill), ROW(try_signal_thread), ROW(try_abort_parent),
		ROW(try_mmap_exec), ROW(try_mprotect_exec), ROW(try_setuid),
		ROW(try_prctl), ROW(try_process_vm), ROW(try_terminal),
		ROW(try_fcntl_owner), ROW(try_stat_path) };
	size_t i;
	int status;

	(void)state;
	for (i = 0; i < VT_NELEM(all); i++) {
		status = in_jail(all[i].fn);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: status 0x%x", all[i].name, status);
	}
}

/* The requests of gntdev (type G) and evtchn (type E), Linux 6.1. */
static const unsigned long xen_requests[] = {
	0x184700, 0x104701, 0x184702, 0x044703, 0x104707, 0x104708, 0x184709,
	0x18470a, 0x10470b, 0x044500, 0x084501, 0x044502, 0x044503, 0x004505,
	0x024506, 0x044501,         /* as notify, but another number ... */
	0x084504,                   /* ... another size ... */
	0x100044504ul, 0x80044504u, /* ... or bits beside */
};
#define XEN_NOTIFY 0x044504ul
static unsigned long request;

static int
try_request(void)
{
	return syscall(SYS_ioctl, kept[0], request, NULL) == -1 ? 0 : 1;
}

static void
of_xen_a_worker_may_notify_and_nothing_else(void **state)
{
	struct jail *plain = jail, *xen;
	int status;
	size_t i;

	(void)state;
	NOT_WITH_ASAN();
	assert_int_equal(jail_prepare(&worker_jail_xen, &xen), VT_OK);
	jail = xen;
	request = XEN_NOTIFY;
	status = in_jail(try_request);
	for (i = 0; i < VT_NELEM(xen_requests); i++) {
		int how;

		request = xen_requests[i];
		how = in_jail(try_request);
		if (!WIFSIGNALED(how) || WTERMSIG(how) != SIGSYS)
			fail_msg("ioctl 0x%lx: status 0x%x", request, how);
	}
	jail = plain;
	jail_free(xen);
	if (status != 0)
		fail_msg("notify: status 0x%x", status);
	request = XEN_NOTIFY; /* where Xen is not */
	status = in_jail(try_request);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

/* --- needed ------------------------------------------------------------------
 */

static void *
thread(void *arg)
{
	void *p = malloc(100000);

	if (p == NULL)
		return NULL;
	memset(p, 1, 100000);
	free(p);
	return arg;
}

#define NEED(cond)                                \
	do {                                      \
		if (!(cond))                      \
			return __LINE__ % 97 + 1; \
	} while (0)

static int
use_everything(void)
{
	uint8_t buf[64], tag[GCM_TAG_LEN], key[GCM_KEY_LEN] = { 0 };
	struct pollfd p = { .fd = kept[0], .events = POLLIN };
	struct timespec ts = { 0, 1000 };
	pthread_t t;
	void *mem, *res;
	int fd, i;

	for (i = 0; i < 100; i++) {
		NEED((mem = malloc((size_t)i * 5000 + 1)) != NULL);
		memset(mem, 1, (size_t)i * 5000 + 1);
		NEED((mem = realloc(mem, (size_t)i * 9000 + 1)) != NULL);
		free(mem);
	}
	NEED(random_bytes(buf, sizeof(buf)) == VT_OK);
	NEED(crypto_reseed() == VT_OK);
	NEED(RAND_bytes(buf, sizeof(buf)) == 1);
	NEED(digest_buf(ALG_SHA384, buf, sizeof(buf), buf) == VT_OK);
	NEED(gcm_seal(key, buf, "x", 1, buf, 32, buf, tag) == VT_OK);
	NEED(now_us() != 0 && wall_ms() != 0);
	NEED(nanosleep(&ts, NULL) == 0);
	NEED(pthread_create(&t, NULL, thread, buf) == 0);
	NEED(pthread_join(t, &res) == 0 && res == buf);
	NEED((fd = eventfd(1, EFD_CLOEXEC)) != -1);
	NEED(read(fd, buf, 8) == 8);
	NEED((fd = memfd_create("m", MFD_CLOEXEC | MFD_ALLOW_SEALING)) != -1);
	NEED(ftruncate(fd, 8192) == 0);
	NEED(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0);
	mem = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(mem != MAP_FAILED);
	NEED(write(kept[1], "a", 1) == 1 && poll(&p, 1, 1000) == 1);
	NEED(recv(kept[0], buf, 1, MSG_DONTWAIT) == 1);
	NEED(send(kept[0], buf, 1, MSG_NOSIGNAL) == 1);
	NEED(fcntl(kept[0], F_DUPFD_CLOEXEC, 0) != -1);
	NEED(write(2, "", 0) == 0);
	return 0;
}

static void
needed_calls_work(void **state)
{
	(void)state;
	NOT_WITH_ASAN();
	assert_int_equal(in_jail(use_everything), 0);
}

static int
abort_itself(void)
{
	abort();
}

static void
abort_is_told_from_a_forbidden_call(void **state)
{
	int status = in_jail(abort_itself);

	(void)state;
	NOT_WITH_ASAN();
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* Locks what is there and what it allocates. */
static int
wait_with_memory(void)
{
	char *p = malloc(1 << 20);
	char c;

	NEED(p != NULL);
	memset(p, 1, 1 << 20);
	NEED(write(kept[1], "a", 1) == 1); /* the parent looks now */
	return read(kept[1], &c, 1) == 1 && p[0] == 1 ? 0 : 1;
}

static unsigned long
locked_kib(pid_t pid)
{
	unsigned long kib = 0;
	char path[64], line[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmLck: %lu kB", &kib) == 1)
			break;
	(void)fclose(f);
	return kib;
}

static void
its_memory_is_never_on_a_swap_device(void **state)
{
	const char *step;
	int status;
	pid_t pid;
	char c;

	(void)state;
	NOT_WITH_ASAN();
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(lock_all_memory(worker_jail.max_memory) == VT_OK ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		skip(); /* RLIMIT_MEMLOCK: see test_lock_memory */
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (jail_drop(jail, own_uid(), own_uid(), kept, 2, &step) !=
			VT_OK ||
		    jail_close(jail, &step) != VT_OK)
			_exit(99);
		_exit(wait_with_memory());
	}
	assert_int_equal(read(kept[0], &c, 1), 1);
	assert_true(locked_kib(pid) > 1024);
	assert_int_equal(write(kept[0], "b", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- what is left ------------------------------------------------------------
 */

static int
look_around(void)
{
	int fd, open_fds = 0;

	for (fd = 3; fd < 1024; fd++)
		open_fds += fcntl(fd, F_GETFL) != -1;
	NEED(open_fds == 2); /* the two that were to be kept */
	NEED(fcntl(kept[0], F_GETFL) != -1 && fcntl(kept[1], F_GETFL) != -1);
	if (was_root)
		NEED(getuid() == OWN_UID && geteuid() == OWN_UID &&
		     getgid() == OWN_UID && getegid() == OWN_UID);
	return 0;
}

static void
only_named_descriptors_and_own_ids_are_left(void **state)
{
	int extra = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */

	(void)state;
	NOT_WITH_ASAN();
	assert_int_not_equal(extra, -1);
	assert_int_equal(in_jail(look_around), 0);
	(void)close(extra);
}

static int
grow_a_file(void)
{
	int fd = memfd_create("m", 0);

	/* past RLIMIT_FSIZE: SIGXFSZ */
	return ftruncate(fd, (off_t)worker_jail.max_file + 1);
}

static int
open_too_many(void)
{
	unsigned int n = 0;

	while (eventfd(0, 0) != -1)
		n++;
	return errno == EMFILE && n < worker_jail.max_fds ? 0 : 1;
}

#if !defined(__SANITIZE_ADDRESS__)
static int
take_too_much_memory(void)
{
	return malloc(worker_jail.max_memory) == NULL ? 0 : 1;
}
#endif

static void
resources_are_limited(void **state)
{
	int status;

	(void)state;
	NOT_WITH_ASAN();
	status = in_jail(grow_a_file);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGXFSZ);
	assert_int_equal(in_jail(open_too_many), 0);
#if !defined(__SANITIZE_ADDRESS__)
	assert_int_equal(in_jail(take_too_much_memory), 0);
#endif
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forbidden_calls_kill),
		cmocka_unit_test(of_xen_a_worker_may_notify_and_nothing_else),
		cmocka_unit_test(needed_calls_work),
		cmocka_unit_test(abort_is_told_from_a_forbidden_call),
		cmocka_unit_test(its_memory_is_never_on_a_swap_device),
		cmocka_unit_test(only_named_descriptors_and_own_ids_are_left),
		cmocka_unit_test(resources_are_limited),
	};
	struct rlimit none = { 0, 0 };
	uint8_t b[8];

	was_root = geteuid() == 0;
	(void)setrlimit(RLIMIT_CORE, &none);
	/* what the zygote does before it forks */
	if (RAND_bytes(b, sizeof(b)) != 1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, kept) == -1 ||
	    jail_prepare(&worker_jail, &jail) != VT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
