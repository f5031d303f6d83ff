/* SPDX-License-Identifier: BSD-3-Clause */
/* test_worker_requests.c - requests in flight to a worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vtpm_manager/guest/worker_requests.h"

static uint32_t
add(struct wreqs *q, uint16_t type, uint64_t deadline_us)
{
	struct wreq *r = wreqs_place(q, type);

	if (r == NULL)
		return 0;
	r->id = wreqs_new_id(q);
	r->type = type;
	r->deadline_us = deadline_us;
	return r->id;
}

static void
an_answer_finds_its_request_once(void **state)
{
	struct wreqs q = { .last_id = 0 };
	struct wreq r = { .id = 77 };
	uint32_t a = add(&q, W_STOP, 1), b = add(&q, W_QUERY, 2);

	(void)state;
	assert_int_not_equal(a, b);
	assert_false(wreqs_take(&q, b + 1, &r));
	assert_false(wreqs_take(&q, 0, &r));
	assert_int_equal(r.id, 77);
	assert_true(wreqs_take(&q, b, &r));
	assert_int_equal(r.type, W_QUERY);
	assert_false(wreqs_take(&q, b, &r));
	assert_true(wreqs_take(&q, a, &r));
	assert_null(wreqs_first_due(&q));
}

static void
an_id_is_never_0(void **state)
{
	struct wreqs q = { .last_id = UINT32_MAX };

	(void)state;
	assert_int_equal(wreqs_new_id(&q), 1);
}

static void
queries_leave_room(void **state)
{
	struct wreqs q = { .last_id = 0 };
	struct wreq r;
	unsigned int i;

	(void)state;
	for (i = 0; i < WLINK_QUERIES_MAX; i++)
		assert_int_not_equal(add(&q, W_QUERY, 1), 0);
	assert_int_equal(add(&q, W_QUERY, 1), 0);
	for (; i < WLINK_REQS_MAX; i++)
		assert_int_not_equal(add(&q, W_STOP, 1), 0);
	assert_int_equal(add(&q, W_STOP, 1), 0);
	assert_true(wreqs_take_at(&q, 3, &r));
	assert_false(wreqs_take_at(&q, 3, &r));
	assert_int_not_equal(add(&q, W_STOP, 1), 0);
}

static void
the_earliest_deadline_is_due_first(void **state)
{
	struct wreqs q = { .last_id = 0 };
	uint32_t late = add(&q, W_STOP, 30), first = add(&q, W_STOP, 10);
	struct wreq r;

	(void)state;
	(void)add(&q, W_STOP, 20);
	assert_int_equal(wreqs_first_due(&q)->id, first);
	assert_true(wreqs_take(&q, first, &r));
	assert_int_equal(wreqs_first_due(&q)->deadline_us, 20);
	assert_true(wreqs_take(&q, late, &r));
	assert_int_equal(wreqs_first_due(&q)->deadline_us, 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_finds_its_request_once),
		cmocka_unit_test(an_id_is_never_0),
		cmocka_unit_test(queries_leave_room),
		cmocka_unit_test(the_earliest_deadline_is_due_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
