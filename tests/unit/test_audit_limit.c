/* SPDX-License-Identifier: BSD-3-Clause */
/* test_audit_limit.c - denied requests: a record each, then a count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vtpm_manager/commit/audit_limit.h"

#define S UINT64_C(1000000)

static struct audit_limit l;

/* How many of n requests have a record. */
static unsigned int
ask(const char *who, unsigned int n, uint64_t now)
{
	unsigned int records = 0;

	while (n-- > 0)
		records += audit_limit_allows(&l, who, "start", now) ? 1 : 0;
	return records;
}

static void
a_burst_is_recorded_the_rest_is_counted(void **state)
{
	struct audit_limit_sum s;

	(void)state;
	audit_limit_init(&l);
	assert_false(audit_limit_take(&l, &s));
	assert_int_equal(
	    ask("uid 7", AUDIT_LIMIT_BURST, 5 * S), AUDIT_LIMIT_BURST);
	assert_false(audit_limit_take(&l, &s));
	assert_int_equal(ask("uid 7", 41, 6 * S), 0);
	assert_false(audit_limit_allows(&l, "uid 7", "destroy", 7 * S));
	assert_true(audit_limit_take(&l, &s));
	assert_string_equal(s.who, "uid 7");
	assert_string_equal(s.last, "destroy");
	assert_int_equal(s.n, 42);
	assert_true(s.since_us == 6 * S);
	assert_false(audit_limit_take(&l, &s)); /* given once */
}

static void
records_and_counts_make_up_all_requests(void **state)
{
	struct audit_limit_sum s;
	uint64_t now, counted = 0, records = 0, asked = 0;

	(void)state;
	audit_limit_init(&l);
	for (now = S; now < 7200 * S; now += S / 3) {
		records += ask("uid 7", 5, now);
		asked += 5;
		if (now % (60 * S) < S / 3 && audit_limit_take(&l, &s))
			counted += s.n;
	}
	if (audit_limit_take(&l, &s))
		counted += s.n;
	assert_true(records + counted == asked);
	assert_in_range(records, AUDIT_LIMIT_BURST, AUDIT_LIMIT_BURST + 720);
}

static void
one_caller_does_not_use_up_anothers(void **state)
{
	(void)state;
	audit_limit_init(&l);
	assert_int_equal(ask("uid 7", 1000, S), AUDIT_LIMIT_BURST);
	assert_int_equal(ask("uid 77", 3, S), 3);
	assert_int_equal(ask("uid 7 (reader)", 3, S), 3);
}

static void
time_gives_records_back_and_no_more_than_a_burst(void **state)
{
	(void)state;
	audit_limit_init(&l);
	assert_int_equal(ask("uid 7", 1000, S), AUDIT_LIMIT_BURST);
	assert_int_equal(ask("uid 7", 5, S + AUDIT_LIMIT_EVERY_US - 1), 0);
	assert_int_equal(ask("uid 7", 5, S + AUDIT_LIMIT_EVERY_US), 1);
	assert_int_equal(ask("uid 7", 1000, UINT64_MAX - 5), AUDIT_LIMIT_BURST);
	assert_int_equal(ask("uid 7", 1000, 1), 0); /* a clock that ran back */
}

static void
many_callers_share_one_place_and_quiet_ones_are_forgotten(void **state)
{
	struct audit_limit_sum s;
	char who[AUDIT_LIMIT_WHO];
	unsigned int i, shared = 0;

	(void)state;
	audit_limit_init(&l);
	for (i = 0; i < AUDIT_LIMIT_CALLERS; i++) {
		(void)snprintf(who, sizeof(who), "uid %u", i);
		assert_int_equal(ask(who, 2, S), 2);
	}
	for (; i < 2 * AUDIT_LIMIT_CALLERS; i++) {
		(void)snprintf(who, sizeof(who), "uid %u", i);
		shared += ask(who, 10, S);
	}
	assert_int_equal(shared, AUDIT_LIMIT_BURST);
	assert_true(audit_limit_take(&l, &s));
	assert_string_equal(s.who, "other callers");
	assert_int_equal(s.n, 10 * AUDIT_LIMIT_CALLERS - AUDIT_LIMIT_BURST);
	/* All have been quiet: places are free again. */
	assert_int_equal(ask("uid 999", 9, S + 2 * AUDIT_LIMIT_EVERY_US), 9);
	assert_int_equal(ask("uid 998", 9, S + 2 * AUDIT_LIMIT_EVERY_US), 9);
	/* Not of a caller whose count was not taken. */
	audit_limit_init(&l);
	(void)ask("uid 1", AUDIT_LIMIT_BURST + 5, S);
	for (i = 0; i < 2 * AUDIT_LIMIT_CALLERS; i++) {
		(void)snprintf(who, sizeof(who), "uid %u", 1000 + i);
		(void)ask(who, 1, 100000 * S);
	}
	assert_true(audit_limit_take(&l, &s));
	assert_string_equal(s.who, "uid 1");
	assert_int_equal(s.n, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_recorded_the_rest_is_counted),
		cmocka_unit_test(records_and_counts_make_up_all_requests),
		cmocka_unit_test(one_caller_does_not_use_up_anothers),
		cmocka_unit_test(
		    time_gives_records_back_and_no_more_than_a_burst),
		cmocka_unit_test(
		    many_callers_share_one_place_and_quiet_ones_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
