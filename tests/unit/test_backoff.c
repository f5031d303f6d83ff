/* SPDX-License-Identifier: BSD-3-Clause */
/* test_backoff.c - each wait is twice the last one, up to a limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/backoff.h"

static void
waits_double_up_to_the_limit_and_start_over_after_success(void **state)
{
	static const unsigned int want[] = { 50, 100, 200, 400, 700, 700 };
	struct backoff b;
	unsigned int round, i;

	(void)state;
	backoff_init(&b, 50, 700);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
			assert_int_equal(b.tries, i);
			assert_int_equal(b.wait_ms, want[i]);
			assert_int_equal(backoff_failed(&b), want[i]);
		}
		backoff_reset(&b);
	}
}

static void
the_longest_limit_does_not_overflow(void **state)
{
	struct backoff b;
	unsigned int i, last = 0, ms;

	(void)state;
	backoff_init(&b, 3, ~0U);
	for (i = 0; i < 100; i++) {
		ms = backoff_failed(&b);
		assert_true(ms >= last);
		last = ms;
	}
	assert_true(last == ~0U);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    waits_double_up_to_the_limit_and_start_over_after_success),
		cmocka_unit_test(the_longest_limit_does_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
