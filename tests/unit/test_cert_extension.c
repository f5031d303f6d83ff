/* SPDX-License-Identifier: BSD-3-Clause */
/* test_cert_extension.c - our certificate extensions have one DER form each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "measure/cert/cert_extension.h"

static const struct cert_ext_instance good = {
	.uuid = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
	.generation = 0x1122334455667788,
	.group = 0xfffffffe,
	.root = CERT_EXT_HARDWARE,
	.is_virtual = true,
};

/* By hand after X.690. */
static const char good_hex[] = "302c020101"
			       "04100102030405060708090a0b0c0d0e0f10"
			       "02081122334455667788"
			       "020500fffffffe"
			       "020102"
			       "0101ff";

static int
get(const uint8_t *der, size_t len, struct cert_ext_instance *ret)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int rc;

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, der, len);
	rc = cert_ext_instance_get(copy, len, ret);
	free(copy);
	return rc;
}

static void
instance_has_the_bytes_of_the_format(void **state)
{
	uint8_t der[CERT_EXT_MAX_LEN], want[CERT_EXT_MAX_LEN];
	struct cert_ext_instance back;
	size_t n, w;

	(void)state;
	assert_int_equal(
	    cert_ext_instance_put(&good, der, sizeof(der), &n), VT_OK);
	assert_int_equal(hex_decode(good_hex, want, sizeof(want), &w), VT_OK);
	assert_int_equal(n, w);
	assert_memory_equal(der, want, n);
	memset(&back, 0, sizeof(back));
	assert_int_equal(get(der, n, &back), VT_OK);
	assert_memory_equal(back.uuid, good.uuid, UUID_LEN);
	assert_int_equal(back.generation, good.generation);
	assert_int_equal(back.group, good.group);
	assert_int_equal(back.root, good.root);
	assert_true(back.is_virtual);
}

static void
values_past_the_format_are_not_written(void **state)
{
	uint8_t der[CERT_EXT_MAX_LEN];
	struct cert_ext_instance x = good;
	size_t n = 77;

	(void)state;
	x.generation = UINT64_MAX;
	assert_int_equal(
	    cert_ext_instance_put(&x, der, sizeof(der), &n), VT_E_RANGE);
	x = good;
	x.root = 3;
	assert_int_equal(
	    cert_ext_instance_put(&x, der, sizeof(der), &n), VT_E_RANGE);
	assert_int_equal(cert_ext_instance_put(&good, der, 43, &n), VT_E_RANGE);
	assert_int_equal(
	    cert_ext_root_put(0, der, sizeof(der), &n), VT_E_RANGE);
	assert_int_equal(n, 77);
}

static void
every_prefix_and_every_trailing_byte_is_refused(void **state)
{
	uint8_t der[CERT_EXT_MAX_LEN + 1] = { 0 };
	struct cert_ext_instance back;
	size_t n, i;

	(void)state;
	assert_int_equal(
	    cert_ext_instance_put(&good, der, CERT_EXT_MAX_LEN, &n), VT_OK);
	for (i = 0; i < n; i++)
		assert_int_equal(get(der, i, &back), VT_E_FORMAT);
	assert_int_equal(get(der, n + 1, &back), VT_E_FORMAT);
}

static void
other_values_and_forms_are_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*what, *hex;
		int		 want;
	} cases[] = {
		{ "version 2", "302c02010204100102030405060708090a0b0c0d0e0f10"
		    "02081122334455667788020500fffffffe0201020101ff",
		    VT_E_UNSUPPORTED },
		{ "root kind 3", "302c02010104100102030405060708090a0b0c0d0e0f"
		    "1002081122334455667788020500fffffffe0201030101ff",
		    VT_E_RANGE },
		{ "negative group", "302802010104100102030405060708090a0b0c0d"
		    "0e0f1002081122334455667788020 1ff0201020101ff",
		    VT_E_RANGE },
		{ "short uuid", "302b02010104 0f0102030405060708090a0b0c0d0e0f"
		    "02081122334455667788020500fffffffe0201020101ff",
		    VT_E_RANGE },
		{ "TRUE that is not FF", "302c0201010410010203040506070809"
		    "0a0b0c0d0e0f1002081122334455667788020500fffffffe020102"
		    "010101", VT_E_FORMAT },
		{ "number with a needless zero", "302d0202000104100102030405"
		    "060708090a0b0c0d0e0f1002081122334455667788020500fffffffe"
		    "0201020101ff", VT_E_FORMAT },
	};
	/* clang-format on */
	struct cert_ext_instance back;
	uint8_t der[CERT_EXT_MAX_LEN];
	char hex[2 * CERT_EXT_MAX_LEN + 1];
	const char *s;
	size_t i, n, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (s = cases[i].hex, k = 0; *s != '\0'; s++)
			if (*s != ' ')
				hex[k++] = *s;
		hex[k] = '\0';
		print_message("  %s\n", cases[i].what);
		assert_int_equal(hex_decode(hex, der, sizeof(der), &n), VT_OK);
		assert_int_equal(get(der, n, &back), cases[i].want);
	}
}

static void
root_goes_round(void **state)
{
	static const uint8_t want[] = { 0x30, 6, 2, 1, 1, 2, 1, 1 };
	uint8_t der[CERT_EXT_MAX_LEN], root = 0, odd[sizeof(want)];
	size_t n;

	(void)state;
	assert_int_equal(
	    cert_ext_root_put(CERT_EXT_SOFTWARE, der, sizeof(der), &n), VT_OK);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(der, want, n);
	assert_int_equal(cert_ext_root_get(der, n, &root), VT_OK);
	assert_int_equal(root, CERT_EXT_SOFTWARE);
	memcpy(odd, want, sizeof(odd));
	odd[7] = 7;
	root = 99;
	assert_int_equal(cert_ext_root_get(odd, n, &root), VT_E_RANGE);
	odd[7] = 1;
	odd[4] = 2;
	assert_int_equal(cert_ext_root_get(odd, n, &root), VT_E_UNSUPPORTED);
	assert_int_equal(cert_ext_root_get(odd, n - 1, &root), VT_E_FORMAT);
	assert_int_equal(root, 99);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instance_has_the_bytes_of_the_format),
		cmocka_unit_test(values_past_the_format_are_not_written),
		cmocka_unit_test(
		    every_prefix_and_every_trailing_byte_is_refused),
		cmocka_unit_test(other_values_and_forms_are_refused),
		cmocka_unit_test(root_goes_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
