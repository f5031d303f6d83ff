/* SPDX-License-Identifier: BSD-3-Clause */
/* test_guest_fsm.c - the life of a worker, walked whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "vtpm_manager/guest/guest_fsm.h"

#define EACH(s, e)                                        \
	for (enum guest_state s = 0; s < IS_NSTATES; s++) \
		for (enum guest_event e = 0; e < IE_NEVENTS; e++)

/* In these there is, or may be, a worker process. */
static bool
has_worker(enum guest_state s)
{
	return s == IS_SPAWNING || s == IS_LOADING || s == IS_RUNNING ||
	       s == IS_STOPPING || s == IS_FINDING;
}

static bool
is_failure(enum guest_event e)
{
	return e == IE_REFUSED || e == IE_CRASHED || e == IE_CRASHED_OUT;
}

static void
every_pair_leads_to_a_state_and_an_action(void **state)
{
	(void)state;
	EACH(s, e)
	{
		assert_true(guest_step(s, e).next < IS_NSTATES);
		assert_true(guest_step(s, e).act < IA_NACTIONS);
	}
}

static void
what_is_not_possible_changes_nothing(void **state)
{
	(void)state;
	EACH(s, e)
	if (guest_step(s, e).act == IA_VIOLATION)
		assert_int_equal(guest_step(s, e).next, s);
}

/* Two workers of one vTPM would be two copies of its state. */
static void
a_worker_is_only_asked_for_where_there_is_none(void **state)
{
	(void)state;
	EACH(s, e)
	{
		struct guest_step st = guest_step(s, e);

		if (st.act != IA_SPAWN && st.act != IA_CONNECT)
			continue;
		assert_true(
		    !has_worker(s) || (s == IS_FINDING && e == IE_CRASHED));
	}
}

static void
only_start_find_and_the_timer_bring_one_to_life(void **state)
{
	(void)state;
	EACH(s, e)
	if (!has_worker(s) && has_worker(guest_step(s, e).next))
		assert_true(e == IE_START || e == IE_FIND || e == IE_TIMER);
}

static void
every_failure_of_a_worker_is_handled(void **state)
{
	(void)state;
	EACH(s, e)
	{
		if (!has_worker(s) || !is_failure(e))
			continue;
		/* One that runs or is looked for was up: never refused. */
		if (e == IE_REFUSED && (s == IS_RUNNING || s == IS_FINDING))
			continue;
		assert_int_not_equal(guest_step(s, e).act, IA_VIOLATION);
		assert_int_not_equal(guest_step(s, e).next, s);
	}
}

static void
stop_always_leads_to_stopped(void **state)
{
	(void)state;
	for (enum guest_state s = 0; s < IS_NSTATES; s++) {
		struct guest_step st = guest_step(s, IE_STOP);

		if (s == IS_STOPPED)
			continue;
		assert_true(st.next == IS_STOPPING || st.next == IS_STOPPED);
		if (st.next == IS_STOPPED)
			assert_int_equal(st.act, IA_END);
	}
}

/* Once the operator wants it down, nothing starts it again. */
static void
stopping_ends_in_stopped_only(void **state)
{
	(void)state;
	for (enum guest_event e = 0; e < IE_NEVENTS; e++) {
		struct guest_step st = guest_step(IS_STOPPING, e);

		assert_true(st.next == IS_STOPPING || st.next == IS_STOPPED);
		assert_true(st.act != IA_SPAWN && st.act != IA_LOAD &&
			    st.act != IA_READY);
	}
}

static void
whoever_waits_is_told_when_it_is_forgotten(void **state)
{
	(void)state;
	EACH(s, e)
	{
		struct guest_step st = guest_step(s, e);

		if (s != IS_STOPPED && st.next == IS_STOPPED)
			assert_true(st.act == IA_END || st.act == IA_REFUSE);
		if (st.act == IA_END || st.act == IA_REFUSE)
			assert_int_equal(st.next, IS_STOPPED);
	}
}

static void
up_is_only_reached_by_loading_or_finding(void **state)
{
	(void)state;
	EACH(s, e)
	{
		struct guest_step st = guest_step(s, e);

		if (s == IS_RUNNING || st.next != IS_RUNNING)
			continue;
		assert_true((s == IS_LOADING && e == IE_LOADED) ||
			    (s == IS_FINDING && e == IE_FOUND));
	}
}

static void
names_are_all_there_and_differ(void **state)
{
	(void)state;
	for (enum guest_state a = 0; a < IS_NSTATES; a++) {
		assert_non_null(guest_state_name(a));
		for (enum guest_state b = 0; b < a; b++)
			assert_string_not_equal(
			    guest_state_name(a), guest_state_name(b));
	}
	for (enum guest_event e = 0; e < IE_NEVENTS; e++)
		assert_non_null(guest_event_name(e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_leads_to_a_state_and_an_action),
		cmocka_unit_test(what_is_not_possible_changes_nothing),
		cmocka_unit_test(
		    a_worker_is_only_asked_for_where_there_is_none),
		cmocka_unit_test(
		    only_start_find_and_the_timer_bring_one_to_life),
		cmocka_unit_test(every_failure_of_a_worker_is_handled),
		cmocka_unit_test(stop_always_leads_to_stopped),
		cmocka_unit_test(stopping_ends_in_stopped_only),
		cmocka_unit_test(whoever_waits_is_told_when_it_is_forgotten),
		cmocka_unit_test(up_is_only_reached_by_loading_or_finding),
		cmocka_unit_test(names_are_all_there_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
