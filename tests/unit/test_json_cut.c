/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_json_cut.c - a file whose long texts were cut out says what it said, and
 * base64 has one spelling.  Vectors: RFC 4648, 10; OpenSSL for the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "base/util.h"
#include "base/base64.h"
#include "measure/evidence/json_cut.h"

/* --- jcut ----------------------------------------------------------------- */

/* {"a":"...","b":"..."}: two texts of so many bytes. */
static char *
two_texts(size_t a, size_t b, size_t *ret_len)
{
	char *s = malloc(a + b + 32), *p = s;

	assert_non_null(s);
	p += sprintf(p, "{\"a\":\"");
	memset(p, 'A', a);
	p += a;
	p += sprintf(p, "\", \"b\" : \"");
	memset(p, 'B', b);
	p += b;
	p += sprintf(p, "\"}");
	*ret_len = (size_t)(p - s);
	return s;
}

static void
expect_text(const struct json_cut *j, const char *key, char what, size_t len)
{
	const char *p = NULL;
	size_t n = 0, i;

	assert_true(json_cut_text(j, json_object_get(j->root, key), &p, &n));
	assert_int_equal(n, len);
	for (i = 0; i < n; i++)
		assert_int_equal(p[i], what);
}

static void
long_texts_are_cut_and_found_again(void **state)
{
	static const size_t lens[] = { 0, 1, JSON_CUT_MIN - 1, JSON_CUT_MIN,
		JSON_CUT_MIN + 1, 100000 };
	struct json_cut j;
	json_error_t je;
	size_t a, b, len;
	char *s;

	(void)state;
	for (a = 0; a < VT_NELEM(lens); a++)
		for (b = 0; b < VT_NELEM(lens); b++) {
			s = two_texts(lens[a], lens[b], &len);
			s = realloc(s, len); /* exact, for ASan */
			assert_non_null(s);
			assert_int_equal(json_cut_load(s, len, &j, &je), VT_OK);
			assert_int_equal(j.n, (lens[a] >= JSON_CUT_MIN) +
						  (lens[b] >= JSON_CUT_MIN));
			expect_text(&j, "a", 'A', lens[a]);
			expect_text(&j, "b", 'B', lens[b]);
			json_cut_done(&j);
			free(s);
		}
}

static void
every_prefix_is_no_json(void **state)
{
	struct json_cut j;
	json_error_t je;
	size_t len, n;
	char *s, *copy;

	(void)state;
	s = two_texts(JSON_CUT_MIN, JSON_CUT_MIN + 5, &len);
	for (n = 0; n < len; n++) {
		copy = malloc(n > 0 ? n : 1);
		assert_non_null(copy);
		memcpy(copy, s, n);
		assert_int_equal(json_cut_load(copy, n, &j, &je), VT_E_FORMAT);
		assert_true(strlen(je.text) > 0);
		free(copy);
	}
	free(s);
}

/* What is cut must not be mistaken for what the file itself says. */
static void
a_text_like_ours_leaves_the_file_whole(void **state)
{
	static const char *const like[] = { "#00", "#01", "#", "#99",
		"\\u002300", "x\\n" };
	char buf[2 * JSON_CUT_MIN + 64], want[8];
	const char *p;
	struct json_cut j;
	json_error_t je;
	json_t *whole;
	size_t i, n;

	(void)state;
	for (i = 0; i < VT_NELEM(like); i++) {
		n = (size_t)sprintf(buf, "{\"a\":\"%s\",\"b\":\"", like[i]);
		memset(buf + n, 'B', JSON_CUT_MIN);
		n += JSON_CUT_MIN;
		n += (size_t)sprintf(buf + n, "\"}");
		assert_int_equal(json_cut_load(buf, n, &j, &je), VT_OK);
		assert_int_equal(j.n, 0);
		assert_non_null(whole = json_loadb(buf, n, 0, NULL));
		assert_true(json_equal(j.root, whole));
		assert_true(
		    json_cut_text(&j, json_object_get(j.root, "a"), &p, &n));
		(void)snprintf(want, sizeof(want), "%s",
		    json_string_value(json_object_get(whole, "a")));
		assert_string_equal(p, want);
		expect_text(&j, "b", 'B', JSON_CUT_MIN);
		json_decref(whole);
		json_cut_done(&j);
	}
}

static void
too_many_long_texts_leave_it_whole(void **state)
{
	size_t n, i, k;
	char *s = malloc((JSON_CUT_N + 2) * (JSON_CUT_MIN + 8)), *p;
	struct json_cut j;
	json_error_t je;

	(void)state;
	assert_non_null(s);
	for (n = JSON_CUT_N; n <= JSON_CUT_N + 1; n++) {
		p = s;
		*p++ = '[';
		for (i = 0; i < n; i++) {
			p += sprintf(p, "%s\"", i > 0 ? "," : "");
			memset(p, 'a' + (int)i % 26, JSON_CUT_MIN);
			p += JSON_CUT_MIN;
			*p++ = '"';
		}
		*p++ = ']';
		assert_int_equal(
		    json_cut_load(s, (size_t)(p - s), &j, &je), VT_OK);
		assert_int_equal(j.n, n > JSON_CUT_N ? 0 : n);
		for (i = 0; i < n; i++) {
			const char *text = NULL;

			assert_true(json_cut_text(
			    &j, json_array_get(j.root, i), &text, &k));
			assert_int_equal(k, JSON_CUT_MIN);
			assert_int_equal(text[0], 'a' + (int)i % 26);
		}
		json_cut_done(&j);
	}
	free(s);
}

static void
doubled_keys_and_lines_are_still_seen(void **state)
{
	char buf[3 * JSON_CUT_MIN];
	struct json_cut j;
	json_error_t je;
	size_t n;

	(void)state;
	n = (size_t)sprintf(buf, "{\n\"a\":\"");
	memset(buf + n, 'B', JSON_CUT_MIN);
	n += JSON_CUT_MIN;
	n += (size_t)sprintf(buf + n, "\",\n\"a\":1}");
	assert_int_equal(json_cut_load(buf, n, &j, &je), VT_E_FORMAT);
	assert_int_equal(je.line, 3);
}

/* --- base64 --------------------------------------------------------------- */

static void
base64_is_that_of_the_rfc(void **state)
{
	static const struct {
		const char *raw, *text;
	} cases[] = {
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};
	uint8_t *raw;
	size_t i, n;
	char *text;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		assert_int_equal(
		    b64_get(cases[i].text, strlen(cases[i].text), &raw, &n),
		    VT_OK);
		assert_int_equal(n, strlen(cases[i].raw));
		assert_memory_equal(raw, cases[i].raw, n);
		assert_non_null(text = b64_make(raw, n));
		assert_string_equal(text, cases[i].text);
		free(text);
		free(raw);
	}
}

/* As OpenSSL decodes it, if it encodes the outcome the same again. */
static bool
openssl_takes(const char *text, size_t len, uint8_t raw[16], size_t *ret)
{
	uint8_t again[32];
	int n;

	if (len == 0 || len % 4 != 0)
		return false;
	n = EVP_DecodeBlock(raw, (const uint8_t *)text, (int)len);
	if (n < 0)
		return false;
	n -= (text[len - 1] == '=') + (text[len - 2] == '=');
	*ret = (size_t)n;
	return EVP_EncodeBlock(again, raw, n) == (int)len &&
	       memcmp(again, text, len) == 0;
}

static void
expect_as_openssl(const char *text, size_t len)
{
	uint8_t want[16], *got = NULL;
	size_t n = 0, k = 0;
	bool good = openssl_takes(text, len, want, &n);
	char *exact = malloc(len > 0 ? len : 1);

	assert_non_null(exact);
	memcpy(exact, text, len);
	assert_int_equal(
	    b64_get(exact, len, &got, &k), good ? VT_OK : VT_E_FORMAT);
	free(exact);
	if (good) {
		assert_int_equal(k, n);
		assert_memory_equal(got, want, n);
		free(got);
	}
}

/* Every byte in every place of the first and the last four, and of ends with
 * padding: all but what OpenSSL has at both ends is refused. */
static void
every_byte_in_every_place(void **state)
{
	static const char *const good[] = { "QUJDREVG",
		"QUJDREU=", "QUJDRA==", "Zg==", "Zm8=", "Zm9v", "+/+/+/+/" };
	char text[16];
	size_t i, len, at;
	int c;

	(void)state;
	for (i = 0; i < VT_NELEM(good); i++) {
		len = strlen(good[i]);
		for (at = 0; at < len; at++)
			for (c = 0; c < 256; c++) {
				memcpy(text, good[i], len);
				text[at] = (char)c;
				expect_as_openssl(text, len);
			}
		for (at = 0; at <= len; at++)
			expect_as_openssl(good[i], at);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_texts_are_cut_and_found_again),
		cmocka_unit_test(every_prefix_is_no_json),
		cmocka_unit_test(a_text_like_ours_leaves_the_file_whole),
		cmocka_unit_test(too_many_long_texts_leave_it_whole),
		cmocka_unit_test(doubled_keys_and_lines_are_still_seen),
		cmocka_unit_test(base64_is_that_of_the_rfc),
		cmocka_unit_test(every_byte_in_every_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
