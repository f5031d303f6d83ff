/* SPDX-License-Identifier: BSD-3-Clause */
/* test_hwtpm_queue.c - requests for the one TPM are served fairly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "vtpm_manager/hwtpm/queue.h"

struct item {
	struct hwq_item it; /* first */
	char tag;
};

static struct item pool[HWQ_MAX + 8];

static struct item *
item(size_t i, uint32_t group, char tag)
{
	memset(&pool[i], 0, sizeof(pool[i]));
	pool[i].it.group = group;
	pool[i].it.deadline_us = UINT64_MAX;
	pool[i].tag = tag;
	return &pool[i];
}

/* "a1 b2 a1" -> one item of group 1, one of group 2, ...; tags in order. */
static void
put_all(struct hwq *q, const char *text)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i += 3) {
		struct item *x =
		    item(i / 3, (uint32_t)(text[i + 1] - '0'), text[i]);

		assert_int_equal(hwq_put(q, &x->it), VT_OK);
		if (text[i + 2] == '\0')
			break;
	}
}

static void
take_all(struct hwq *q, char *out)
{
	struct hwq_item *it;

	while ((it = hwq_take(q)) != NULL)
		*out++ = ((struct item *)(void *)it)->tag;
	*out = '\0';
}

static void
tenants_take_turns(void **state)
{
	/* clang-format off */
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "a1 b1 c1",			"abc" },
		{ "a1 b1 c1 x2",		"axbc" },
		{ "a1 b1 c1 x2 y2 z2",		"axbycz" },
		{ "a1 b1 x2 p3 y2 q3 c1",	"axpbyqc" },
		{ "a1 x2 p3 b1",		"axpb" },
	};
	/* clang-format on */
	char out[32];
	struct hwq q;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		hwq_init(&q);
		put_all(&q, cases[i].in);
		take_all(&q, out);
		assert_string_equal(out, cases[i].out);
		assert_int_equal(q.n, 0);
		assert_null(q.turn);
	}
}

/* A group that comes late waits one round at most, however long the others'
 * lines are. */
static void
a_flood_delays_others_by_one_request_per_group(void **state)
{
	struct hwq q;
	size_t i;
	char tag;

	(void)state;
	hwq_init(&q);
	for (i = 0; i < HWQ_MAX_GROUP; i++)
		assert_int_equal(hwq_put(&q, &item(i, 1, 'f')->it), VT_OK);
	for (i = 0; i < 10; i++)
		assert_non_null(hwq_take(&q));
	assert_int_equal(hwq_put(&q, &item(HWQ_MAX, 2, 'x')->it), VT_OK);
	tag = ((struct item *)(void *)hwq_take(&q))->tag;
	if (tag != 'x')
		tag = ((struct item *)(void *)hwq_take(&q))->tag;
	assert_int_equal(tag, 'x');
	while (hwq_take(&q) != NULL)
		;
}

/* Leaving and coming back gains nothing: one each in turn. */
static void
coming_back_with_one_request_at_a_time_gains_nothing(void **state)
{
	size_t i, busy = 0, mine = 0;
	struct hwq_item *it;
	struct hwq q;

	(void)state;
	hwq_init(&q);
	for (i = 0; i < 100; i++)
		assert_int_equal(hwq_put(&q, &item(i, 1, 'f')->it), VT_OK);
	assert_int_equal(hwq_put(&q, &item(200, 2, 'x')->it), VT_OK);
	for (i = 0; i < 60; i++) {
		it = hwq_take(&q);
		assert_non_null(it);
		if (it->group == 1) {
			busy++;
			continue;
		}
		mine++;
		assert_int_equal(hwq_put(&q, it), VT_OK);
	}
	assert_in_range(mine, 29, 31);
	assert_in_range(busy, 29, 31);
	while (hwq_take(&q) != NULL)
		;
}

static void
what_was_interrupted_is_next(void **state)
{
	struct hwq_item *it;
	char out[16];
	struct hwq q;

	(void)state;
	hwq_init(&q);
	put_all(&q, "a1 b1 x2 p3");
	it = hwq_take(&q);
	assert_int_equal(hwq_put_back(&q, it), VT_OK);
	assert_ptr_equal(hwq_take(&q), it);
	assert_int_equal(hwq_put_back(&q, it), VT_OK);
	assert_int_equal(it->put_back, 2);
	take_all(&q, out);
	assert_string_equal(out, "axpb");
	/* Also as the only one. */
	put_all(&q, "a1");
	it = hwq_take(&q);
	assert_int_equal(hwq_put_back(&q, it), VT_OK);
	assert_int_equal(q.n, 1);
	take_all(&q, out);
	assert_string_equal(out, "a");
}

static void
limits_hold(void **state)
{
	struct hwq q;
	size_t i;

	(void)state;
	hwq_init(&q);
	for (i = 0; i < HWQ_MAX_GROUP; i++)
		assert_int_equal(hwq_put(&q, &item(i, 7, 'a')->it), VT_OK);
	assert_int_equal(hwq_put(&q, &item(i, 7, 'a')->it), VT_E_SPACE);
	assert_int_equal(hwq_put(&q, &item(i, 8, 'a')->it), VT_OK);
	for (i++; i < HWQ_MAX; i++)
		assert_int_equal(
		    hwq_put(&q, &item(i, 100 + (uint32_t)i, 'a')->it), VT_OK);
	assert_int_equal(q.n, HWQ_MAX);
	assert_int_equal(hwq_put(&q, &item(i, 9, 'a')->it), VT_E_SPACE);
	assert_non_null(hwq_take(&q));
	assert_int_equal(hwq_put(&q, &item(i, 9, 'a')->it), VT_OK);
	for (i = 0; hwq_take(&q) != NULL; i++)
		;
	assert_int_equal(i, HWQ_MAX);
}

static void
only_the_expired_leave(void **state)
{
	static const uint64_t deadlines[] = { 50, 10, 99, 10, 70 };
	static const uint32_t groups[] = { 1, 2, 1, 1, 3 };
	struct hwq_item *it;
	size_t i, n = 0;
	char out[16];
	struct hwq q;

	(void)state;
	hwq_init(&q);
	assert_true(hwq_deadline(&q) == UINT64_MAX);
	assert_null(hwq_expired(&q, UINT64_MAX));
	for (i = 0; i < VT_NELEM(deadlines); i++) {
		struct item *x = item(i, groups[i], (char)('a' + i));

		x->it.deadline_us = deadlines[i];
		assert_int_equal(hwq_put(&q, &x->it), VT_OK);
	}
	assert_true(hwq_deadline(&q) == 10);
	assert_null(hwq_expired(&q, 9));
	while ((it = hwq_expired(&q, 50)) != NULL) {
		assert_true(it->deadline_us <= 50);
		n++;
	}
	assert_int_equal(n, 3);
	assert_true(hwq_deadline(&q) == 70);
	/* The last item of a group's line was taken out: it still grows. */
	assert_int_equal(hwq_put(&q, &item(5, 1, 'z')->it), VT_OK);
	take_all(&q, out);
	assert_int_equal(strlen(out), 3);
	assert_non_null(strchr(out, 'c'));
	assert_non_null(strchr(out, 'e'));
	assert_true(strchr(out, 'c') < strchr(out, 'z'));
}

/* Any mix of operations: what went in comes out once, in order per group. */
static void
nothing_is_lost_or_doubled(void **state)
{
	uint32_t seed = 12345, last[4] = { 0 }, seq[4] = { 0 };
	size_t used = 0, in = 0, outn = 0;
	struct hwq_item *it;
	struct hwq q;
	int i;

	(void)state;
	hwq_init(&q);
	for (i = 0; i < 3000; i++) {
		uint32_t g;

		seed = seed * 1103515245u + 12345u;
		g = seed >> 16 & 3;
		if ((seed >> 20 & 1) != 0 && used < HWQ_MAX) {
			struct item *x = item(used++, g, 'r');

			x->it.deadline_us = ++seq[g];
			assert_int_equal(hwq_put(&q, &x->it), VT_OK);
			in++;
		} else if ((it = hwq_take(&q)) != NULL) {
			assert_true(it->deadline_us == last[it->group] + 1);
			last[it->group]++;
			outn++;
		}
		assert_int_equal(q.n, in - outn);
	}
	while (hwq_take(&q) != NULL)
		outn++;
	assert_int_equal(in, outn);
}

/* --- quotas, by a clock of our own -----------------------------------------
 */

#define SEC UINT64_C(1000000)

/* Serve with requests of us each until `until`; who got how much in *use. */
static void
serve(struct hwq *q, struct hwquota *quota, uint64_t *now, uint64_t until,
    uint64_t us, uint64_t use[4])
{
	struct hwq_item *it;
	uint64_t t;

	while (*now < until) {
		if ((it = hwq_next(q, quota, *now)) == NULL) {
			t = hwq_when(q, quota, *now);
			assert_true(t > *now);
			*now = t < until ? t : until;
			continue;
		}
		*now += us;
		use[it->group] += us;
		hwquota_charge(quota, it->group, us, 0, *now);
		assert_int_equal(hwq_put(q, it), VT_OK); /* it floods */
	}
}

static void
a_group_gets_its_share_and_no_more(void **state)
{
	uint64_t now = 77 * SEC, use[4] = { 0 }, t0 = now;
	struct hwquota quota;
	struct hwq q;
	size_t i;

	(void)state;
	hwq_init(&q);
	hwquota_init(&quota);
	assert_int_equal(hwquota_limit(&quota, 1, 6000, now), VT_OK);
	for (i = 0; i < 20; i++)
		assert_int_equal(hwq_put(&q, &item(i, 1, 'f')->it), VT_OK);
	serve(&q, &quota, &now, t0 + 600 * SEC, 200000, use);
	/* Ten minutes at 6 s each, the bucket it began with, one request. */
	assert_true(use[1] >= 66 * SEC - 200000 && use[1] <= 66 * SEC + 200000);
	assert_int_equal(hwquota_use(&quota, 1)->us, use[1]);
	assert_true(hwquota_use(&quota, 1)->delayed >= 20);
	while (hwq_take(&q) != NULL)
		;
	hwquota_done(&quota);
}

static void
who_is_over_quota_delays_nobody_else(void **state)
{
	uint64_t now = SEC, use[4] = { 0 };
	struct hwquota quota;
	struct hwq q;
	size_t i;

	(void)state;
	hwq_init(&q);
	hwquota_init(&quota);
	assert_int_equal(hwquota_limit(&quota, 1, 1000, now), VT_OK);
	assert_int_equal(hwquota_limit(&quota, 2, 0, now), VT_OK);
	for (i = 0; i < 10; i++) {
		assert_int_equal(hwq_put(&q, &item(i, 1, 'a')->it), VT_OK);
		assert_int_equal(hwq_put(&q, &item(20 + i, 2, 'b')->it), VT_OK);
		assert_int_equal(hwq_put(&q, &item(40 + i, 3, 'c')->it), VT_OK);
	}
	serve(&q, &quota, &now, SEC + 60 * SEC, 100000, use);
	assert_true(use[1] <= 2 * SEC + 100000);
	assert_true(use[2] >= 28 * SEC && use[3] >= 28 * SEC);
	assert_int_equal(hwquota_use(&quota, 2)->delayed, 0);
	while (hwq_take(&q) != NULL)
		;
	hwquota_done(&quota);
}

static void
one_long_request_is_paid_off(void **state)
{
	struct hwquota quota;
	uint64_t now = SEC, t;

	(void)state;
	hwquota_init(&quota);
	assert_int_equal(hwquota_limit(&quota, 5, 600, now), VT_OK);
	assert_true(hwquota_when(&quota, 5, now) == now);
	/* 6 s at 0.6 s a minute: 9 minutes after the 0.6 s that were there. */
	hwquota_charge(&quota, 5, 6 * SEC, 0, now);
	t = hwquota_when(&quota, 5, now);
	assert_in_range(t, now + 540 * SEC, now + 541 * SEC);
	assert_true(hwquota_when(&quota, 5, t - SEC) > t - SEC);
	assert_true(hwquota_when(&quota, 5, t) == t);
	hwquota_done(&quota);
}

static void
asking_often_loses_no_fraction(void **state)
{
	struct hwquota quota;
	uint64_t now = SEC, i;

	(void)state;
	hwquota_init(&quota);
	assert_int_equal(hwquota_limit(&quota, 5, 1, now), VT_OK);
	hwquota_charge(&quota, 5, 2000, 0, now); /* 1 ms of debt: a minute */
	for (i = 0; i < 600; i++)
		(void)hwquota_when(&quota, 5, now + i * 100001);
	assert_true(hwquota_when(&quota, 5, now + 59 * SEC) > now + 59 * SEC);
	assert_true(hwquota_when(&quota, 5, now + 61 * SEC) == now + 61 * SEC);
	hwquota_done(&quota);
}

static void
setting_a_limit_again_gives_nothing(void **state)
{
	struct hwquota quota;
	uint64_t now = SEC;

	(void)state;
	hwquota_init(&quota);
	assert_int_equal(hwquota_limit(&quota, 5, 100, now), VT_OK);
	hwquota_charge(&quota, 5, 200000, 0, now);
	assert_true(hwquota_when(&quota, 5, now) > now);
	assert_int_equal(hwquota_limit(&quota, 5, 100, now), VT_OK);
	assert_true(hwquota_when(&quota, 5, now) > now);
	assert_int_equal(hwquota_limit(&quota, 5, 200, now), VT_OK);
	assert_true(hwquota_when(&quota, 5, now) > now);
	assert_int_equal(hwquota_limit(&quota, 5, 0, now), VT_OK);
	assert_true(hwquota_when(&quota, 5, now) == now);
	assert_int_equal(
	    hwquota_limit(&quota, 5, HW_SHARE_MS_MAX + 1, now), VT_E_RANGE);
	hwquota_done(&quota);
}

static void
accounts_are_bounded(void **state)
{
	struct hwquota quota;
	uint32_t i;

	(void)state;
	hwquota_init(&quota);
	for (i = 0; i < HW_GROUPS_MAX; i++)
		assert_int_equal(hwquota_limit(&quota, i, 1, 1), VT_OK);
	assert_int_equal(hwquota_limit(&quota, i, 1, 1), VT_E_SPACE);
	hwquota_charge(&quota, i, SEC, 0, 1);
	assert_null(hwquota_use(&quota, i));
	hwquota_drop(&quota, 7);
	assert_null(hwquota_use(&quota, 7));
	assert_non_null(hwquota_use(&quota, HW_GROUPS_MAX - 1));
	assert_int_equal(hwquota_limit(&quota, i, 1, 1), VT_OK);
	hwquota_done(&quota);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tenants_take_turns),
		cmocka_unit_test(
		    a_flood_delays_others_by_one_request_per_group),
		cmocka_unit_test(
		    coming_back_with_one_request_at_a_time_gains_nothing),
		cmocka_unit_test(what_was_interrupted_is_next),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(only_the_expired_leave),
		cmocka_unit_test(nothing_is_lost_or_doubled),
		cmocka_unit_test(a_group_gets_its_share_and_no_more),
		cmocka_unit_test(who_is_over_quota_delays_nobody_else),
		cmocka_unit_test(one_long_request_is_paid_off),
		cmocka_unit_test(asking_often_loses_no_fraction),
		cmocka_unit_test(setting_a_limit_again_gives_nothing),
		cmocka_unit_test(accounts_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
