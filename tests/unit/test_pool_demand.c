/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_pool_demand.c - the pool keeps what was asked for lately, within its
 * bounds, and gives it up again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/guest/pool_demand.h"

#define P ((uint64_t)POOL_PERIOD_US)

static const struct pool_kind plain = { TPM_VER_20, BANK_SHA256, WSRK_NONE };
static const struct pool_kind old = { TPM_VER_12, BANK_SHA1, WSRK_NONE };

static void
ask(struct pool_demand *d, const struct pool_kind *k, unsigned int n,
    uint64_t at)
{
	while (n-- > 0)
		pool_demand_ask(d, k, at);
}

/* Wanted of this kind at this time. */
static uint32_t
wants(struct pool_demand *d, const struct pool_kind *k, uint64_t at)
{
	uint32_t want[POOL_KINDS], i;

	pool_demand_want(d, at, want);
	for (i = 0; i < d->n; i++)
		if (pool_kind_equal(&d->row[i].kind, k))
			return want[i];
	return 0;
}

static void
plain_ones_are_always_there(void **state)
{
	struct pool_demand d;

	(void)state;
	pool_demand_init(&d, 4, 32);
	assert_int_equal(wants(&d, &plain, 0), 4);
	assert_int_equal(wants(&d, &plain, 1000 * P), 4);
	assert_int_equal(wants(&d, &old, 0), 0);
	/* No pool is none, whatever is asked for. */
	pool_demand_init(&d, 0, 32);
	ask(&d, &old, 5, 1);
	ask(&d, &plain, 5, 1);
	assert_int_equal(wants(&d, &plain, 2), 0);
	assert_int_equal(wants(&d, &old, 2), 0);
	/* The most is never below the least. */
	pool_demand_init(&d, 6, 2);
	assert_int_equal(wants(&d, &plain, 0), 6);
}

static void
it_follows_demand_up_and_down(void **state)
{
	struct pool_demand d;

	(void)state;
	pool_demand_init(&d, 4, 32);
	ask(&d, &plain, 3, 10);
	assert_int_equal(wants(&d, &plain, 10), 4); /* they suffice */
	ask(&d, &plain, 7, 20);
	assert_int_equal(wants(&d, &plain, 20), 10);
	ask(&d, &old, 2, 30);
	assert_int_equal(wants(&d, &old, 30), 2);
	/* Through the next period, and no longer. */
	assert_int_equal(wants(&d, &plain, P), 10);
	assert_int_equal(wants(&d, &old, 2 * P - 1), 2);
	assert_int_equal(wants(&d, &plain, 2 * P), 4);
	assert_int_equal(wants(&d, &old, 2 * P), 0);
	assert_int_equal(d.n, 1); /* forgotten */
	/* A period without any question in between counts. */
	ask(&d, &old, 9, 3 * P);
	assert_int_equal(wants(&d, &old, 5 * P), 0);
}

static void
together_they_stay_below_the_most(void **state)
{
	struct pool_kind k = plain;
	struct pool_demand d;
	uint32_t want[POOL_KINDS], i, sum;

	(void)state;
	pool_demand_init(&d, 4, 32);
	ask(&d, &plain, 200, 1);
	assert_int_equal(wants(&d, &plain, 1), 32);
	/* What was asked for last comes first, but for the plain ones' least.
	 */
	ask(&d, &old, 20, 2);
	assert_int_equal(wants(&d, &old, 2), 20);
	assert_int_equal(wants(&d, &plain, 2), 12);
	ask(&d, &old, 20, 3);
	assert_int_equal(wants(&d, &old, 3), 28);
	assert_int_equal(wants(&d, &plain, 3), 4);
	/* More kinds than there is room for: made when they are asked for. */
	for (i = 0; i < 2 * POOL_KINDS; i++) {
		k.srk = (uint8_t)(10 + i);
		ask(&d, &k, 1, 4 + i);
	}
	assert_int_equal(d.n, POOL_KINDS);
	assert_int_equal(wants(&d, &k, 50), 0);
	pool_demand_want(&d, 50, want);
	for (i = sum = 0; i < POOL_KINDS; i++)
		sum += want[i];
	assert_int_equal(sum, 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_ones_are_always_there),
		cmocka_unit_test(it_follows_demand_up_and_down),
		cmocka_unit_test(together_they_stay_below_the_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
