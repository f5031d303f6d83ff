/* SPDX-License-Identifier: BSD-3-Clause */
/* test_power_wake.c - reset or wake-up, in the table of power_fsm.h (law 4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "power_names.h"

/* --- reset or wake-up (CVE-2018-6622) --------------------------------------
 */

/* A later CMD_INIT of one hypervisor is no power cycle yet. */
static void
a_second_init_keeps_what_the_pcrs_stand_for(void **state)
{
	(void)state;
	for (enum power_state s = 0; s < PS_NSTATES; s++) {
		struct power_step st = power_step(s, PE_INIT_AGAIN);

		assert_int_equal(st.act == PA_WAKE, is_off(s));
		if (!is_off(s))
			continue;
		assert_true(named(st.next, "UNSURE"));
		assert_int_equal(power_is_capped(st.next), power_is_capped(s));
		assert_int_equal(
		    power_is_launched(st.next), power_is_launched(s));
	}
}

static void
only_a_reset_that_was_seen_starts_pcrs_anew(void **state)
{
	(void)state;
	EACH(s, e)
	{
		enum power_action a = power_step(s, e).act;

		if (a == PA_ANEW)
			assert_true(
			    named(s, "UNSURE") &&
			    (e == PE_SAW_RESET || e == PE_SAW_RESET_LAUNCH));
		/* or, without a monitor, on the guest's word: noted */
		if (a == PA_UNSEEN)
			assert_true(
			    named(s, "UNSURE") &&
			    (e == PE_ASK_STARTUP || e == PE_ASK_STARTUP_CLEAR));
	}
}

/* Neither a wake-up nor a monitor that is silent leaves the guest a way to
 * PCRs that start over: Startup(STATE) continues, all else is capped. */
static void
a_waking_guest_goes_on_or_is_capped(void **state)
{
	(void)state;
	EACH(s, e)
	{
		struct power_step st = power_step(s, e);

		if (named(s, "UNSURE") &&
		    (e == PE_SAW_WAKEUP || e == PE_SAW_NOTHING))
			assert_true(named(st.next, "WAKING"));
		if (!named(s, "WAKING") || !is_guests(e))
			continue;
		assert_true(st.act == PA_RUN || st.act == PA_NONE ||
			    st.act == PA_CAP_WAKING || st.act == PA_VIOLATION);
		if (e == PE_ASK_STARTUP || e == PE_ASK_STARTUP_CLEAR)
			assert_int_equal(st.act, PA_CAP_WAKING);
		if (st.next == s)
			continue;
		if (st.next == PS_CAPPING) {
			assert_int_equal(st.act, PA_CAP_WAKING);
			continue;
		}
		assert_int_equal(e, PE_STARTUP_STATE);
		assert_int_equal(power_is_capped(st.next), power_is_capped(s));
		assert_int_equal(
		    power_is_launched(st.next), power_is_launched(s));
	}
}

static void
a_wake_up_never_measures_a_launch(void **state)
{
	(void)state;
	EACH(s, e)
	if (is_waking(s) && e != PE_SAW_RESET_LAUNCH)
		assert_true(power_step(s, e).next != PS_LAUNCHING &&
			    power_step(s, e).next != PS_ARMED);
}

/* Linux's hwrng was seen to ask after TPM2_Shutdown(STATE). */
static void
what_shutdown_state_saved_survives_one_more_command(void **state)
{
	static const enum power_state on[] = { PS_PLAIN, PS_DUE, PS_LAUNCHED,
		PS_CAPPED };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(on) / sizeof(on[0]); i++) {
		enum power_state s = power_step(on[i], PE_SHUT_DOWN_STATE).next;

		assert_int_equal(power_step(s, PE_POWER_OFF).act, PA_CUT);
		s = power_step(power_step(s, PE_ASK).next, PE_RAN).next;
		s = power_step(power_step(s, PE_ASK).next, PE_RAN).next;
		assert_int_equal(power_step(s, PE_POWER_OFF).act, PA_SAVE);
		s = power_step(s, PE_SHUT_DOWN).next;
		assert_true(ends(s, "_DOWN"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_init_keeps_what_the_pcrs_stand_for),
		cmocka_unit_test(only_a_reset_that_was_seen_starts_pcrs_anew),
		cmocka_unit_test(a_waking_guest_goes_on_or_is_capped),
		cmocka_unit_test(a_wake_up_never_measures_a_launch),
		cmocka_unit_test(
		    what_shutdown_state_saved_survives_one_more_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
