/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/near.h"
#include "base/util.h"

static char dir[] = "/tmp/vtpm-util-XXXXXX";

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
drop_dir(void **state)
{
	(void)state;
	return rmdir(dir); /* fails if a test left something behind */
}

static const char *
path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
hex_goes_there_and_back(void **state)
{
	uint8_t in[256], out[256];
	char text[513];
	size_t len, i;

	(void)state;
	for (i = 0; i < 256; i++)
		in[i] = (uint8_t)i;
	hex_encode(in, 256, text);
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 506, "fdfeff");
	assert_int_equal(hex_decode(text, out, 256, &len), VT_OK);
	assert_int_equal(len, 256);
	assert_memory_equal(in, out, 256);
	assert_int_equal(hex_decode("AbCd", out, 2, &len), VT_OK);
	assert_int_equal(out[0], 0xab);
	assert_int_equal(out[1], 0xcd);
	assert_int_equal(hex_decode("", out, 0, &len), VT_OK);
	assert_int_equal(len, 0);
}

static void
what_is_not_hex_is_refused(void **state)
{
	static const char *const bad[] = { "0", "0g", "g0", "0x00", " 00",
		"00 ", "0:", "0@", "0/", "0`", "00\n0" };
	uint8_t out[8];
	size_t len = 77, i;

	(void)state;
	for (i = 0; i < VT_NELEM(bad); i++)
		assert_int_equal(
		    hex_decode(bad[i], out, sizeof(out), &len), VT_E_FORMAT);
	assert_int_equal(hex_decode("001122", out, 2, &len), VT_E_RANGE);
	assert_int_equal(len, 77);
}

static void
uuids_are_printed_parsed_and_made(void **state)
{
	static const char text[] = "00112233-4455-6677-8899-aabbccddeeff";
	static const char *const bad[] = { "", "0",
		"00112233-4455-6677-8899-aabbccddeef",
		"00112233-4455-6677-8899-aabbccddeeff0",
		"00112233-4455-6677-8899-aabbccddeefg",
		"001122334455-6677-8899-aabbccddeeff--",
		"00112233-44556677-8899-aabbccddeeff-",
		"00112233x4455-6677-8899-aabbccddeeff" };
	uint8_t u[UUID_LEN], v[UUID_LEN];
	char out[UUID_STRLEN + 1];
	size_t i;

	(void)state;
	assert_int_equal(uuid_parse(text, u), VT_OK);
	assert_int_equal(u[0], 0);
	assert_int_equal(u[15], 0xff);
	uuid_format(u, out);
	assert_string_equal(out, text);
	assert_int_equal(
	    uuid_parse("00112233-4455-6677-8899-AABBCCDDEEFF", v), VT_OK);
	assert_memory_equal(u, v, UUID_LEN);
	for (i = 0; i < VT_NELEM(bad); i++)
		assert_int_equal(uuid_parse(bad[i], v), VT_E_FORMAT);
	assert_memory_equal(u, v, UUID_LEN); /* untouched */
	assert_int_equal(uuid_make(u), VT_OK);
	assert_int_equal(uuid_make(v), VT_OK);
	assert_memory_not_equal(u, v, UUID_LEN);
	assert_int_equal(u[6] >> 4, 4);
	assert_int_equal(u[8] >> 6, 2);
}

static void
comparison_sees_every_byte(void **state)
{
	uint8_t a[33], b[33];
	size_t i;

	(void)state;
	memset(a, 5, sizeof(a));
	memset(b, 5, sizeof(b));
	assert_true(mem_equal(a, b, sizeof(a)));
	assert_true(mem_equal(a, b, 0));
	for (i = 0; i < sizeof(a); i++) {
		b[i] ^= 0x80;
		assert_false(mem_equal(a, b, sizeof(a)));
		b[i] ^= 0x80;
	}
}

static void
random_bytes_fill_all_and_differ(void **state)
{
	uint8_t a[4096], b[4096];
	size_t i, zero = 0;

	(void)state;
	memset(a, 0, sizeof(a));
	assert_int_equal(random_bytes(a, sizeof(a)), VT_OK);
	assert_int_equal(random_bytes(b, sizeof(b)), VT_OK);
	assert_memory_not_equal(a, b, sizeof(a));
	for (i = 0; i < sizeof(a); i++)
		zero += a[i] == 0;
	assert_true(zero < 100); /* 16 on average */
}

static void
clocks_go_forward(void **state)
{
	uint64_t t = now_us();

	(void)state;
	usleep(2000);
	assert_true(now_us() - t >= 2000);
	assert_true(wall_ms() > 1700000000000u);
}

static void
a_file_is_written_whole_or_not_at_all(void **state)
{
	char path[128], tmp[160];
	struct stat sb;
	uint8_t *p;
	size_t len;
	FILE *f;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s", path_of("file"));
	(void)snprintf(tmp, sizeof(tmp), "%s.new", path);
	assert_int_equal(write_file_atomic(path, "one", 3, 0600), VT_OK);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	/* Something left behind by a crash is no obstacle. */
	f = fopen(tmp, "w");
	assert_non_null(f);
	(void)fputs("junk", f);
	(void)fclose(f);
	assert_int_equal(write_file_atomic(path, "three", 5, 0600), VT_OK);
	assert_int_equal(access(tmp, F_OK), -1);
	assert_int_equal(read_file(path, 100, &p, &len), VT_OK);
	assert_int_equal(len, 5);
	assert_string_equal((char *)p, "three"); /* with a NUL behind */
	free(p);
	assert_int_equal(read_file(path, 5, &p, &len), VT_OK);
	free(p);
	assert_int_equal(read_file(path, 4, &p, &len), VT_E_RANGE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(read_file(path, 4, &p, &len), VT_E_SYS);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(
	    write_file_atomic("/nonexistent/x", "a", 1, 0600), VT_E_SYS);
	assert_int_equal(errno, ENOENT);
}

static void
long_input_is_read_to_its_end(void **state)
{
	size_t n = 200000, len, i;
	char path[128];
	uint8_t *big = malloc(n), *p;

	(void)state;
	assert_non_null(big);
	for (i = 0; i < n; i++)
		big[i] = (uint8_t)(i ^ i >> 8);
	(void)snprintf(path, sizeof(path), "%s", path_of("big"));
	assert_int_equal(write_file_atomic(path, big, n, 0600), VT_OK);
	assert_int_equal(read_file(path, n, &p, &len), VT_OK);
	assert_int_equal(len, n);
	assert_memory_equal(p, big, n);
	free(p);
	assert_int_equal(read_file(path, n - 1, &p, &len), VT_E_RANGE);
	assert_int_equal(unlink(path), 0);
	free(big);
}

static void
a_sealed_memfd_cannot_be_changed(void **state)
{
	int fd = memfd_sealed("test", "content", 7);
	char buf[16] = "";

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(read(fd, buf, sizeof(buf)), 7);
	assert_string_equal(buf, "content");
	assert_int_equal(pwrite(fd, "X", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 3), -1);
	assert_int_equal(ftruncate(fd, 30), -1);
	assert_ptr_equal(
	    mmap(NULL, 7, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
	    MAP_FAILED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, 0), -1);
	assert_int_equal(close(fd), 0);
}

static void
a_socket_is_reachable_and_replaces_a_dead_one(void **state)
{
	char path[128], longer[200];
	int l, c, s, i;
	struct stat sb;
	char b;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s", path_of("sock"));
	for (i = 0; i < 2; i++) { /* the second finds the first's node */
		l = unix_listen(path, 0600);
		assert_int_not_equal(l, -1);
		assert_int_equal(stat(path, &sb), 0);
		assert_int_equal(sb.st_mode & 07777, 0600);
		c = unix_connect(path);
		assert_int_not_equal(c, -1);
		s = accept(l, NULL, NULL);
		assert_int_not_equal(s, -1);
		assert_int_equal(write_all(c, "z", 1), VT_OK);
		assert_int_equal(read(s, &b, 1), 1);
		assert_int_equal(b, 'z');
		assert_int_equal(close(s) | close(c) | close(l), 0);
	}
	assert_int_equal(unix_connect(path), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(unlink(path), 0);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(unix_listen(longer, 0600), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(unix_connect(longer), -1);
}

static void
every_error_has_words(void **state)
{
	int e;

	(void)state;
	for (e = 0; e >= VT_E_CORRUPT; e--) {
		assert_non_null(vt_strerror(e));
		assert_true(strlen(vt_strerror(e)) > 0);
	}
	errno = EACCES;
	assert_string_equal(vt_strerror(VT_E_SYS), strerror(EACCES));
	assert_non_null(vt_strerror(-1000));
	assert_non_null(vt_strerror(1000));
}

static void
only_a_whole_decimal_number_is_one(void **state)
{
	static const struct {
		const char *text;
		int want;
		uint32_t val;
	} cases[] = {
		{ "0", VT_OK, 0 },
		{ "007", VT_OK, 7 },
		{ "4294967295", VT_OK, UINT32_MAX },
		{ "4294967296", VT_E_RANGE, 0 },
		{ "99999999999999999999999", VT_E_RANGE, 0 },
		{ "", VT_E_FORMAT, 0 },
		{ " 1", VT_E_FORMAT, 0 },
		{ "1 ", VT_E_FORMAT, 0 },
		{ "-1", VT_E_FORMAT, 0 },
		{ "+1", VT_E_FORMAT, 0 },
		{ "0x1", VT_E_FORMAT, 0 },
		{ "x", VT_E_FORMAT, 0 },
	};
	uint32_t v;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		v = 42;
		print_message("  \"%s\"\n", cases[i].text);
		assert_int_equal(dec_u32(cases[i].text, &v), cases[i].want);
		assert_int_equal(v, cases[i].want == VT_OK ? cases[i].val : 42);
	}
}

static void
decimal_of_64_bits_is_bounded(void **state)
{
	uint64_t v = 42;

	(void)state;
	assert_int_equal(dec_u64("18446744073709551616", &v), VT_E_RANGE);
	assert_int_equal(dec_u64("99999999999999999999", &v), VT_E_RANGE);
	assert_int_equal(dec_u64("1x", &v), VT_E_FORMAT);
	assert_true(v == 42);
	assert_int_equal(dec_u64("18446744073709551615", &v), VT_OK);
	assert_true(v == UINT64_MAX);
}

/* The lock goes to a child that is forked, and stays there for a while. */
static void
a_lock_is_waited_for_and_not_for_ever(void **state)
{
	char path[200];
	int a, b, c, status;
	uint64_t t0;
	pid_t pid;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/lock", dir);
	assert_int_not_equal(a = open(path, O_RDWR | O_CREAT, 0600), -1);
	assert_int_not_equal(b = open(path, O_RDWR), -1);
	assert_int_equal(lock_fd(a, 0), VT_OK);
	t0 = now_us();
	assert_int_equal(lock_fd(b, 50), VT_E_BUSY);
	assert_true(now_us() - t0 >= 50000);
	if ((pid = fork()) == 0) {
		usleep(200000);
		_exit(0);
	}
	assert_true(pid > 0);
	(void)close(a); /* this process dies, as it were */
	assert_int_equal(lock_fd(b, 0), VT_E_BUSY);
	assert_int_equal(lock_fd(b, 60000), VT_OK);
	assert_int_not_equal(c = open(path, O_RDWR), -1);
	assert_int_equal(lock_fd(c, 0), VT_E_BUSY);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(b);
	(void)close(c);
	(void)unlink(path);
	assert_int_equal(lock_fd(-1, 0), VT_E_SYS);
}

static void
a_text_that_is_too_long_ends_at_a_word(void **state)
{
	char out[16];

	(void)state;
	text_fit(out, sizeof(out), "fits in exactly");
	assert_string_equal(out, "fits in exactly");
	text_fit(out, sizeof(out), "does not fit in here");
	assert_string_equal(out, "does not fit...");
	text_fit(out, sizeof(out), "does not fitin here");
	assert_string_equal(out, "does not...");
	text_fit(out, sizeof(out), "oneverylongword0123");
	assert_string_equal(out, "oneverylongw...");
	assert_true(text_is_clean("a b~"));
	assert_false(text_is_clean("a\033[31m"));
	assert_false(text_is_clean("a\nb"));
	assert_false(text_is_clean("\xc2\x9b"));
}

static void
a_cleaned_text_steers_no_terminal(void **state)
{
	char text[] = "a\033[31m b~\n\x7f\xc2\x9b";

	(void)state;
	text_clean(text);
	assert_string_equal(text, "a?[31m b~????");
	assert_true(text_is_clean(text));
}

/* What was meant by word, out of a few commands; "": none of them. */
static void
a_mistyped_word_is_near_to_one(void **state)
{
	static const char *const known[] = { "start", "stop", "status",
		"create", "destroy", "show" };
	static const struct {
		const char *word, *want;
	} cases[] = {
		{ "start", "start" },
		{ "strat", "start" },
		{ "statr", "start" },
		{ "sart", "start" },
		{ "crate", "create" },
		{ "destory", "destroy" },
		{ "destr", "" },
		{ "shwo", "show" },
		{ "stpo", "stop" },
		{ "frobnicate", "" },
		{ "x", "" },
		{ "", "" },
	};
	char longer[NEAR_MAX + 40];
	struct near n;
	size_t i, k;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		near_start(&n, cases[i].word);
		for (k = 0; k < VT_NELEM(known); k++)
			near_try(&n, known[k]);
		print_message(
		    "  %s: %s\n", cases[i].word, n.best != NULL ? n.best : "-");
		assert_string_equal(
		    n.best != NULL ? n.best : "", cases[i].want);
	}
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	near_start(&n, longer);
	near_try(&n, "a");
	assert_null(n.best);
	near_start(&n, "aaaa");
	near_try(&n, longer);
	assert_null(n.best);
}

static void
the_limit_of_files_is_named(void **state)
{
	(void)state;
	errno = EMFILE;
	assert_non_null(strstr(vt_strerror(VT_E_SYS), "LimitNOFILE="));
	errno = ENOENT;
	assert_null(strstr(vt_strerror(VT_E_SYS), "LimitNOFILE="));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimal_of_64_bits_is_bounded),
		cmocka_unit_test(only_a_whole_decimal_number_is_one),
		cmocka_unit_test(hex_goes_there_and_back),
		cmocka_unit_test(what_is_not_hex_is_refused),
		cmocka_unit_test(uuids_are_printed_parsed_and_made),
		cmocka_unit_test(comparison_sees_every_byte),
		cmocka_unit_test(random_bytes_fill_all_and_differ),
		cmocka_unit_test(clocks_go_forward),
		cmocka_unit_test(a_file_is_written_whole_or_not_at_all),
		cmocka_unit_test(long_input_is_read_to_its_end),
		cmocka_unit_test(a_sealed_memfd_cannot_be_changed),
		cmocka_unit_test(a_socket_is_reachable_and_replaces_a_dead_one),
		cmocka_unit_test(a_lock_is_waited_for_and_not_for_ever),
		cmocka_unit_test(every_error_has_words),
		cmocka_unit_test(a_text_that_is_too_long_ends_at_a_word),
		cmocka_unit_test(a_cleaned_text_steers_no_terminal),
		cmocka_unit_test(a_mistyped_word_is_near_to_one),
		cmocka_unit_test(the_limit_of_files_is_named),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
