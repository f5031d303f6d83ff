/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory is locked as a whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/resource.h>
#include <sys/wait.h>

#include <unistd.h>

#include "base/lock_memory.h"

#define MIB (UINT64_C(1) << 20)

static unsigned long
locked_kib(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "r");

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmLck: %lu kB", &kib) == 1)
			break;
	(void)fclose(f);
	return kib;
}

/* How a child ends that may lock `limit` bytes and never more. */
static int
in_child(int (*fn)(void), uint64_t limit)
{
	struct rlimit l = { (rlim_t)limit, (rlim_t)limit };
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(setrlimit(RLIMIT_MEMLOCK, &l) == -1 ? 99 : fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int
later_memory_is_locked(void)
{
	unsigned long before;
	char *p;

	if (lock_all_memory(6 * MIB) != VT_OK || (before = locked_kib()) == 0)
		return 1;
	if ((p = malloc(MIB)) == NULL)
		return 2;
	memset(p, 1, MIB);
	return locked_kib() >= before + 1024 ? 0 : 3;
}

static void
what_fits_is_locked(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__)
	skip();
#endif
	assert_int_equal(in_child(later_memory_is_locked, 6 * MIB), 0);
}

/* Else its allocations would fail at the limit. */
static int
nothing_is_locked(void)
{
	/* an ordinary process: it cannot raise its limit */
	if (geteuid() == 0 && (setgid(61995) == -1 || setuid(61995) == -1))
		return 1;
	if (lock_all_memory(64 * MIB) == VT_OK || locked_kib() != 0)
		return 2;
	return lock_all_memory(0) != VT_OK && locked_kib() == 0 ? 0 : 3;
}

static void
what_does_not_fit_stays_unlocked(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__)
	skip();
#endif
	assert_int_equal(in_child(nothing_is_locked, 6 * MIB), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_locked),
		cmocka_unit_test(what_does_not_fit_stays_unlocked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
