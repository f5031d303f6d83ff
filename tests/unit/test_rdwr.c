/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rdwr.h"
#include "base/utf8.h"
#include "base/util.h"

static void
numbers_are_read_in_both_orders(void **state)
{
	static const uint8_t buf[] = { 1, 1, 2, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7,
		8, 1, 2, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct rd r;

	(void)state;
	rd_init(&r, buf, sizeof(buf));
	assert_int_equal(rd_u8(&r), 1);
	assert_int_equal(rd_be16(&r), 0x0102);
	assert_int_equal(rd_be32(&r), 0x01020304);
	assert_true(rd_be64(&r) == 0x0102030405060708u);
	assert_int_equal(rd_le16(&r), 0x0201);
	assert_int_equal(rd_le32(&r), 0x04030201);
	assert_true(rd_le64(&r) == 0x0807060504030201u);
	assert_int_equal(rd_end(&r), VT_OK);
}

/* Each read at each length: short reads fail, stay failed, and give zero. */
static void
a_short_read_fails_and_stays_failed(void **state)
{
	static const size_t need[] = { 1, 2, 4, 8, 2, 4, 8, 5 };
	uint8_t dst[5], *buf;
	uint64_t got = 0;
	size_t i, len;
	struct rd r;

	(void)state;
	for (i = 0; i < 8; i++)
		for (len = 0; len <= need[i]; len++) {
			buf = malloc(len > 0 ? len : 1);
			assert_non_null(buf);
			memset(buf, 0xaa, len);
			memset(dst, 0x55, sizeof(dst));
			rd_init(&r, buf, len);
			switch (i) {
			case 0:
				got = rd_u8(&r);
				break;
			case 1:
				got = rd_be16(&r);
				break;
			case 2:
				got = rd_be32(&r);
				break;
			case 3:
				got = rd_be64(&r);
				break;
			case 4:
				got = rd_le16(&r);
				break;
			case 5:
				got = rd_le32(&r);
				break;
			case 6:
				got = rd_le64(&r);
				break;
			default:
				rd_bytes(&r, dst, 5);
				got = dst[4];
				break;
			}
			if (len == need[i]) {
				assert_int_equal(rd_end(&r), VT_OK);
				assert_int_equal(got & 0xff, 0xaa);
			} else {
				assert_int_equal(rd_err(&r), VT_E_TRUNC);
				assert_true(got == 0);
				rd_fail(&r, VT_E_RANGE); /* the first stays */
				assert_int_equal(rd_u8(&r), 0);
				assert_int_equal(rd_err(&r), VT_E_TRUNC);
			}
			free(buf);
		}
}

static void
bytes_left_over_are_an_error(void **state)
{
	struct rd r;

	(void)state;
	rd_init(&r, "ab", 2);
	(void)rd_u8(&r);
	assert_int_equal(rd_err(&r), VT_OK);
	assert_int_equal(rd_end(&r), VT_E_FORMAT);
}

static void
blobs_keep_to_their_maximum(void **state)
{
	static const uint8_t b16[] = { 0, 3, 'a', 'b', 'c' };
	static const uint8_t b32[] = { 0, 0, 0, 3, 'a', 'b', 'c' };
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 'a' };
	const uint8_t *p;
	struct rd r;
	size_t len;

	(void)state;
	rd_init(&r, b16, sizeof(b16));
	p = rd_blob16(&r, 3, &len);
	assert_int_equal(len, 3);
	assert_ptr_equal(p, b16 + 2);
	assert_int_equal(rd_end(&r), VT_OK);
	rd_init(&r, b16, sizeof(b16));
	assert_null(rd_blob16(&r, 2, &len));
	assert_int_equal(len, 0);
	assert_int_equal(rd_err(&r), VT_E_RANGE);
	rd_init(&r, b16, sizeof(b16) - 1);
	assert_null(rd_blob16(&r, 3, &len));
	assert_int_equal(rd_err(&r), VT_E_TRUNC);
	rd_init(&r, b32, sizeof(b32));
	assert_ptr_equal(rd_blob32(&r, 3, &len), b32 + 4);
	rd_init(&r, huge, sizeof(huge));
	assert_null(rd_blob32(&r, SIZE_MAX, &len));
	assert_int_equal(rd_err(&r), VT_E_TRUNC);
}

static void
text_is_whole_or_empty(void **state)
{
	static const uint8_t good[] = { 0, 3, 'a', 'b', 'c' };
	static const uint8_t nul[] = { 0, 3, 'a', 0, 'c' };
	char dst[4] = "zzz";
	struct rd r;

	(void)state;
	rd_init(&r, good, sizeof(good));
	rd_str(&r, dst, sizeof(dst));
	assert_string_equal(dst, "abc");
	assert_int_equal(rd_end(&r), VT_OK);
	rd_init(&r, good, sizeof(good));
	rd_str(&r, dst, 3); /* no room for the NUL */
	assert_string_equal(dst, "");
	assert_int_equal(rd_err(&r), VT_E_RANGE);
	rd_init(&r, nul, sizeof(nul));
	rd_str(&r, dst, sizeof(dst));
	assert_string_equal(dst, "");
	assert_int_equal(rd_err(&r), VT_E_FORMAT);
}

/* RFC 3629: what is a character, and what looks like one. */
static void
text_is_utf8(void **state)
{
	static const struct {
		const char *bytes;
		bool good;
	} cases[] = {
		{ "", true },
		{ "\x7f", true },
		{ "\xc2\x80\xdf\xbf", true },
		{ "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80", true },
		{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true },
		{ "\x80", false },
		{ "\xc1\xbf", false },
		{ "\xc2", false },
		{ "\xc2(", false },
		{ "\xe0\x9f\xbf", false },
		{ "\xed\xa0\x80", false },
		{ "\xe2\x82", false },
		{ "\xe2\x82(", false },
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false },
		{ "\xff", false },
	};
	uint8_t buf[16];
	char dst[16];
	struct rd r;
	size_t i, len;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		len = strlen(cases[i].bytes);
		be16_put(buf, (uint16_t)len);
		memcpy(buf + 2, cases[i].bytes, len);
		rd_init(&r, buf, len + 2);
		rd_str(&r, dst, sizeof(dst));
		assert_int_equal(
		    rd_end(&r), cases[i].good ? VT_OK : VT_E_FORMAT);
	}
	assert_int_equal(utf8_cut("a\xc3\xa9z", 2), 1);
	assert_int_equal(utf8_cut("a\xc3\xa9z", 3), 3);
	assert_int_equal(utf8_cut("a\xc3\xa9z", 9), 4);
}

static void
heap_text_is_whole_or_absent(void **state)
{
	static const uint8_t good[] = { 0, 3, 'a', 'b', 'c' };
	static const uint8_t nul[] = { 0, 3, 'a', 0, 'c' };
	struct rd r;
	char *s;

	(void)state;
	rd_init(&r, good, sizeof(good));
	s = rd_text(&r, 3);
	assert_string_equal(s, "abc");
	free(s);
	assert_int_equal(rd_end(&r), VT_OK);
	rd_init(&r, "\0\0", 2);
	s = rd_text(&r, 3);
	assert_string_equal(s, "");
	free(s);
	rd_init(&r, good, sizeof(good));
	assert_null(rd_text(&r, 2));
	assert_int_equal(rd_err(&r), VT_E_RANGE);
	rd_init(&r, good, sizeof(good) - 1);
	assert_null(rd_text(&r, 3));
	assert_int_equal(rd_err(&r), VT_E_TRUNC);
	rd_init(&r, nul, sizeof(nul));
	assert_null(rd_text(&r, 3));
	assert_int_equal(rd_err(&r), VT_E_FORMAT);
}

static void
what_is_written_reads_back(void **state)
{
	uint8_t buf[64];
	char text[8];
	struct wr w;
	struct rd r;
	size_t len;

	(void)state;
	wr_init(&w, buf, sizeof(buf));
	wr_u8(&w, 1);
	wr_be16(&w, 0x0203);
	wr_be32(&w, 0x04050607);
	wr_be64(&w, 0x08090a0b0c0d0e0fu);
	wr_le16(&w, 0x0203);
	wr_le32(&w, 0x04050607);
	wr_le64(&w, 0x08090a0b0c0d0e0fu);
	wr_blob16(&w, "xy", 2);
	wr_blob32(&w, "z", 1);
	wr_str(&w, "hello");
	wr_set_be16(&w, 1, 0xbeef);
	wr_set_be32(&w, 3, 0xdeadbeef);
	assert_int_equal(wr_err(&w), VT_OK);
	rd_init(&r, buf, w.len);
	assert_int_equal(rd_u8(&r), 1);
	assert_int_equal(rd_be16(&r), 0xbeef);
	assert_true(rd_be32(&r) == 0xdeadbeef);
	assert_true(rd_be64(&r) == 0x08090a0b0c0d0e0fu);
	assert_int_equal(rd_le16(&r), 0x0203);
	assert_int_equal(rd_le32(&r), 0x04050607);
	assert_true(rd_le64(&r) == 0x08090a0b0c0d0e0fu);
	assert_memory_equal(rd_blob16(&r, 2, &len), "xy", 2);
	assert_memory_equal(rd_blob32(&r, 1, &len), "z", 1);
	rd_str(&r, text, sizeof(text));
	assert_string_equal(text, "hello");
	assert_int_equal(rd_end(&r), VT_OK);
}

static void
a_fixed_writer_never_passes_its_end(void **state)
{
	uint8_t *buf = malloc(5);
	struct wr w;

	(void)state;
	assert_non_null(buf);
	wr_init(&w, buf, 5);
	wr_be32(&w, 1);
	wr_be16(&w, 2);
	assert_int_equal(wr_err(&w), VT_E_RANGE);
	wr_u8(&w, 3); /* would fit, but an error stays */
	assert_int_equal(w.len, 4);
	wr_set_be16(&w, 0, 9);
	assert_int_equal(buf[1], 0);
	wr_init(&w, buf, 5);
	wr_be32(&w, 1);
	wr_set_be32(&w, 1, 2);
	assert_int_equal(wr_err(&w), VT_E_RANGE);
	free(buf);
}

static void
a_growing_writer_stops_at_its_maximum(void **state)
{
	struct wr w;
	int i;

	(void)state;
	wr_grow(&w, 1000);
	for (i = 0; i < 1000; i++)
		wr_u8(&w, (uint8_t)i);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(w.len, 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(w.buf[i], (uint8_t)i);
	wr_u8(&w, 0);
	assert_int_equal(wr_err(&w), VT_E_RANGE);
	assert_int_equal(w.len, 1000);
	wr_free(&w);
	assert_null(w.buf);
	assert_int_equal(wr_err(&w), VT_OK);
	wr_u8(&w, 7); /* and it can be used again */
	assert_int_equal(w.buf[0], 7);
	wr_free(&w);
	wr_grow(&w, 10);
	wr_blob16(&w, "", 0x10000);
	assert_int_equal(wr_err(&w), VT_E_RANGE);
	wr_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_in_both_orders),
		cmocka_unit_test(a_short_read_fails_and_stays_failed),
		cmocka_unit_test(bytes_left_over_are_an_error),
		cmocka_unit_test(blobs_keep_to_their_maximum),
		cmocka_unit_test(text_is_whole_or_empty),
		cmocka_unit_test(text_is_utf8),
		cmocka_unit_test(heap_text_is_whole_or_absent),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(a_fixed_writer_never_passes_its_end),
		cmocka_unit_test(a_growing_writer_stops_at_its_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
