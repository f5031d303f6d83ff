/* SPDX-License-Identifier: BSD-3-Clause */
/* test_front_fsm.c - a vtpm device's states as its front half sees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "tpmfront/front_fsm.h"

static bool
has_page(enum front_state s)
{
	return s == FS_OFFERED || s == FS_UP || s == FS_LEAVING;
}

/* Play events one after the other; the state after the last. */
static enum front_state
play(enum front_state s, const enum front_event *e, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		s = front_step(s, e[i]).next;
	return s;
}

static void
an_offer_is_made_only_to_a_waiting_back_half(void **state)
{
	int s, e;

	(void)state;
	for (s = 0; s < FS_NSTATES; s++)
		for (e = 0; e < FE_NEVENTS; e++)
			if (front_step(s, e).act == FA_OFFER)
				assert_int_equal(e, FE_BACK_WAITS);
}

static void
the_page_is_used_only_when_the_back_half_is_up(void **state)
{
	int s, e;

	(void)state;
	for (s = 0; s < FS_NSTATES; s++)
		for (e = 0; e < FE_NEVENTS; e++) {
			struct front_step st = front_step(s, e);

			if (st.next == FS_UP && s != FS_UP) {
				assert_int_equal(s, FS_OFFERED);
				assert_int_equal(e, FE_BACK_UP);
				assert_int_equal(st.act, FA_USE);
			}
		}
}

/* The whole table: nobody keeps a page in a state that has none, nobody
 * writes into a folder that is not there. */
static void
every_cell_keeps_the_invariants(void **state)
{
	int s, e;

	(void)state;
	for (s = 0; s < FS_NSTATES; s++) {
		for (e = 0; e < FE_NEVENTS; e++) {
			struct front_step st = front_step(s, e);

			assert_true(st.next < FS_NSTATES);
			assert_true(st.act < FA_NACTIONS);
			if (has_page(s) && !has_page(st.next) &&
			    st.next != FS_CLEARING)
				assert_true(
				    st.act == FA_DROP || st.act == FA_WITHDRAW);
			if (!has_page(s) && has_page(st.next))
				assert_true(st.act == FA_OFFER ||
					    (s == FS_CLEARING &&
						st.next == FS_LEAVING));
			if (e == FE_NO_DEVICE || e == FE_TAKEN ||
			    e == FE_REMADE) {
				assert_true(
				    st.act == FA_NONE || st.act == FA_DROP);
				assert_false(has_page(st.next));
			}
			if (s == FS_LEFT) {
				assert_int_equal(st.next, FS_LEFT);
				assert_int_equal(st.act, FA_NONE);
			}
			if (e == FE_LEAVE) /* nothing comes back to life */
				assert_true(st.next >= FS_LEAVING);
			if (s >= FS_LEAVING)
				assert_true(st.next >= (enum front_state)s);
		}
		assert_non_null(front_state_name((enum front_state)s));
	}
	assert_string_equal(front_state_name(FS_NSTATES), "?");
}

/* Whatever happens, some sequence of the back half's states leads up. */
static void
every_state_before_leaving_can_come_up(void **state)
{
	static const enum front_event cure[] = { FE_BACK_CLOSING, FE_BACK_WAITS,
		FE_BACK_UP };
	int s;

	(void)state;
	for (s = FS_AWAY; s <= FS_UP; s++)
		assert_int_equal(play(s, cure, VT_NELEM(cure)), FS_UP);
}

static void
what_a_predecessor_left_is_closed_first(void **state)
{
	struct front_step st = front_step(FS_AWAY, FE_BACK_UP);

	(void)state;
	assert_int_equal(st.act, FA_CLOSE);
	assert_int_equal(
	    front_step(st.next, FE_BACK_UP).act, FA_NONE); /* not seen yet */
	st = front_step(st.next, FE_BACK_CLOSING);
	assert_int_equal(st.act, FA_WITHDRAW);
	assert_int_equal(front_step(st.next, FE_BACK_WAITS).act, FA_OFFER);
}

static void
a_resumed_guest_starts_anew_without_a_word_to_the_old_folder(void **state)
{
	struct front_step st = front_step(FS_UP, FE_REMADE);

	(void)state;
	assert_int_equal(st.act, FA_DROP);
	assert_int_equal(st.next, FS_AWAY);
	assert_int_equal(front_step(st.next, FE_BACK_WAITS).next, FS_OFFERED);
}

static void
a_back_half_that_speaks_version_1_gets_nothing(void **state)
{
	int s;

	(void)state;
	for (s = 0; s < FS_NSTATES; s++)
		if (s != FS_UP)
			assert_int_not_equal(
			    front_step(s, FE_BACK_OLD).next, FS_UP);
}

static void
leaving_ends_whatever_the_back_half_does(void **state)
{
	static const enum front_state from[] = { FS_AWAY, FS_CLEARING,
		FS_OFFERED, FS_UP };
	static const enum front_event polite[] = { FE_LEAVE, FE_BACK_CLOSING,
		FE_BACK_WAITS };
	static const enum front_event rude[] = { FE_LEAVE, FE_FAILED,
		FE_FAILED };
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(from); i++) {
		assert_int_equal(
		    play(from[i], polite, VT_NELEM(polite)), FS_LEFT);
		assert_int_equal(play(from[i], rude, VT_NELEM(rude)), FS_LEFT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_is_made_only_to_a_waiting_back_half),
		cmocka_unit_test(
		    the_page_is_used_only_when_the_back_half_is_up),
		cmocka_unit_test(every_cell_keeps_the_invariants),
		cmocka_unit_test(every_state_before_leaving_can_come_up),
		cmocka_unit_test(what_a_predecessor_left_is_closed_first),
		cmocka_unit_test(
		    a_resumed_guest_starts_anew_without_a_word_to_the_old_folder),
		cmocka_unit_test(
		    a_back_half_that_speaks_version_1_gets_nothing),
		cmocka_unit_test(leaving_ends_whatever_the_back_half_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
