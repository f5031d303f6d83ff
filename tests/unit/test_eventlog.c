/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/replay.h"
#include "tests/unit/vector.h"

/* One bank (SHA-256), one event: made by hand from the specification. */
/* clang-format off */
static const uint8_t good[] = {
	/* TCG_PCR_EVENT: pcr, EV_NO_ACTION, 20 zero bytes, size */
	0, 0, 0, 0,  3, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	33, 0, 0, 0,
	'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ', 'E', 'v', 'e', 'n', 't',
	'0', '3', 0,
	0, 0, 0, 0,  0, 2, 0, 2,	/* class, version 2.0, errata, 64 bit */
	1, 0, 0, 0,  0x0b, 0, 32, 0,	/* one bank: SHA-256, 32 bytes */
	0,				/* vendor information */
	/* TCG_PCR_EVENT2: pcr 4, EV_SEPARATOR, one digest */
	4, 0, 0, 0,  4, 0, 0, 0,  1, 0, 0, 0,  0x0b, 0,
	0xdf, 0x3f, 0x61, 0x98, 0x04, 0xa9, 0x2f, 0xdb,
	0x40, 0x57, 0x19, 0x2d, 0xc4, 0x3d, 0xd7, 0x48,
	0xea, 0x77, 0x8a, 0xdc, 0x52, 0xbc, 0x49, 0x8c,
	0xe8, 0x05, 0x24, 0xc0, 0x14, 0xb8, 0x11, 0x19,
	4, 0, 0, 0,  0, 0, 0, 0,
};
#define HDR_LEN 65

/* The same event in a SHA-1 log. */
static const uint8_t good_sha1[] = {
	4, 0, 0, 0,  4, 0, 0, 0,
	0x90, 0x69, 0xca, 0x78, 0xe7, 0x45, 0x0a, 0x28, 0x51, 0x73,
	0x43, 0x1b, 0x3e, 0x52, 0xc5, 0xc2, 0x52, 0x99, 0xe4, 0x73,
	4, 0, 0, 0,  0, 0, 0, 0,
};
/* clang-format on */

/* Events until the end; the error of el_open() or el_next() otherwise. */
static int
walk(const uint8_t *buf, size_t len)
{
	struct el_log *log = NULL;
	struct el_event ev;
	int rc, n = 0;

	if ((rc = el_open(buf, len, &log)) != VT_OK) {
		assert_null(log);
		return rc;
	}
	while ((rc = el_next(log, &ev)) == 1)
		n++;
	if (rc < 0) {
		memset(&ev, 0x5a, sizeof(ev));
		assert_int_equal(el_next(log, &ev), rc); /* it stays */
		assert_int_equal(ev.pcr, 0x5a5a5a5a);    /* untouched */
	}
	el_close(log);
	return rc < 0 ? rc : n;
}

static int
walk_copy(const uint8_t *buf, size_t len)
{
	uint8_t *copy = exact_copy(buf, len);
	int rc = walk(copy, len);

	free(copy);
	return rc;
}

static void
fields_are_read_as_specified(void **state)
{
	const struct el_spec *spec;
	struct el_log *log;
	struct el_event ev;

	(void)state;
	assert_int_equal(el_open(good, sizeof(good), &log), VT_OK);
	spec = el_spec(log);
	assert_true(spec->agile);
	assert_int_equal(spec->nbanks, 1);
	assert_int_equal(spec->algs[0], ALG_SHA256);
	assert_int_equal(spec->major, 2);
	assert_int_equal(el_next(log, &ev), 1);
	assert_int_equal(ev.index, 0);
	assert_int_equal(ev.pcr, 4);
	assert_int_equal(ev.type, EV_SEPARATOR);
	assert_int_equal(ev.datalen, 4);
	assert_memory_equal(ev.data, "\0\0\0\0", 4);
	assert_non_null(el_event_digest(&ev, ALG_SHA256));
	assert_null(el_event_digest(&ev, ALG_SHA1));
	assert_int_equal(el_next(log, &ev), 0);
	el_close(log);
	el_close(NULL);
}

static void
every_proper_prefix_is_truncated(void **state)
{
	size_t len;
	int want;

	(void)state;
	for (len = 0; len < sizeof(good); len++) {
		want = len == HDR_LEN ? 0 : VT_E_TRUNC;
		assert_int_equal(walk_copy(good, len), want);
	}
	for (len = 0; len < sizeof(good_sha1); len++)
		assert_int_equal(walk_copy(good_sha1, len), VT_E_TRUNC);
	assert_int_equal(walk_copy(good, sizeof(good)), 1);
	assert_int_equal(walk_copy(good_sha1, sizeof(good_sha1)), 1);
}

static void
bad_field_is_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*what;
		size_t		 off;
		uint8_t		 val;
		int		 want;
	} cases[] = {
		{ "header digest",	 8,		 1,	VT_E_FORMAT },
		{ "no banks",		 56,		 0,	VT_E_FORMAT },
		{ "too many banks",	 56,		 9,	VT_E_RANGE },
		{ "digest length 0",	 62,		 0,	VT_E_FORMAT },
		{ "digest length 65",	 62,		 65,	VT_E_FORMAT },
		{ "wrong length",	 62,		 20,	VT_E_FORMAT },
		{ "vendor past end",	 64,		 1,	VT_E_FORMAT },
		{ "event pcr",		 HDR_LEN,	 24,	VT_E_FORMAT },
		{ "no digests",		 HDR_LEN + 8,	 0,	VT_E_FORMAT },
		{ "digest count",	 HDR_LEN + 8,	 2,	VT_E_FORMAT },
		{ "unknown bank",	 HDR_LEN + 12,	 4,	VT_E_FORMAT },
		{ "data past end",	 HDR_LEN + 46,	 5,	VT_E_TRUNC },
		{ "data length",	 HDR_LEN + 49,	 2,	VT_E_RANGE },
		{ "data huge",		 HDR_LEN + 49,	 255,	VT_E_RANGE },
	};
	/* clang-format on */
	uint8_t buf[sizeof(good)];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		memcpy(buf, good, sizeof(buf));
		buf[cases[i].off] = cases[i].val;
		print_message("  %s\n", cases[i].what);
		assert_int_equal(walk_copy(buf, sizeof(buf)), cases[i].want);
	}
}

static void
a_bank_named_twice_is_refused(void **state)
{
	static const uint16_t both[] = { ALG_SHA256, ALG_SHA384 };
	struct el_writer *w;
	const uint8_t *p;
	uint8_t *copy;
	size_t len;

	(void)state;
	assert_int_equal(el_writer_new(both, 2, false, &w), VT_OK);
	el_add_data(w, 0, EV_SEPARATOR, "\0\0\0\0", 4);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_OK);
	copy = exact_copy(p, len);
	assert_int_equal(walk(copy, len), 1);
	/* Second digest claims to be SHA-256 again. */
	copy[69 + 12 + 2 + 32] = ALG_SHA256;
	assert_int_equal(walk(copy, len), VT_E_FORMAT);
	free(copy);
	/* Header names one bank twice: lengths must fit, so say so. */
	copy = exact_copy(p, len);
	copy[64] = ALG_SHA256;
	copy[66] = 32;
	assert_int_equal(walk(copy, len), VT_E_FORMAT);
	free(copy);
	el_writer_free(w);
}

static void
trailing_padding_ends_the_log(void **state)
{
	uint8_t buf[sizeof(good) + 100];
	static const uint8_t pads[] = { 0x00, 0xff };
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(pads); i++)
		for (n = 1; n <= 100; n++) {
			memcpy(buf, good, sizeof(good));
			memset(buf + sizeof(good), pads[i], n);
			assert_int_equal(walk_copy(buf, sizeof(good) + n), 1);
		}
	/* One other byte in it, and it is no padding. */
	memset(buf + sizeof(good), 0, 100);
	buf[sizeof(good) + 99] = 1;
	assert_true(walk_copy(buf, sizeof(buf)) < 0);
}

static void
windows_virtual_pcr_is_for_no_action_only(void **state)
{
	uint8_t buf[sizeof(good)];

	(void)state;
	memcpy(buf, good, sizeof(buf));
	memset(buf + HDR_LEN, 0xff, 4);
	assert_int_equal(walk_copy(buf, sizeof(buf)), VT_E_FORMAT);
	buf[HDR_LEN + 4] = EV_NO_ACTION;
	assert_int_equal(walk_copy(buf, sizeof(buf)), 1);
}

static void
vendor_information_is_stepped_over(void **state)
{
	uint8_t buf[sizeof(good) + 7];

	(void)state;
	memcpy(buf, good, HDR_LEN);
	buf[28] = 40;
	buf[64] = 7;
	memset(buf + HDR_LEN, 'v', 7);
	memcpy(buf + HDR_LEN + 7, good + HDR_LEN, sizeof(good) - HDR_LEN);
	assert_int_equal(walk_copy(buf, sizeof(buf)), 1);
}

static void
startup_locality_is_found_and_checked(void **state)
{
	static const uint8_t good_sl[] = "StartupLocality\0\003";
	static const uint8_t bad_sl[] = "StartupLocality\0\005";
	struct el_event ev = {
		.type = EV_NO_ACTION, .data = good_sl, .datalen = 17
	};
	uint8_t loc = 9;

	(void)state;
	assert_int_equal(el_startup_locality(&ev, &loc), 1);
	assert_int_equal(loc, 3);
	ev.pcr = 1;
	assert_int_equal(el_startup_locality(&ev, &loc), VT_E_FORMAT);
	ev.pcr = 0;
	ev.datalen = 18;
	assert_int_equal(el_startup_locality(&ev, &loc), VT_E_FORMAT);
	ev.datalen = 17;
	ev.data = bad_sl;
	assert_int_equal(el_startup_locality(&ev, &loc), VT_E_FORMAT);
	ev.type = EV_ACTION;
	assert_int_equal(el_startup_locality(&ev, &loc), 0);
	assert_int_equal(loc, 3);
}

static void
firmware_log_reads_to_its_end(void **state)
{
	struct bytes b = vector_log();
	size_t len;
	int n;

	(void)state;
	assert_int_equal(walk(b.p, b.len), 36);
	/* Any cut either ends on an event's edge or is an error. */
	for (len = 0; len < b.len; len += 7) {
		n = walk_copy(b.p, len);
		assert_true(n == VT_E_TRUNC || (n >= 0 && n < 36));
	}
	free(b.p);
}

static void
too_many_events_are_refused(void **state)
{
	size_t len = (EL_MAX_EVENTS + 1) * 32, i;
	uint8_t *buf = calloc(1, len);

	(void)state;
	assert_non_null(buf);
	for (i = 0; i < len; i += 32)
		buf[i + 4] = EV_IPL;
	assert_int_equal(walk(buf, len - 32), EL_MAX_EVENTS);
	assert_int_equal(walk(buf, len), VT_E_RANGE);
	free(buf);
	buf = calloc(1, EL_MAX_LOG + 1);
	assert_non_null(buf);
	assert_int_equal(walk(buf, EL_MAX_LOG + 1), VT_E_RANGE);
	free(buf);
}

static void
what_is_written_reads_back(void **state)
{
	static const uint16_t algs[] = { ALG_SHA1, ALG_SHA256, ALG_SHA384,
		ALG_SHA512 };
	struct tpm_digest d[2] = { { .alg = ALG_SHA256, .len = 32 },
		{ .alg = ALG_SHA1, .len = 20 } };
	uint8_t want[DIGEST_MAX];
	struct el_writer *w;
	struct el_event ev;
	const uint8_t *p;
	struct el_log *log;
	size_t len;
	uint32_t i;

	(void)state;
	assert_int_equal(el_writer_new(algs, 4, false, &w), VT_OK);
	add_no_action(w, 0, "StartupLocality\0\0", 17);
	el_add(w, 8, EV_IPL, "quiet", 5, "kernel_cmdline: quiet", 22);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_OK);
	assert_int_equal(el_open(p, len, &log), VT_OK);
	assert_int_equal(el_next(log, &ev), 1);
	assert_false(el_extends(&ev));
	assert_int_equal(el_next(log, &ev), 1);
	assert_true(el_extends(&ev));
	assert_int_equal(ev.datalen, 22);
	for (i = 0; i < 4; i++) {
		assert_int_equal(ev.digests[i].alg, algs[i]);
		assert_int_equal(digest_buf(algs[i], "quiet", 5, want), VT_OK);
		assert_memory_equal(ev.digests[i].val, want, ev.digests[i].len);
	}
	assert_int_equal(el_next(log, &ev), 0);
	el_close(log);

	/* A bank without a digest fails, and stays failed. */
	el_add_digests(w, 9, EV_IPL, d, 2, "x", 1);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_E_NOTFOUND);
	el_add_data(w, 9, EV_IPL, "x", 1);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_E_NOTFOUND);
	el_writer_free(w);
	el_writer_free(NULL);
}

static void
written_bytes_are_those_of_the_specification(void **state)
{
	static const uint16_t alg = ALG_SHA256, sha1 = ALG_SHA1;
	struct el_writer *w;
	const uint8_t *p;
	size_t len;

	(void)state;
	assert_int_equal(el_writer_new(&alg, 1, false, &w), VT_OK);
	el_add_data(w, 4, EV_SEPARATOR, "\0\0\0\0", 4);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_OK);
	assert_int_equal(len, sizeof(good));
	assert_memory_equal(p, good, len);
	el_writer_free(w);
	assert_int_equal(el_writer_new(&sha1, 1, true, &w), VT_OK);
	el_add_data(w, 4, EV_SEPARATOR, "\0\0\0\0", 4);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_OK);
	assert_int_equal(len, sizeof(good_sha1));
	assert_memory_equal(p, good_sha1, len);
	el_writer_free(w);
}

static void
writer_refuses_what_no_log_can_hold(void **state)
{
	static const uint16_t twice[] = { ALG_SHA256, ALG_SHA256 };
	static const uint16_t unknown = 0x9999, sha256 = ALG_SHA256;
	struct el_writer *w = NULL;
	const uint8_t *p;
	size_t len;
	uint32_t i;

	(void)state;
	assert_int_equal(el_writer_new(twice, 2, false, &w), VT_E_UNSUPPORTED);
	assert_int_equal(
	    el_writer_new(&unknown, 1, false, &w), VT_E_UNSUPPORTED);
	assert_int_equal(el_writer_new(&sha256, 1, true, &w), VT_E_UNSUPPORTED);
	assert_int_equal(el_writer_new(twice, 0, false, &w), VT_E_RANGE);
	assert_null(w);
	assert_int_equal(el_writer_new(&sha256, 1, false, &w), VT_OK);
	el_add_data(w, 24, EV_IPL, "x", 1);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_E_RANGE);
	el_writer_free(w);
	assert_int_equal(el_writer_new(&sha256, 1, false, &w), VT_OK);
	for (i = 0; i <= EL_MAX_EVENTS; i++)
		el_add_data(w, 8, EV_IPL, "x", 1);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_E_RANGE);
	el_writer_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read_as_specified),
		cmocka_unit_test(every_proper_prefix_is_truncated),
		cmocka_unit_test(bad_field_is_refused),
		cmocka_unit_test(a_bank_named_twice_is_refused),
		cmocka_unit_test(trailing_padding_ends_the_log),
		cmocka_unit_test(windows_virtual_pcr_is_for_no_action_only),
		cmocka_unit_test(vendor_information_is_stepped_over),
		cmocka_unit_test(startup_locality_is_found_and_checked),
		cmocka_unit_test(firmware_log_reads_to_its_end),
		cmocka_unit_test(too_many_events_are_refused),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(written_bytes_are_those_of_the_specification),
		cmocka_unit_test(writer_refuses_what_no_log_can_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
