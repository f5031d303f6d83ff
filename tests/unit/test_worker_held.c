/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A command that waits for the store may hold a password: however its wait
 * ends, nothing of it stays in the worker's memory.
 */
#include "worker_fixture.h"

#define SECRET_LEN 48

static struct fm m;

/* --- the worker's memory
 * ------------------------------------------------------ */

static unsigned int
count_in(int mem, uint64_t from, uint64_t to, const uint8_t *secret)
{
	uint8_t *p = malloc(to - from), *at = p;
	unsigned int n = 0;

	assert_non_null(p);
	if (pread(mem, p, to - from, (off_t)from) == (ssize_t)(to - from))
		while ((at = memmem(at, (size_t)(p + (to - from) - at), secret,
			    SECRET_LEN)) != NULL) {
			n++;
			at++;
		}
	free(p);
	return n;
}

/* In everything that malloc(3) gives out. */
static unsigned int
copies_in_heap(pid_t pid, const uint8_t *secret)
{
	char path[64], line[512], perms[8];
	unsigned long from, to, inode;
	unsigned int n = 0, heaps = 0;
	FILE *maps;
	int mem;

	(void)snprintf(path, sizeof(path), "/proc/%ld/mem", (long)pid);
	assert_int_not_equal(mem = open(path, O_RDONLY), -1);
	(void)snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
	assert_non_null(maps = fopen(path, "r"));
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &from, &to, perms,
			&inode) != 4 ||
		    strcmp(perms, "rw-p") != 0 || inode != 0 ||
		    strstr(line, "[stack]") != NULL)
			continue;
		heaps += strstr(line, "[heap]") != NULL;
		n += count_in(mem, from, to, secret);
	}
	(void)fclose(maps);
	(void)close(mem);
	assert_true(heaps > 0);
	return n;
}

/* --- commands
 * ----------------------------------------------------------------- */

static void
put_hex(char *out, const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", p[i]);
}

/* NV_Write with the secret as a password; no index has it. */
static void
submit_secret(struct ring *r, const uint8_t *secret)
{
	char hex[2 * SECRET_LEN + 1], cmd[512];

	put_hex(hex, secret, SECRET_LEN);
	(void)snprintf(cmd, sizeof(cmd),
	    "800200000000"
	    "00000137"
	    "40000001"
	    "01500001"
	    "%08x"
	    "40000009"
	    "0000"
	    "00"
	    "%04x%s"
	    "0008"
	    "0102030405060708"
	    "0000",
	    9 + SECRET_LEN, SECRET_LEN, hex);
	fm_submit(r, cmd, 0);
}

/* A longer command goes through every buffer of the channel; TPM2_Hash. */
static void
flush_channel(struct fw *g, struct ring *r)
{
	uint8_t data[1024];
	char cmd[2 * sizeof(data) + 128];
	size_t n;

	memset(data, 0x5c, sizeof(data));
	n = (size_t)snprintf(cmd, sizeof(cmd),
	    "800100000000"
	    "0000017d"
	    "0400");
	put_hex(cmd + n, data, sizeof(data));
	(void)snprintf(cmd + n + 2 * sizeof(data), 32,
	    "000b"
	    "40000007");
	assert_int_equal(fm_cmd(g, r, cmd, NULL, NULL), 0);
}

enum end { CANCELLED, TIMED_OUT, RUN };

static void
hold_and_end(struct fw *g, enum end end)
{
	static const uint32_t want[] = {
		[CANCELLED] = 0x909,
		[TIMED_OUT] = 0x923,
		[RUN] = 0x28b, /* TPM_RC_HANDLE, handle 2: no such index */
	};
	uint8_t secret[SECRET_LEN], out[FM_CMD_MAX];
	struct ring *r;

#ifdef __SANITIZE_ADDRESS__
	skip(); /* its shadow memory is too large to be searched */
#endif
	fm_make(&m, g);
	/* made after the fork: the worker has no copy of it from us */
	assert_int_equal(random_bytes(secret, sizeof(secret)), VT_OK);
	r = fm_guest(g);
	fm_settle(g, r);
	fm_manager(g, false);
	fm_pump_for(g, 30);
	submit_secret(r, secret);
	assert_int_equal(fm_wait(g, r, 50, out), 0);
	/* while it is held it is there, and this test would find it */
	assert_true(copies_in_heap(g->pid, secret) > 0);
	if (end == CANCELLED)
		ring_cancel(r);
	else if (end == RUN)
		fm_manager(g, true);
	assert_true(fm_wait(g, r, FM_WAIT_MS, out) >= 10);
	assert_int_equal(be32_get(out + 6), want[end]);
	flush_channel(g, r);
	assert_int_equal(copies_in_heap(g->pid, secret), 0);
	ring_close(r);
}

static void
a_command_that_was_cancelled_is_wiped(void **state)
{
	hold_and_end(*state, CANCELLED);
}

static void
a_command_that_waited_too_long_is_wiped(void **state)
{
	hold_and_end(*state, TIMED_OUT);
}

static void
a_command_that_ran_after_all_is_wiped(void **state)
{
	hold_and_end(*state, RUN);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fm_setup, fm_teardown)
	const struct CMUnitTest tests[] = {
		T(a_command_that_was_cancelled_is_wiped),
		T(a_command_that_waited_too_long_is_wiped),
		T(a_command_that_ran_after_all_is_wiped),
	};
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	fm_init(&m);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fm_done(&m);
	return rc;
}
