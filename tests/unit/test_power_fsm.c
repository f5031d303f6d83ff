/* SPDX-License-Identifier: BSD-3-Clause */
/* test_power_fsm.c - a vTPM's power life, its table walked whole (law 4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "power_names.h"

static void
every_pair_leads_to_a_state_and_an_action(void **state)
{
	(void)state;
	EACH(s, e)
	{
		assert_true(power_step(s, e).next < PS_NSTATES);
		assert_true(power_step(s, e).act < PA_NACTIONS);
	}
}

static void
what_is_not_possible_changes_nothing(void **state)
{
	(void)state;
	EACH(s, e)
	if (power_step(s, e).act == PA_VIOLATION)
		assert_int_equal(power_step(s, e).next, s);
}

static void
predicates_say_what_the_names_say(void **state)
{
	(void)state;
	for (enum power_state s = 0; s < PS_NSTATES; s++) {
		assert_int_equal(power_is_on(s), is_on(s));
		assert_int_equal(
		    power_is_started(s), is_started(s) || is_busy(s));
		assert_int_equal(power_has_identity(s), is_on(s) || is_off(s));
		assert_int_equal(power_is_capped(s),
		    is_capped(s) || s == PS_OFF_CAPPED ||
			(is_waking(s) && ends(s, "_CAPPED")));
		assert_int_equal(power_is_launched(s),
		    is_measured(s) || s == PS_OFF_LAUNCHED ||
			(is_waking(s) && ends(s, "_LAUNCHED")));
		assert_int_equal(power_is_unsure(s), named(s, "UNSURE"));
		assert_int_equal(power_is_waking(s), is_waking(s));
	}
}

static void
broken_is_final_and_break_leads_there(void **state)
{
	(void)state;
	for (enum power_event e = 0; e < PE_NEVENTS; e++)
		assert_int_equal(power_step(PS_BROKEN, e).next, PS_BROKEN);
	EACH(s, e)
	{
		if (s != PS_BROKEN)
			assert_int_equal(
			    power_step(s, e).next == PS_BROKEN, e == PE_BREAK);
	}
}

static void
an_identity_is_taken_once_and_kept(void **state)
{
	(void)state;
	EACH(s, e)
	{
		enum power_state n = power_step(s, e).next;

		if (power_has_identity(s))
			assert_true(power_has_identity(n) || n == PS_BROKEN);
		else if (power_has_identity(n))
			assert_int_equal(e, PE_BECAME);
	}
}

/* --- law 4 -----------------------------------------------------------------
 */

static void
a_guest_alone_neither_powers_on_nor_off(void **state)
{
	(void)state;
	EACH(s, e)
	{
		struct power_step st = power_step(s, e);

		if (!is_guests(e))
			continue;
		assert_int_equal(is_on(st.next), is_on(s));
		assert_true(st.act != PA_POWER_ON && st.act != PA_CUT &&
			    st.act != PA_SHUT_DOWN && st.act != PA_CAP &&
			    st.act != PA_WAKE && st.act != PA_ANEW &&
			    st.act != PA_SAVE);
	}
}

static void
a_guest_alone_changes_nothing_of_what_its_pcrs_stand_for(void **state)
{
	(void)state;
	EACH(s, e)
	{
		enum power_state n = power_step(s, e).next;

		if (!is_guests(e) || !is_started(s))
			continue;
		assert_int_equal(is_capped(n), is_capped(s));
		assert_int_equal(is_measured(n), is_measured(s));
		assert_true(is_started(n));
	}
}

static void
a_capped_tpm_stays_capped_until_it_loses_power(void **state)
{
	(void)state;
	EACH(s, e)
	{
		enum power_state n = power_step(s, e).next;

		if (is_capped(s) && !is_capped(n))
			assert_true(e == PE_POWER_OFF || e == PE_LOST ||
				    e == PE_BREAK || is_resume(e));
		if (is_capped(s) && is_off(n))
			assert_int_equal(n, PS_OFF_CAPPED);
		/* and is reported as such until the next power cycle */
		if (s == PS_OFF_CAPPED && n != s)
			assert_true(is_cycle(e) || is_resume(e) ||
				    n == PS_UNSURE_CAPPED || e == PE_BREAK);
	}
}

static void
no_pcr_of_a_capped_tpm_returns_to_a_known_value(void **state)
{
	(void)state;
	for (enum power_state s = 0; s < PS_NSTATES; s++) {
		if (!is_capped(s))
			continue;
		assert_int_equal(
		    power_step(s, PE_ASK_PCR_RESET).act, PA_REFUSE);
		assert_int_equal(power_step(s, PE_HASH).act, PA_REFUSE);
		assert_int_equal(power_step(s, PE_ASK).act, PA_RUN);
	}
}

static void
after_a_crash_capping_is_the_only_way_on(void **state)
{
	(void)state;
	assert_int_equal(power_step(PS_OFF, PE_LOAD_CRASHED).next, PS_CAPPING);
	EACH(s, e)
	{
		enum power_state n = power_step(s, e).next;

		if (n == PS_CAPPING && s != n)
			assert_true(e == PE_LOAD_CRASHED ||
				    power_step(s, e).act == PA_CAP_WAKING);
		if (s == PS_CAPPING && n != s)
			assert_true(n == PS_OFF || n == PS_BROKEN ||
				    (n == PS_CAPPED && e == PE_CAPPED));
		if (is_capped(n) && !is_capped(s))
			assert_true(s == PS_CAPPING || e == PE_RESUMED_CAPPED ||
				    s == PS_WAKING_CAPPED);
	}
}

static void
a_launch_is_measured_only_at_a_power_cycle(void **state)
{
	(void)state;
	EACH(s, e)
	{
		struct power_step st = power_step(s, e);

		if (st.act == PA_LAUNCH) {
			assert_false(is_started(s));
			assert_int_equal(st.next, PS_LAUNCHING);
		}
		if ((st.next == PS_ARMED && s != PS_ARMED) ||
		    (st.next == PS_LAUNCHING && s != PS_LAUNCHING &&
			s != PS_ARMED)) {
			assert_true(brings_launch(e));
			assert_true(
			    is_off(s) || s == PS_WAIT ||
			    (named(s, "UNSURE") && e == PE_SAW_RESET_LAUNCH));
		}
		/* nothing passes for launched that was not measured */
		if (is_measured(st.next) && !is_measured(s))
			assert_true(
			    (s == PS_LAUNCHING && e == PE_LAUNCHED) ||
			    e == PE_RESUMED_LAUNCHED ||
			    (s == PS_WAKING_LAUNCHED && e == PE_STARTUP_STATE));
	}
}

static void
a_launch_that_failed_leaves_the_tpm_off(void **state)
{
	(void)state;
	EACH(s, e)
	{
		struct power_step st = power_step(s, e);

		if (e != PE_FAILED || !is_on(s) || is_started(s))
			continue;
		assert_int_equal(st.act, PA_CUT);
		assert_true(is_waking(s) ? is_off(st.next) : st.next == PS_OFF);
	}
}

static void
an_armed_launch_comes_before_every_command(void **state)
{
	(void)state;
	for (enum power_event e = 0; e < PE_NEVENTS; e++)
		if (is_ask(e))
			assert_int_equal(
			    power_step(PS_ARMED, e).act, PA_LAUNCH);
	EACH(s, e)
	if (brings_launch(e) && power_step(s, e).act != PA_VIOLATION &&
	    (!is_waking(s) || e == PE_SAW_RESET_LAUNCH))
		assert_true(power_step(s, e).next == PS_ARMED ||
			    power_step(s, e).next == PS_LAUNCHING);
}

/* SeaBIOS must get success; a guest must not get it twice. */
static void
the_firmware_has_its_startup_accepted_once(void **state)
{
	(void)state;
	EACH(s, e)
	{
		struct power_step st = power_step(s, e);

		assert_int_equal(st.act == PA_ACCEPT,
		    named(s, "DUE") && e == PE_ASK_STARTUP_CLEAR);
		if (named(s, "DUE") &&
		    (e == PE_ASK_STARTUP || e == PE_ASK_STARTUP_CLEAR ||
			e == PE_ASK_STARTUP_STATE))
			assert_true(named(st.next, "LAUNCHED"));
		if (named(st.next, "DUE") && !named(s, "DUE"))
			assert_int_equal(s, PS_LAUNCHING);
	}
}

static void
only_the_host_writes_pcr_17_once_it_has_measured(void **state)
{
	(void)state;
	for (enum power_state s = 0; s < PS_NSTATES; s++)
		if (is_on(s) && !is_busy(s))
			assert_int_equal(power_step(s, PE_HASH).act,
			    is_measured(s) || is_capped(s) || is_waking(s)
				? PA_REFUSE
				: PA_RUN);
}

/* --- power -----------------------------------------------------------------
 */

static void
power_goes_on_and_off_by_an_action(void **state)
{
	(void)state;
	EACH(s, e)
	{
		struct power_step st = power_step(s, e);

		if (st.act == PA_VIOLATION)
			continue;
		if (!is_on(s) && is_on(st.next))
			assert_true(st.act == PA_POWER_ON ||
				    st.act == PA_WAKE || is_resume(e));
		if (is_on(s) && !is_on(st.next))
			assert_true(st.act == PA_CUT || st.act == PA_SAVE ||
				    st.act == PA_SHUT_DOWN);
		if (st.act == PA_POWER_ON)
			assert_true(is_off(s) && is_on(st.next) && is_cycle(e));
	}
}

static void
every_power_cycle_is_possible_when_off_and_only_then(void **state)
{
	(void)state;
	EACH(s, e)
	{
		if (!is_cycle(e))
			continue;
		if (is_off(s))
			assert_int_equal(power_step(s, e).act, PA_POWER_ON);
		else if (s != PS_WAIT && !is_waking(s)) /* resumed */
			assert_int_equal(power_step(s, e).act, PA_VIOLATION);
	}
}

static void
power_off_is_always_possible(void **state)
{
	(void)state;
	for (enum power_state s = 0; s < PS_NSTATES; s++) {
		struct power_step st = power_step(s, PE_POWER_OFF);

		if (is_busy(s))
			continue; /* nothing comes between */
		assert_int_not_equal(st.act, PA_VIOLATION);
		assert_false(is_on(st.next));
	}
}

static void
a_tpm_that_ran_is_shut_down_and_one_at_rest_is_not(void **state)
{
	(void)state;
	EACH(s, e)
	{
		struct power_step st = power_step(s, e);

		assert_int_equal(st.act == PA_SHUT_DOWN,
		    e == PE_POWER_OFF && is_started(s) && !is_at_rest(s) &&
			!is_drowsy(s));
		assert_int_equal(
		    st.act == PA_SAVE, e == PE_POWER_OFF && is_drowsy(s));
	}
}

static void
rest_is_reached_by_shutdown_or_snapshot_and_ends_with_any_command(void **state)
{
	(void)state;
	EACH(s, e)
	{
		enum power_state n = power_step(s, e).next;

		if (is_at_rest(n) && !is_at_rest(s))
			assert_true(e == PE_SHUT_DOWN || e == PE_SNAPSHOT ||
				    e == PE_SHUT_DOWN_STATE);
		if (is_started(s) && e == PE_SHUT_DOWN)
			assert_true(ends(n, "_DOWN"));
		if (is_started(s) && e == PE_SHUT_DOWN_STATE)
			assert_true(ends(n, "_ASLEEP"));
		if (is_started(s) && e == PE_SNAPSHOT)
			assert_true(ends(n, "_SAVED") || n == s);
		if (is_started(s) && (e == PE_RAN || e == PE_STARTUP_CLEAR ||
					 e == PE_STARTUP_STATE))
			assert_false(is_at_rest(n));
		/* asking alone, or a refusal, does not end it */
		if (is_at_rest(s) && is_ask(e))
			assert_true(is_at_rest(n));
	}
}

/* --- commands --------------------------------------------------------------
 */

static void
every_command_gets_an_answer_in_every_state(void **state)
{
	(void)state;
	EACH(s, e)
	{
		enum power_action a = power_step(s, e).act;

		if (!is_ask(e) || is_busy(s))
			continue;
		if (!is_on(s))
			assert_int_equal(a, PA_FAIL);
		else
			assert_true(a == PA_RUN || a == PA_START ||
				    a == PA_LAUNCH || a == PA_ACCEPT ||
				    a == PA_UNSEEN || a == PA_CAP_WAKING ||
				    a == PA_REFUSE);
	}
}

static void
what_was_run_is_noted_wherever_it_can_run(void **state)
{
	(void)state;
	for (enum power_state s = 0; s < PS_NSTATES; s++) {
		if (power_step(s, PE_ASK_STARTUP).act != PA_RUN)
			continue;
		assert_int_equal(power_step(s, PE_RAN).act, PA_NONE);
		assert_int_equal(power_step(s, PE_SHUT_DOWN).act, PA_NONE);
		assert_int_equal(power_step(s, PE_STARTUP_CLEAR).act, PA_NONE);
		assert_int_equal(power_step(s, PE_STARTUP_STATE).act, PA_NONE);
		assert_true(is_started(power_step(s, PE_STARTUP_CLEAR).next));
	}
}

/* Commands and hash sequences are answered; all else is done, or nothing. */
static void
each_kind_of_event_has_its_kind_of_action(void **state)
{
	(void)state;
	EACH(s, e)
	{
		enum power_action a = power_step(s, e).act;

		if (is_ask(e))
			assert_true(a != PA_NONE && a != PA_CUT);
		else if (e == PE_HASH)
			assert_true(
			    a == PA_RUN || a == PA_REFUSE ||
			    (a == PA_VIOLATION &&
				(is_busy(s) || s == PS_EMPTY || s == PS_MADE)));
		else
			assert_true(a != PA_RUN && a != PA_ACCEPT &&
				    a != PA_REFUSE && a != PA_FAIL &&
				    a != PA_START);
		if (is_guests(e) && !is_ask(e))
			assert_true(a == PA_NONE || a == PA_VIOLATION);
		/* only a command that resets a PCR is ever refused */
		if (is_ask(e) && a == PA_REFUSE)
			assert_true(e == PE_ASK_PCR_RESET && is_capped(s));
	}
}

static void
power_is_cut_where_it_may_be_on(void **state)
{
	(void)state;
	EACH(s, e)
	{
		struct power_step st = power_step(s, e);

		if (e == PE_BREAK)
			assert_int_equal(
			    st.act, s == PS_BROKEN ? PA_NONE : PA_CUT);
		else if (e == PE_LOST && (is_off(s) || is_on(s)) && !is_busy(s))
			assert_true(st.act == PA_CUT && is_off(st.next));
		else if (st.act == PA_CUT)
			assert_true(is_on(s) && is_off(st.next));
	}
}

static void
without_a_startup_the_state_stays(void **state)
{
	static const enum power_event calm[] = { PE_SNAPSHOT, PE_HASH,
		PE_SHUT_DOWN, PE_RAN, PE_POWERED };
	size_t i;

	(void)state;
	for (enum power_state s = 0; s < PS_NSTATES; s++)
		for (i = 0; i < sizeof(calm) / sizeof(calm[0]); i++)
			if (is_unstarted(s))
				assert_int_equal(
				    power_step(s, calm[i]).next, s);
	for (enum power_state s = 0; s < PS_NSTATES; s++)
		if (is_unstarted(s))
			assert_int_equal(
			    power_step(s, PE_SNAPSHOT).act, PA_NONE);
	assert_int_equal(power_step(PS_WAIT, PE_STARTUP_STATE).next, PS_PLAIN);
	EACH(s, e)
	if (is_unstarted(s) && is_started(power_step(s, e).next))
		assert_true(e == PE_STARTUP_CLEAR || e == PE_STARTUP_STATE ||
			    is_resume(e));
}

static void
a_resumed_state_is_what_it_was(void **state)
{
	(void)state;
	for (enum power_state s = 0; s < PS_NSTATES; s++) {
		if (is_busy(s) || (!is_on(s) && !is_off(s)))
			continue;
		assert_int_equal(power_step(s, PE_RESUMED).next, PS_WAIT);
		assert_int_equal(
		    power_step(s, PE_RESUMED_PLAIN).next, PS_PLAIN);
		assert_int_equal(
		    power_step(s, PE_RESUMED_CAPPED).next, PS_CAPPED);
		/* handed over while the firmware's Startup is to come */
		assert_int_equal(power_step(s, PE_RESUMED_LAUNCHED).next,
		    named(s, "DUE") ? PS_DUE : PS_LAUNCHED);
		for (enum power_event e = 0; e < PE_NEVENTS; e++)
			if (is_resume(e))
				assert_int_equal(power_step(s, e).act, PA_NONE);
	}
}

/* --- lives -----------------------------------------------------------------
 */

struct deed {
	enum power_event e;
	enum power_state next;
	enum power_action act;
};

#define D(e, s, a)                     \
	{                              \
		PE_##e, PS_##s, PA_##a \
	}
#define END                                   \
	{                                     \
		PE_NEVENTS, PS_EMPTY, PA_NONE \
	}

/* clang-format off */
static const struct {
	const char	*what;
	struct deed	 deeds[16];
} lives[] = {
	{ "firmware boots an unlaunched guest, which is switched off", {
		D(BECAME, OFF, NONE), D(INIT, WAIT, POWER_ON),
		D(POWERED, WAIT, NONE), D(ASK_STARTUP_CLEAR, WAIT, RUN),
		D(STARTUP_CLEAR, PLAIN, NONE), D(ASK, PLAIN, RUN),
		D(RAN, PLAIN, NONE), D(POWER_OFF, OFF, SHUT_DOWN), END } },
	{ "from the pool, first command of a local guest", {
		D(MADE, MADE, NONE), D(BECAME, OFF, NONE),
		D(LOAD, AUTO, POWER_ON), D(POWERED, AUTO, NONE),
		D(ASK, WAIT, START), D(STARTUP_CLEAR, PLAIN, NONE),
		D(ASK, PLAIN, RUN), END } },
	{ "a start that fails is left to the guest", {
		D(BECAME, OFF, NONE), D(LOAD, AUTO, POWER_ON),
		D(ASK_PCR_RESET, WAIT, START), D(ASK, WAIT, RUN),
		D(RAN, WAIT, NONE), END } },
	{ "a local guest starts it itself", {
		D(BECAME, OFF, NONE), D(LOAD, AUTO, POWER_ON),
		D(ASK_STARTUP_CLEAR, AUTO, RUN), D(RAN, AUTO, NONE),
		D(ASK_STARTUP, AUTO, RUN), D(STARTUP_STATE, PLAIN, NONE),
		END } },
	{ "a launch by a hypervisor", {
		D(BECAME, OFF, NONE), D(INIT_LAUNCH, LAUNCHING, POWER_ON),
		D(POWERED, LAUNCHING, LAUNCH),
		D(STARTUP_CLEAR, LAUNCHING, NONE), D(LAUNCHED, DUE, NONE),
		D(ASK_STARTUP_CLEAR, LAUNCHED, ACCEPT),
		D(ASK_STARTUP_CLEAR, LAUNCHED, RUN), D(RAN, LAUNCHED, NONE),
		D(POWER_OFF, OFF_LAUNCHED, SHUT_DOWN),
		D(INIT, WAIT, POWER_ON), END } },
	{ "a launch that the first command waits for", {
		D(BECAME, OFF, NONE), D(RESET_LAUNCH, ARMED, POWER_ON),
		D(POWERED, ARMED, NONE), D(ASK, LAUNCHING, LAUNCH),
		D(LAUNCHED, DUE, NONE), D(ASK, DUE, RUN),
		D(SHUT_DOWN, DUE_DOWN, NONE),
		D(ASK_STARTUP, LAUNCHED_DOWN, RUN),
		D(POWER_OFF, OFF_LAUNCHED, CUT), END } },
	{ "a crash, then the guest's reset", {
		D(BECAME, OFF, NONE), D(LOAD_CRASHED, CAPPING, POWER_ON),
		D(POWERED, CAPPING, CAP), D(STARTUP_CLEAR, CAPPING, NONE),
		D(CAPPED, CAPPED, NONE), D(ASK_PCR_RESET, CAPPED, REFUSE),
		D(SNAPSHOT, CAPPED_SAVED, NONE), D(RAN, CAPPED, NONE),
		D(POWER_OFF, OFF_CAPPED, SHUT_DOWN),
		D(RESET, AUTO, POWER_ON), END } },
	{ "a crash that cannot be capped", {
		D(BECAME, OFF, NONE), D(LOAD_CRASHED, CAPPING, POWER_ON),
		D(FAILED, OFF, CUT), D(BREAK, BROKEN, CUT),
		D(ASK, BROKEN, FAIL), D(HASH, BROKEN, REFUSE),
		D(LOST, BROKEN, NONE), D(FAILED, BROKEN, NONE),
		D(POWER_OFF, BROKEN, NONE), END } },
	{ "savevm, then loadvm of a state that had not been started", {
		D(BECAME, OFF, NONE), D(INIT, WAIT, POWER_ON),
		D(SNAPSHOT, WAIT, NONE), D(POWER_OFF, OFF, CUT),
		D(RESUMED, WAIT, NONE), D(INIT, WAIT, NONE),
		D(INIT_LAUNCH, LAUNCHING, LAUNCH), D(FAILED, OFF, CUT),
		D(RESUMED, WAIT, NONE), D(RESET, AUTO, NONE),
		D(POWER_OFF, OFF, CUT), D(RESUMED, WAIT, NONE),
		D(RESET_LAUNCH, ARMED, NONE), D(HASH, ARMED, RUN), END } },
	{ "a handover, and one that fails", {
		D(BECAME, OFF, NONE), D(RESUMED_LAUNCHED, LAUNCHED, NONE),
		D(SNAPSHOT, LAUNCHED_SAVED, NONE),
		D(RESUMED_LAUNCHED, LAUNCHED, NONE),
		D(LOST, OFF_LAUNCHED, CUT), D(HASH, OFF_LAUNCHED, REFUSE),
		D(RESUMED_PLAIN, PLAIN, NONE), D(LOST, OFF, CUT),
		D(HASH, OFF, RUN), D(RESUMED_CAPPED, CAPPED, NONE),
		D(LOST, OFF_CAPPED, CUT), D(POWER_OFF, OFF_CAPPED, NONE),
		END } },
};
/* clang-format on */

static void
lives_go_as_told(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		enum power_state s = PS_EMPTY;

		print_message("  %s\n", lives[i].what);
		for (k = 0; lives[i].deeds[k].e != PE_NEVENTS; k++) {
			const struct deed *d = &lives[i].deeds[k];
			struct power_step st = power_step(s, d->e);

			if (st.next != d->next || st.act != d->act)
				fail_msg("%s in %s: %s, action %d",
				    power_event_name(d->e), power_state_name(s),
				    power_state_name(st.next), st.act);
			s = st.next;
		}
	}
}

/* The worker asks again after PA_START and PA_LAUNCH. */
static void
asking_again_ends(void **state)
{
	(void)state;
	EACH(s, e)
	{
		struct power_step st = power_step(s, e);

		if (!is_ask(e))
			continue;
		if (st.act == PA_START)
			st = power_step(
			    power_step(st.next, PE_STARTUP_CLEAR).next, e);
		else if (st.act == PA_LAUNCH)
			st = power_step(
			    power_step(st.next, PE_LAUNCHED).next, e);
		else if (st.act == PA_UNSEEN)
			st =
			    power_step(power_step(st.next, PE_POWERED).next, e);
		else if (st.act == PA_CAP_WAKING)
			st = power_step(power_step(st.next, PE_CAPPED).next, e);
		assert_true(st.act != PA_START && st.act != PA_LAUNCH &&
			    st.act != PA_UNSEEN && st.act != PA_CAP_WAKING);
	}
}

static void
names_are_all_there_and_differ(void **state)
{
	(void)state;
	for (enum power_state a = 0; a < PS_NSTATES; a++)
		for (enum power_state b = 0; b < a; b++)
			assert_string_not_equal(
			    power_state_name(a), power_state_name(b));
	for (enum power_event a = 0; a < PE_NEVENTS; a++)
		for (enum power_event b = 0; b < a; b++)
			assert_string_not_equal(
			    power_event_name(a), power_event_name(b));
}

int
main(void)
{
#define T(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		T(every_pair_leads_to_a_state_and_an_action),
		T(what_is_not_possible_changes_nothing),
		T(predicates_say_what_the_names_say),
		T(broken_is_final_and_break_leads_there),
		T(an_identity_is_taken_once_and_kept),
		T(a_guest_alone_neither_powers_on_nor_off),
		T(a_guest_alone_changes_nothing_of_what_its_pcrs_stand_for),
		T(a_capped_tpm_stays_capped_until_it_loses_power),
		T(no_pcr_of_a_capped_tpm_returns_to_a_known_value),
		T(after_a_crash_capping_is_the_only_way_on),
		T(a_launch_is_measured_only_at_a_power_cycle),
		T(a_launch_that_failed_leaves_the_tpm_off),
		T(an_armed_launch_comes_before_every_command),
		T(the_firmware_has_its_startup_accepted_once),
		T(only_the_host_writes_pcr_17_once_it_has_measured),
		T(power_goes_on_and_off_by_an_action),
		T(every_power_cycle_is_possible_when_off_and_only_then),
		T(power_off_is_always_possible),
		T(a_tpm_that_ran_is_shut_down_and_one_at_rest_is_not),
		T(rest_is_reached_by_shutdown_or_snapshot_and_ends_with_any_command),
		T(every_command_gets_an_answer_in_every_state),
		T(what_was_run_is_noted_wherever_it_can_run),
		T(each_kind_of_event_has_its_kind_of_action),
		T(power_is_cut_where_it_may_be_on),
		T(without_a_startup_the_state_stays),
		T(a_resumed_state_is_what_it_was),
		T(lives_go_as_told),
		T(asking_again_ends),
		T(names_are_all_there_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
