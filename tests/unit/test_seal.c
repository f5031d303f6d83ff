/* SPDX-License-Identifier: BSD-3-Clause */
/* Sealed containers, and what is inside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vtpm/state/seal.h"
#include "vtpm/state/state.h"

#define PLAIN_LEN 300
#define SEALED_LEN (PLAIN_LEN + SEAL_OVERHEAD)

static uint8_t key[GCM_KEY_LEN], plain[PLAIN_LEN], sealed[SEALED_LEN];
static struct seal_id id = { SEAL_PERMANENT, { 1, 2, 3 }, 7, 42 };

static int
setup(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 7);
	memset(key, 0x42, sizeof(key));
	return seal_make(key, &id, plain, sizeof(plain), sealed);
}

/* On an exact heap copy; what opened is compared and freed. */
static int
try_open(const uint8_t *p, size_t len, const struct seal_id *want)
{
	uint8_t *copy = malloc(len > 0 ? len : 1), *out = NULL;
	struct seal_id got;
	size_t n = 0;
	int rc;

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, p, len);
	rc = seal_open(key, want, copy, len, &got, &out, &n);
	free(copy);
	if (rc != VT_OK) {
		assert_null(out);
		return rc;
	}
	assert_int_equal(n, PLAIN_LEN);
	assert_memory_equal(out, plain, n);
	assert_int_equal(got.version, id.version);
	assert_int_equal(got.generation, id.generation);
	free(out);
	return VT_OK;
}

static void
what_was_sealed_opens(void **state)
{
	(void)state;
	assert_int_equal(try_open(sealed, SEALED_LEN, &id), VT_OK);
}

static void
nothing_of_the_plain_text_shows(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i + 8 <= PLAIN_LEN; i++)
		assert_null(memmem(sealed, SEALED_LEN, plain + i, 8));
}

static void
two_seals_of_one_state_differ(void **state)
{
	uint8_t other[SEALED_LEN];

	(void)state;
	assert_int_equal(
	    seal_make(key, &id, plain, sizeof(plain), other), VT_OK);
	assert_memory_not_equal(
	    sealed + SEAL_HDR_LEN, other + SEAL_HDR_LEN, PLAIN_LEN);
}

static void
every_prefix_is_refused(void **state)
{
	size_t n;

	(void)state;
	for (n = 0; n < SEALED_LEN; n++)
		assert_int_not_equal(try_open(sealed, n, &id), VT_OK);
}

static void
one_bit_flipped_anywhere_is_refused(void **state)
{
	uint8_t copy[SEALED_LEN];
	size_t i;
	int bit;

	(void)state;
	for (i = 0; i < SEALED_LEN; i++)
		for (bit = 0; bit < 8; bit++) {
			memcpy(copy, sealed, sizeof(copy));
			copy[i] ^= (uint8_t)(1 << bit);
			assert_int_not_equal(
			    try_open(copy, sizeof(copy), &id), VT_OK);
		}
}

static void
another_kind_instance_or_key_does_not_open_it(void **state)
{
	struct seal_id want = id;

	(void)state;
	want.kind = SEAL_SNAP_PERMANENT;
	assert_int_equal(try_open(sealed, SEALED_LEN, &want), VT_E_AUTH);
	want = id;
	want.uuid[15] ^= 1;
	assert_int_equal(try_open(sealed, SEALED_LEN, &want), VT_E_AUTH);
	key[0] ^= 1;
	assert_int_equal(try_open(sealed, SEALED_LEN, &id), VT_E_AUTH);
	key[0] ^= 1;
}

static void
empty_state_can_be_sealed(void **state)
{
	uint8_t buf[SEAL_OVERHEAD], *out;
	struct seal_id got;
	size_t n = 99;

	(void)state;
	assert_int_equal(seal_make(key, &id, NULL, 0, buf), VT_OK);
	assert_int_equal(
	    seal_open(key, &id, buf, sizeof(buf), &got, &out, &n), VT_OK);
	assert_int_equal(n, 0);
	free(out);
}

/* --- the containers inside ---------------------------------------------------
 */

static const uint8_t part[64] = { 9, 8, 7 };

static size_t
make_perm(uint8_t *out, size_t cap, bool has_private)
{
	struct state_perm s = { .tpm_version = TPM_VER_20,
		.flags = SP_RESTORED,
		.tpm = { part, 64 },
		.ek_rsa = { part, 10 },
		.ak = { part, 20 },
		.ak_private = {
		    has_private ? part : NULL, has_private ? 12 : 0 } };
	struct wr w;

	wr_init(&w, out, cap);
	state_perm_put(&w, &s);
	assert_int_equal(wr_err(&w), VT_OK);
	return w.len;
}

static size_t
make_vol(uint8_t *out, size_t cap)
{
	struct state_vol s = { .flags = SV_STARTED | SV_CAPPED,
		.power_cycles = 3,
		.tpm = { part, 64 },
		.journal = { part, 30 },
		.quotes = { part, 64 } };
	struct wr w;

	wr_init(&w, out, cap);
	state_vol_put(&w, &s);
	assert_int_equal(wr_err(&w), VT_OK);
	return w.len;
}

static void
read_perm_strictly(bool has_private)
{
	uint8_t buf[512];
	struct state_perm s;
	size_t i, n = make_perm(buf, sizeof(buf), has_private);
	uint8_t format = buf[1];

	assert_int_equal(state_perm_get(buf, n, &s), VT_OK);
	assert_int_equal(s.tpm.len, 64);
	assert_int_equal(s.ek_ecc.len, 0);
	assert_int_equal(s.ak.len, 20);
	assert_int_equal(s.ak_private.len, has_private ? 12 : 0);
	for (i = 0; i < n; i++)
		assert_int_equal(state_perm_get(buf, i, &s), VT_E_TRUNC);
	assert_int_equal(state_perm_get(buf, n + 1, &s), VT_E_FORMAT);
	buf[1] = 3;
	assert_int_equal(state_perm_get(buf, n, &s), VT_E_FORMAT);
	buf[1] = 0;
	assert_int_equal(state_perm_get(buf, n, &s), VT_E_FORMAT);
	buf[1] = format;
	buf[2] = 3;
	assert_int_equal(state_perm_get(buf, n, &s), VT_E_RANGE);
	buf[2] = 2;
	buf[3] = 16;
	assert_int_equal(state_perm_get(buf, n, &s), VT_E_RANGE);
}

static void
permanent_container_is_read_strictly(void **state)
{
	(void)state;
	read_perm_strictly(false);
	read_perm_strictly(true);
}

/* A state that was sealed before this field was known. */
static void
the_first_format_is_the_second_without_its_last_field(void **state)
{
	uint8_t one[512], two[512];
	struct state_perm s;
	size_t n = make_perm(one, sizeof(one), false);

	(void)state;
	assert_int_equal(make_perm(two, sizeof(two), true), n + 4 + 12);
	assert_int_equal(one[1], 1);
	assert_int_equal(two[1], 2);
	assert_memory_equal(one + 2, two + 2, n - 2);
	/* format 2 with that field empty would be a second way to say 1 */
	memset(two + n, 0, 4);
	assert_int_equal(state_perm_get(two, n + 4, &s), VT_E_RANGE);
}

static void
volatile_container_is_read_strictly(void **state)
{
	uint8_t buf[512];
	struct state_vol s;
	size_t i, n = make_vol(buf, sizeof(buf));

	(void)state;
	assert_int_equal(state_vol_get(buf, n, &s), VT_OK);
	assert_int_equal(s.quotes.len, 64);
	assert_int_equal(s.power_cycles, 3);
	assert_int_equal(s.launch.len, 0);
	for (i = 0; i < n; i++)
		assert_int_equal(state_vol_get(buf, i, &s), VT_E_TRUNC);
	assert_int_equal(state_vol_get(buf, n + 1, &s), VT_E_FORMAT);
	buf[n - 64 - 1] = QUOTES_MAX + 1;
	assert_int_equal(state_vol_get(buf, n, &s), VT_E_RANGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens),
		cmocka_unit_test(nothing_of_the_plain_text_shows),
		cmocka_unit_test(two_seals_of_one_state_differ),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(one_bit_flipped_anywhere_is_refused),
		cmocka_unit_test(another_kind_instance_or_key_does_not_open_it),
		cmocka_unit_test(empty_state_can_be_sealed),
		cmocka_unit_test(permanent_container_is_read_strictly),
		cmocka_unit_test(
		    the_first_format_is_the_second_without_its_last_field),
		cmocka_unit_test(volatile_container_is_read_strictly),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
