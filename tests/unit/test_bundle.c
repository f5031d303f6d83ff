/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_bundle.c - the bundle: one JSON form, and every part of it bound
 * to the quote.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/sample.h"

#define HEX32                                                  \
	"00112233445566778899aabbccddeeff00112233445566778899" \
	"aabbccddeeff"

static char *
vector_json(void)
{
	uint8_t *buf;
	size_t len;

	assert_int_equal(read_file("tests/vectors/evidence/ecc.json",
			     BUNDLE_MAX_LEN, &buf, &len),
	    VT_OK);
	return (char *)buf;
}

static int
parse(const char *text)
{
	char err[BUNDLE_ERR_MAX] = "";
	struct bundle *ev = NULL;
	int rc = bundle_parse(text, strlen(text), &ev, err);

	if (rc == VT_OK) {
		bundle_free(ev);
	} else {
		assert_null(ev);
		assert_true(strlen(err) > 0);
	}
	return rc;
}

static void
bundle_goes_round(void **state)
{
	struct bundle *ev = NULL;
	char err[BUNDLE_ERR_MAX], *text;
	struct sample b;
	int i;

	(void)state;
	sample_init(&b);
	assert_int_equal(bundle_set(b.ev, BUNDLE_DEEP, "deep", 4), VT_OK);
	assert_int_equal(bundle_format(b.ev, &text), VT_OK);
	assert_int_equal(bundle_parse(text, strlen(text), &ev, err), VT_OK);
	for (i = 0; i < BUNDLE_NPARTS; i++) {
		assert_non_null(ev->part[i].p);
		assert_int_equal(ev->part[i].len, b.ev->part[i].len);
		assert_memory_equal(
		    ev->part[i].p, b.ev->part[i].p, ev->part[i].len);
	}
	assert_int_equal(ev->pcrs.nbanks, 1);
	assert_int_equal(ev->pcrs.banks[0].valid, 0x203ff);
	assert_memory_equal(
	    ev->pcrs.banks[0].val[9], b.ev->pcrs.banks[0].val[9], SHA256_LEN);
	bundle_free(ev);
	free(text);
	sample_done(&b);
}

static void
every_prefix_is_refused(void **state)
{
	char *text = vector_json(), keep;
	size_t len, n = strlen(text);

	(void)state;
	while (n > 0 && text[n - 1] != '}')
		n--;
	for (len = 0; len < n; len += len < n - 100 ? 97 : 1) {
		keep = text[len];
		text[len] = '\0';
		assert_int_equal(parse(text), VT_E_FORMAT);
		text[len] = keep;
	}
	free(text);
}

/* Change one thing in a good bundle and parse that. */
static int
parse_with(const char *key, json_t *val)
{
	char *good = vector_json(), *text;
	json_t *root = json_loads(good, 0, NULL);
	int rc;

	assert_non_null(root);
	if (val == NULL)
		assert_int_equal(json_object_del(root, key), 0);
	else
		assert_int_equal(json_object_set_new(root, key, val), 0);
	assert_non_null(text = json_dumps(root, 0));
	rc = parse(text);
	json_decref(root);
	free(text);
	free(good);
	return rc;
}

static void
files_of_another_form_are_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*key, *val; /* NULL: without it */
		int		 want;
	} cases[] = {
		{ "format", "\"other\"",	VT_E_FORMAT },
		{ "format", NULL,		VT_E_FORMAT },
		{ "version", "2",		VT_E_UNSUPPORTED },
		{ "version", "\"1\"",		VT_E_UNSUPPORTED },
		{ "version", NULL,		VT_E_FORMAT },
		{ "nonce", NULL,		VT_E_FORMAT },
		{ "nonce", "\"00112233445566\"", VT_E_FORMAT },
		{ "nonce", "\"001122334455667\"", VT_E_FORMAT },
		{ "nonce", "17",		VT_E_FORMAT },
		{ "nonce", "\"" HEX32 HEX32 "\"",	VT_OK },
		{ "nonce", "\"" HEX32 HEX32 "00\"",	VT_E_RANGE },
		{ "nonce", "\"" HEX32 HEX32 HEX32 HEX32 "\"", VT_E_RANGE },
		{ "quote", NULL,		VT_E_FORMAT },
		{ "quote", "null",		VT_E_FORMAT },
		{ "quote", "\"\"",		VT_E_FORMAT },
		{ "quote", "\"AA\"",		VT_E_FORMAT },
		{ "quote", "\"AAA!\"",		VT_E_FORMAT },
		{ "quote", "\" AAA\"",		VT_E_FORMAT },
		{ "quote", "\"AAB=\"",		VT_E_FORMAT }, /* loose bits */
		{ "quote", "\"=AAA\"",		VT_E_FORMAT },
		{ "signature", NULL,		VT_E_FORMAT },
		{ "ak_public", NULL,		VT_E_FORMAT },
		{ "pcrs", NULL,			VT_E_FORMAT },
		{ "pcrs", "{}",			VT_E_FORMAT },
		{ "pcrs", "{\"sha256\":{}}",	VT_E_FORMAT },
		{ "pcrs", "{\"md5\":{\"0\":\"00\"}}", VT_E_FORMAT },
		{ "pcrs", "{\"sha256\":{\"0\":\"00\"}}", VT_E_FORMAT },
		{ "pcrs", "{\"sha1\":{\"24\":"
		    "\"0000000000000000000000000000000000000000\"}}",
		    VT_E_FORMAT },
		{ "pcrs", "{\"sha1\":{\"01\":"
		    "\"0000000000000000000000000000000000000000\"}}",
		    VT_E_FORMAT },
		{ "surprise", "1",		VT_E_FORMAT },
		{ "event_log", "null",		VT_OK },
		{ "ek_certificate", NULL,	VT_OK },
	};
	/* clang-format on */
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		json_t *v = NULL;

		print_message("  %s: %s\n", cases[i].key,
		    cases[i].val != NULL ? cases[i].val : "missing");
		if (cases[i].val != NULL)
			assert_non_null(v = json_loads(cases[i].val,
					    JSON_DECODE_ANY, NULL));
		assert_int_equal(parse_with(cases[i].key, v), cases[i].want);
	}
	assert_int_equal(parse("[]"), VT_E_FORMAT);
	assert_int_equal(parse(""), VT_E_FORMAT);
	assert_int_equal(parse("{\"format\":\"vtpm-evidence\",\"format\":"
			       "\"vtpm-evidence\",\"version\":1}"),
	    VT_E_FORMAT);
}

static void
parts_over_their_limit_are_refused(void **state)
{
	char *big = malloc(3 * 1024 * 1024);
	json_t *v;

	(void)state;
	assert_non_null(big);
	memset(big, 'A', 3 * 1024 * 1024);
	big[(QUOTE_ATTEST_MAX + 3) / 3 * 4 + 4] = '\0';
	v = json_string(big);
	assert_int_equal(parse_with("quote", v), VT_E_RANGE);
	memset(big, 'A', 3 * 1024 * 1024);
	big[3 * 1024 * 1024 - 4] = '\0';
	v = json_string(big);
	assert_int_equal(parse_with("event_log", v), VT_E_RANGE);
	free(big);
}

static void
qualifying_data_depends_on_every_bound_part(void **state)
{
	static const enum bundle_part bound[] = { BUNDLE_NONCE, BUNDLE_LOG,
		BUNDLE_JOURNAL, BUNDLE_LAUNCH, BUNDLE_HOST_LOG, BUNDLE_INFO };
	uint8_t good[SHA256_LEN], now[SHA256_LEN];
	struct bundle_blob keep;
	struct sample b;
	size_t i;

	(void)state;
	sample_init(&b);
	assert_int_equal(bundle_qualify(b.ev, good), VT_OK);
	for (i = 0; i < VT_NELEM(bound); i++) {
		struct bundle_blob *p = &b.ev->part[bound[i]];

		p->p[p->len - 1] ^= 1;
		assert_int_equal(bundle_qualify(b.ev, now), VT_OK);
		assert_memory_not_equal(good, now, SHA256_LEN);
		p->p[p->len - 1] ^= 1;
		keep = *p;
		p->len--;
		assert_int_equal(bundle_qualify(b.ev, now), VT_OK);
		assert_memory_not_equal(good, now, SHA256_LEN);
		*p = keep;
		if (bound[i] == BUNDLE_NONCE)
			continue;
		p->p = NULL;
		p->len = 0;
		assert_int_equal(bundle_qualify(b.ev, now), VT_OK);
		assert_memory_not_equal(good, now, SHA256_LEN);
		*p = keep;
	}
	/* Two parts changed places. */
	keep = b.ev->part[BUNDLE_LOG];
	b.ev->part[BUNDLE_LOG] = b.ev->part[BUNDLE_HOST_LOG];
	b.ev->part[BUNDLE_HOST_LOG] = keep;
	assert_int_equal(bundle_qualify(b.ev, now), VT_OK);
	assert_memory_not_equal(good, now, SHA256_LEN);
	sample_done(&b);
}

/* By hand after doc/FORMATS.md. */
static void
qualifying_data_is_that_of_the_format(void **state)
{
	static const uint8_t nonce[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t buf[256], want[SHA256_LEN], got[SHA256_LEN];
	struct bundle *ev;
	size_t n = 0;

	(void)state;
	assert_int_equal(bundle_new(&ev), VT_OK);
	assert_int_equal(bundle_set(ev, BUNDLE_NONCE, nonce, 8), VT_OK);
	assert_int_equal(bundle_set(ev, BUNDLE_JOURNAL, "abc", 3), VT_OK);
	memset(buf, 0, sizeof(buf));
	memcpy(buf, "vtpm evidence v1", 16);
	buf[19] = 8;
	memcpy(buf + 20, nonce, 8);
	n = 28 + 4; /* no event log */
	buf[n + 3] = 32;
	assert_int_equal(digest_buf(ALG_SHA256, "abc", 3, buf + n + 4), VT_OK);
	n += 36 + 3 * 4; /* no launch record, host log, info */
	assert_int_equal(digest_buf(ALG_SHA256, buf, n, want), VT_OK);
	assert_int_equal(bundle_qualify(ev, got), VT_OK);
	assert_memory_equal(want, got, SHA256_LEN);
	bundle_free(ev);
}

static void
info_is_read_strictly(void **state)
{
	struct bundle_info v;
	struct sample b;
	uint8_t *copy;
	size_t len, n;

	(void)state;
	sample_init(&b);
	len = b.ev->part[BUNDLE_INFO].len;
	for (n = 0; n < len; n++) {
		copy = exact_copy(b.ev->part[BUNDLE_INFO].p, n);
		assert_int_equal(bundle_info_get(copy, n, &v), VT_E_TRUNC);
		free(copy);
	}
	copy = calloc(1, len + 1);
	assert_non_null(copy);
	memcpy(copy, b.ev->part[BUNDLE_INFO].p, len);
	assert_int_equal(bundle_info_get(copy, len, &v), VT_OK);
	assert_int_equal(v.generation, 3);
	assert_int_equal(v.flags, BUNDLE_F_SOFT_ROOT | BUNDLE_F_LAUNCHED);
	assert_int_equal(bundle_info_get(copy, len + 1, &v), VT_E_FORMAT);
	copy[1] = 2;
	assert_int_equal(bundle_info_get(copy, len, &v), VT_E_UNSUPPORTED);
	free(copy);
	sample_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bundle_goes_round),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(files_of_another_form_are_refused),
		cmocka_unit_test(parts_over_their_limit_are_refused),
		cmocka_unit_test(qualifying_data_depends_on_every_bound_part),
		cmocka_unit_test(qualifying_data_is_that_of_the_format),
		cmocka_unit_test(info_is_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
