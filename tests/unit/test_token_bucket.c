/* SPDX-License-Identifier: BSD-3-Clause */
/* test_token_bucket.c - a burst, then the rate, at every scale of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/token_bucket.h"
#include "base/util.h"

#define S UINT64_C(1000000)

static unsigned int
take_all(struct token_bucket *b, uint64_t now)
{
	unsigned int n = 0;

	while (token_bucket_take(b, 1, now))
		n++;
	return n;
}

static void
a_burst_is_served_then_one_token_per_period(void **state)
{
	struct token_bucket b;

	(void)state;
	token_bucket_init(&b, 5, 1, 10 * S, 77 * S);
	assert_true(token_bucket_full(&b, 77 * S));
	assert_int_equal(take_all(&b, 77 * S), 5);
	assert_int_equal(take_all(&b, 87 * S - 1), 0);
	assert_int_equal(take_all(&b, 87 * S), 1);
	assert_int_equal(take_all(&b, 1000 * S), 5);
	assert_false(token_bucket_full(&b, 1050 * S - 1));
	assert_true(token_bucket_full(&b, 1050 * S));
}

static void
the_rate_does_not_depend_on_how_often_it_is_looked_at(void **state)
{
	static const uint32_t rates[][2] = { { 1, 10 * S }, { 200, S },
		{ 7, 60000 }, { 60000, 60000 }, { 59999, 60000 }, { 3, 1 } };
	static const uint64_t steps[] = { 1, 7, 999, 20011 };
	size_t i, j;

	(void)state;
	for (i = 0; i < VT_NELEM(rates); i++)
		for (j = 0; j < VT_NELEM(steps); j++) {
			uint64_t got = 0, now = 5, end = 5 + 4000 * steps[j];
			struct token_bucket b;

			token_bucket_init(
			    &b, 1 << 20, rates[i][0], rates[i][1], now);
			token_bucket_charge(&b, 1 << 20, now);
			while ((now += steps[j]) <= end)
				got += take_all(&b, now);
			assert_true(
			    got == 4000 * steps[j] * rates[i][0] / rates[i][1]);
		}
}

static void
a_debt_is_paid_at_the_rate_and_when_says_how_long(void **state)
{
	struct token_bucket b;
	uint64_t at, n;

	(void)state;
	for (n = 0; n < 100000; n = n * 3 + 1) {
		token_bucket_init(&b, 1000, 7, 60000, S);
		token_bucket_charge(&b, 1000 + n, S);
		at = token_bucket_when(&b, S);
		assert_true(at == S + ((n + 1) * 60000 + 6) / 7);
		assert_false(token_bucket_take(&b, 1, at - 1));
		assert_true(token_bucket_when(&b, at - 1) == at);
		assert_true(token_bucket_when(&b, at) == at);
		assert_true(token_bucket_take(&b, 1, at));
	}
}

static void
no_length_of_time_and_no_debt_overflows(void **state)
{
	static const uint32_t ends[] = { 1, 2, 60000, UINT32_MAX };
	struct token_bucket b;
	size_t i, j;

	(void)state;
	token_bucket_init(&b, 9, 1u << 31, 1, 0);
	(void)take_all(&b, 0);
	/* 2^33 times 2^31 is 0 in 64 bits. */
	assert_int_equal(take_all(&b, UINT64_C(1) << 33), 9);
	for (i = 0; i < VT_NELEM(ends); i++)
		for (j = 0; j < VT_NELEM(ends); j++) {
			uint64_t at;

			token_bucket_init(
			    &b, TOKEN_BUCKET_MAX, ends[i], ends[j], 1);
			token_bucket_charge(&b, UINT64_MAX, 1);
			token_bucket_charge(&b, UINT64_MAX, 1);
			at = token_bucket_when(&b, 1);
			assert_false(token_bucket_take(&b, 1, at - 1));
			if (at != UINT64_MAX)
				assert_true(token_bucket_take(&b, 1, at));
			token_bucket_init(&b, 9, ends[i], ends[j], 0);
			(void)take_all(&b, 0);
			assert_int_equal(take_all(&b, UINT64_MAX), 9);
		}
}

static void
a_clock_that_steps_back_gains_nothing(void **state)
{
	struct token_bucket b;

	(void)state;
	token_bucket_init(&b, 3, 1, S, 100 * S);
	assert_int_equal(take_all(&b, 100 * S), 3);
	assert_int_equal(take_all(&b, 0), 0);
	assert_int_equal(take_all(&b, 101 * S), 1);
}

static void
another_rate_neither_fills_nor_forgives(void **state)
{
	struct token_bucket b;

	(void)state;
	token_bucket_init(&b, 100, 1, S, 0);
	token_bucket_charge(&b, 150, 0);
	token_bucket_set(&b, 10, 2, S, 0);
	assert_true(token_bucket_when(&b, 0) == 51 * S / 2);
	token_bucket_init(&b, 100, 1, S, 0);
	token_bucket_set(&b, 10, 1, S, 0);
	assert_int_equal(take_all(&b, 0), 10);
	/* Set again and again, the same rate still gives its tokens. */
	token_bucket_set(&b, 10, 1, S, S / 3);
	token_bucket_set(&b, 10, 1, S, 2 * S / 3);
	assert_int_equal(take_all(&b, S), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_served_then_one_token_per_period),
		cmocka_unit_test(
		    the_rate_does_not_depend_on_how_often_it_is_looked_at),
		cmocka_unit_test(
		    a_debt_is_paid_at_the_rate_and_when_says_how_long),
		cmocka_unit_test(no_length_of_time_and_no_debt_overflows),
		cmocka_unit_test(a_clock_that_steps_back_gains_nothing),
		cmocka_unit_test(another_rate_neither_fills_nor_forgives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
