/* SPDX-License-Identifier: BSD-3-Clause */
/* test_start_fsm.c - the table of the manager's start, walked whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "vtpm_manager/core/start_fsm.h"

#define EACH(s, e)                          \
	for (s = 0; s < START_NSTATES; s++) \
		for (e = 0; e < START_NEVENTS; e++)

static void
mark(enum start_state s, bool seen[START_NSTATES])
{
	unsigned int e;

	if (seen[s])
		return;
	seen[s] = true;
	for (e = 0; e < START_NEVENTS; e++)
		mark(start_step(s, e).next, seen);
}

static void
every_state_is_reached_and_leads_to_ready(void **state)
{
	unsigned int s, from;

	(void)state;
	for (from = 0; from < START_NSTATES; from++) {
		bool seen[START_NSTATES] = { false };

		mark(from, seen);
		assert_true(seen[START_READY]);
		for (s = 0; from == START_NEW && s < START_NSTATES; s++)
			assert_true(seen[s]);
	}
}

static void
what_is_not_listed_changes_nothing(void **state)
{
	unsigned int s, e, listed = 0;
	struct start_step st;

	(void)state;
	EACH(s, e)
	{
		st = start_step(s, e);
		if (st.act == START_VIOLATION)
			assert_int_equal(st.next, s);
		else
			listed++;
	}
	assert_int_equal(listed, 14);
}

/* The store opens by the counter alone, and stays open. */
static void
store_opens_only_once_its_counter_is_known(void **state)
{
	unsigned int s, e;
	struct start_step st;

	(void)state;
	EACH(s, e)
	{
		st = start_step(s, e);
		if (start_store_open(s))
			assert_true(start_store_open(st.next));
		else if (start_store_open(st.next))
			assert_int_equal(e, START_E_COUNTER);
		assert_int_equal(
		    start_store_open(st.next) && !start_store_open(s),
		    st.act == START_UNLOCK || st.act == START_UNLOCK_NEW);
	}
}

static void
guests_are_served_only_after_the_approvals_are_checked(void **state)
{
	unsigned int s, e;
	struct start_step st;

	(void)state;
	EACH(s, e)
	{
		st = start_step(s, e);
		if (s == START_READY) /* final */
			assert_int_equal(st.act, START_VIOLATION);
		else
			assert_int_equal(st.next == START_READY,
			    e == START_E_CHECKED && start_store_open(s));
		assert_int_equal(st.next == START_READY && s != START_READY,
		    st.act == START_SERVE || st.act == START_SERVE_MOVED);
	}
}

/* No key, no store: only the TPM or the shares end it. */
static void
sealed_ends_by_a_key_only(void **state)
{
	unsigned int e;
	struct start_step st;

	(void)state;
	for (e = 0; e < START_NEVENTS; e++) {
		st = start_step(START_SEALED, e);
		assert_int_equal(st.next != START_SEALED,
		    e == START_E_LOADED || e == START_E_MOVED);
		if (st.next != START_SEALED)
			assert_int_equal(st.act, START_ASK_COUNTER);
	}
}

/* Shares are taken by a sealed manager only, and what they open is accepted
 * at the end; nothing else is. */
static void
moved_store_is_accepted_and_no_other(void **state)
{
	unsigned int s, e;
	struct start_step st;
	enum start_state at = START_SEALED;

	(void)state;
	EACH(s, e)
	{
		st = start_step(s, e);
		if (e == START_E_MOVED && st.act != START_VIOLATION)
			assert_int_equal(s, START_SEALED);
		if (st.act == START_SERVE_MOVED)
			assert_int_equal(s, START_OPEN_MOVED);
		if (st.next == START_OPEN_MOVED && s != START_OPEN_MOVED)
			assert_int_equal(s, START_COUNTER_MOVED);
		if (st.next == START_COUNTER_MOVED && s != START_COUNTER_MOVED)
			assert_int_equal(e, START_E_MOVED);
	}
	at = start_step(at, START_E_MOVED).next;
	at = start_step(at, START_E_COUNTER).next;
	assert_int_equal(
	    start_step(at, START_E_CHECKED).act, START_SERVE_MOVED);
}

static void
names_are_there_and_differ(void **state)
{
	unsigned int i, k;

	(void)state;
	for (i = 0; i < START_NSTATES; i++)
		for (k = 0; k < i; k++)
			assert_string_not_equal(
			    start_state_name(i), start_state_name(k));
	for (i = 0; i < START_NEVENTS; i++)
		for (k = 0; k < i; k++)
			assert_string_not_equal(
			    start_event_name(i), start_event_name(k));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_is_reached_and_leads_to_ready),
		cmocka_unit_test(what_is_not_listed_changes_nothing),
		cmocka_unit_test(store_opens_only_once_its_counter_is_known),
		cmocka_unit_test(
		    guests_are_served_only_after_the_approvals_are_checked),
		cmocka_unit_test(sealed_ends_by_a_key_only),
		cmocka_unit_test(moved_store_is_accepted_and_no_other),
		cmocka_unit_test(names_are_there_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
