/* SPDX-License-Identifier: BSD-3-Clause */
/* test_back_fsm.c - the attachment's state table, walked whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tpmback/back_fsm.h"

#define EACH(s, e)                                     \
	for (enum bk_state s = 0; s < BK_NSTATES; s++) \
		for (enum bk_event e = 0; e < BE_NEVENTS; e++)

static void
every_pair_leads_to_a_state(void **state)
{
	(void)state;
	EACH(s, e)
	assert_true(bk_step(s, e).next < BK_NSTATES);
}

static void
closed_is_final(void **state)
{
	(void)state;
	for (enum bk_event e = 0; e < BE_NEVENTS; e++)
		assert_int_equal(bk_step(BK_CLOSED, e).next, BK_CLOSED);
}

/* What was handed to the TPM cannot be taken back: only its answer, or the
 * end of the worker itself, ends the wait. */
static void
only_an_answer_or_our_own_end_ends_a_command(void **state)
{
	(void)state;
	EACH(s, e)
	{
		if (bk_in_flight(s) && !bk_in_flight(bk_step(s, e).next))
			assert_true(e == BE_REPLY || e == BE_WORKER_GONE);
	}
}

static void
a_command_is_only_taken_in_idle(void **state)
{
	(void)state;
	EACH(s, e)
	{
		if (bk_step(s, e).act != BA_DISPATCH)
			continue;
		assert_int_equal(s, BK_IDLE);
		assert_int_equal(e, BE_SUBMIT);
		assert_int_equal(bk_step(s, e).next, BK_BUSY);
	}
}

static bool
mapped(enum bk_state s)
{
	return s == BK_IDLE || s == BK_BUSY || s == BK_CANCELING;
}

static void
the_page_is_touched_only_while_it_is_mapped(void **state)
{
	(void)state;
	EACH(s, e)
	{
		enum bk_action a = bk_step(s, e).act;

		if (a == BA_FINISH || a == BA_SET_IDLE || a == BA_DISPATCH)
			assert_true(mapped(s));
	}
}

static void
leaving_the_mapped_states_unmaps(void **state)
{
	(void)state;
	EACH(s, e)
	{
		struct bk_step st = bk_step(s, e);

		if (mapped(s) && !mapped(st.next))
			assert_true(
			    st.act == BA_UNMAP || st.act == BA_VIOLATION);
		if (st.act == BA_UNMAP)
			assert_true(mapped(s) && !mapped(st.next));
		if (st.act == BA_MAP)
			assert_true(!mapped(s) && mapped(st.next));
	}
}

/* A guest can write any state at any time and loses nothing but time. */
static void
no_page_state_closes_an_attachment(void **state)
{
	static const enum bk_event from_page[] = { BE_SUBMIT, BE_CANCEL,
		BE_GARBAGE };
	size_t i;

	(void)state;
	for (enum bk_state s = 0; s < BK_NSTATES; s++)
		for (i = 0; mapped(s) && i < 3; i++)
			assert_true(mapped(bk_step(s, from_page[i]).next));
}

static void
a_cancelled_command_still_gets_its_answer(void **state)
{
	struct bk_step st = bk_step(BK_BUSY, BE_CANCEL);

	(void)state;
	assert_int_equal(st.act, BA_ABORT);
	st = bk_step(st.next, BE_REPLY);
	assert_int_equal(st.act, BA_FINISH);
	assert_int_equal(st.next, BK_IDLE);
}

static void
an_answer_nobody_waits_for_is_a_violation(void **state)
{
	(void)state;
	assert_int_equal(bk_step(BK_IDLE, BE_REPLY).act, BA_VIOLATION);
	assert_int_equal(bk_step(BK_INIT_WAIT, BE_REPLY).act, BA_VIOLATION);
	assert_int_equal(bk_step(BK_CLOSED, BE_REPLY).act, BA_VIOLATION);
}

static void
every_state_has_a_name(void **state)
{
	(void)state;
	for (enum bk_state s = 0; s < BK_NSTATES; s++)
		assert_string_not_equal(bk_state_name(s), "?");
	assert_string_equal(bk_state_name(BK_NSTATES), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_leads_to_a_state),
		cmocka_unit_test(closed_is_final),
		cmocka_unit_test(only_an_answer_or_our_own_end_ends_a_command),
		cmocka_unit_test(a_command_is_only_taken_in_idle),
		cmocka_unit_test(the_page_is_touched_only_while_it_is_mapped),
		cmocka_unit_test(leaving_the_mapped_states_unmaps),
		cmocka_unit_test(no_page_state_closes_an_attachment),
		cmocka_unit_test(a_cancelled_command_still_gets_its_answer),
		cmocka_unit_test(an_answer_nobody_waits_for_is_a_violation),
		cmocka_unit_test(every_state_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
