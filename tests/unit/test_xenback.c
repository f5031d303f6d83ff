/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_xenback.c - the states of a vtpm device in xenstore, of a domain that
 * moves, and what is kept for a saved one.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "vtpm_manager/xenback/device_fsm.h"
#include "vtpm_manager/proto/xen_saved.h"
#include "vtpm_manager/xen/move_fsm.h"

static void
closed_front_half_can_come_again(void **state)
{
	struct xb_step s = xb_step(XS_CONNECTED, XE_CLOSING);

	(void)state;
	assert_int_equal(s.act, XA_LET_GO);
	s = xb_step(s.next, XE_CLOSED);
	assert_int_equal(s.act, XA_REOPEN);
	assert_int_equal(s.next, XS_WAITING);
	s = xb_step(s.next, XE_READY);
	assert_int_equal(s.act, XA_CONNECT);
}

/* A resumed guest brings new grants and never said that it closed. */
static void
new_grants_replace_stale_ones(void **state)
{
	(void)state;
	assert_int_equal(xb_step(XS_CONNECTED, XE_CHANGED).act, XA_RECONNECT);
	assert_int_equal(xb_step(XS_CONNECTING, XE_CHANGED).act, XA_RECONNECT);
	assert_int_equal(xb_step(XS_CLOSING, XE_CHANGED).act, XA_CONNECT);
}

static void
repeated_watch_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(xb_step(XS_CONNECTED, XE_READY).act, XA_NONE);
	assert_int_equal(xb_step(XS_CONNECTED, XE_READY).next, XS_CONNECTED);
	assert_int_equal(xb_step(XS_WAITING, XE_CLOSED).act, XA_NONE);
}

/* The whole table against what must hold in every state. */
static void
every_cell_keeps_the_invariants(void **state)
{
	int s, e;

	(void)state;
	for (s = 0; s < XS_NSTATES; s++) {
		for (e = 0; e < XE_NEVENTS; e++) {
			struct xb_step st =
			    xb_step((enum xb_state)s, (enum xb_event)e);

			/* no page before the manager said yes */
			if (s == XS_ASKING || s == XS_REFUSED)
				assert_true(st.act != XA_CONNECT &&
					    st.act != XA_RECONNECT);
			/* state 4 only after the worker mapped the page */
			if (st.next == XS_CONNECTED && s != XS_CONNECTED)
				assert_int_equal(e, XE_MAPPED);
			/* final is final; a device that vanished is over */
			if (s == XS_GONE)
				assert_int_equal(st.next, XS_GONE);
			else if (e == XE_VANISHED || e == XE_UNPLUG)
				assert_int_equal(st.act, XA_END);
			/* who leaves a connected state lets the page go */
			if (s == XS_CONNECTED && st.next != XS_CONNECTED)
				assert_true(st.act == XA_RECONNECT ||
					    st.act == XA_LET_GO ||
					    st.act == XA_HANG_UP ||
					    st.act == XA_END);
		}
		assert_non_null(xb_state_name((enum xb_state)s));
	}
}

/* --- which domain continues --- */

/* From MOVE_FREE; the action of the last event. */
static enum move_action
after(const enum move_event *e, size_t n, enum move_state *ret)
{
	struct move_step st = { MOVE_FREE, MOVE_REFUSE };
	size_t i;

	for (i = 0; i < n; i++)
		st = move_step(st.next, e[i]);
	*ret = st.next;
	return st.act;
}

static void
unclaimed_domain_is_a_power_cycle(void **state)
{
	static const enum move_event e[] = { MOVE_BEGIN_SAVE, MOVE_DONE,
		MOVE_OLD_GONE, MOVE_NEW_DOMAIN };
	enum move_state s;

	(void)state;
	assert_int_equal(after(e, VT_NELEM(e), &s), MOVE_POWER);
	assert_int_equal(s, MOVE_FREE);
}

static void
restored_domain_waits_until_it_is_said_who_it_is(void **state)
{
	static const enum move_event e[] = { MOVE_BEGIN_RESTORE,
		MOVE_NEW_DOMAIN, MOVE_DONE, MOVE_NEW_DOMAIN };
	enum move_state s;

	(void)state;
	assert_int_equal(after(e, 2, &s), MOVE_OFFER);
	assert_int_equal(move_step(s, MOVE_NEW_DOMAIN).act, MOVE_REFUSE);
	assert_int_equal(after(e, 3, &s), MOVE_RESUME);
	assert_int_equal(after(e, 4, &s), MOVE_POWER); /* once only */
}

static void
claim_that_is_given_up_is_a_power_cycle(void **state)
{
	static const enum move_event restore[] = { MOVE_BEGIN_RESTORE,
		MOVE_NEW_DOMAIN, MOVE_ABORT };
	static const enum move_event move[] = { MOVE_BEGIN_MOVE,
		MOVE_NEW_DOMAIN, MOVE_OLD_GONE, MOVE_ABORT };
	enum move_state s;

	(void)state;
	assert_int_equal(after(restore, VT_NELEM(restore), &s), MOVE_CYCLE);
	assert_int_equal(s, MOVE_FREE);
	assert_int_equal(after(move, VT_NELEM(move), &s), MOVE_CYCLE);
	assert_int_equal(s, MOVE_FREE);
}

static void
moved_domain_gets_nothing_while_the_old_one_is_there(void **state)
{
	static const enum move_event e[] = { MOVE_BEGIN_MOVE, MOVE_NEW_DOMAIN,
		MOVE_DONE, MOVE_OLD_GONE, MOVE_DONE };
	enum move_state s;

	(void)state;
	assert_int_equal(after(e, 3, &s), MOVE_AGAIN);
	assert_int_equal(s, MOVE_TWO);
	assert_int_equal(after(e, 5, &s), MOVE_SWITCH);
}

static void
saved_domain_that_ended_meanwhile_is_not_bound(void **state)
{
	static const enum move_event e[] = { MOVE_BEGIN_SAVE, MOVE_OLD_GONE,
		MOVE_DONE };
	enum move_state s;

	(void)state;
	assert_int_equal(after(e, VT_NELEM(e), &s), MOVE_REFUSE);
}

/* Every cell: only MOVE_DONE gives a domain what another one had, and only
 * one that was held back since it appeared; a refusal changes nothing. */
static void
no_other_way_to_another_domains_pcrs(void **state)
{
	int s, e;

	(void)state;
	for (s = 0; s < MOVE_NSTATES; s++) {
		for (e = 0; e < MOVE_NEVENTS; e++) {
			struct move_step st =
			    move_step((enum move_state)s, (enum move_event)e);

			if (st.act == MOVE_REFUSE || st.act == MOVE_AGAIN)
				assert_int_equal(st.next, s);
			if (st.act == MOVE_RESUME)
				assert_true(
				    s == MOVE_OFFERED && e == MOVE_DONE);
			if (st.act == MOVE_SWITCH)
				assert_true(
				    s == MOVE_LEFT_TWO && e == MOVE_DONE);
			if (st.act == MOVE_HIBERNATE)
				assert_true(s == MOVE_SAVING && e == MOVE_DONE);
			/* who appears unclaimed gets nothing of another's */
			if (e == MOVE_NEW_DOMAIN)
				assert_true(
				    st.act == MOVE_REFUSE ||
				    (s == MOVE_FREE ? st.act == MOVE_POWER
						    : st.act == MOVE_OFFER));
			/* no domain waits for ever */
			if (e == MOVE_ABORT) {
				assert_int_equal(st.next, MOVE_FREE);
				assert_int_equal(st.act == MOVE_CYCLE,
				    s == MOVE_OFFERED || s == MOVE_LEFT_TWO);
			}
			if (e >= MOVE_BEGIN_SAVE && e <= MOVE_BEGIN_MOVE)
				assert_int_equal(
				    st.act == MOVE_REFUSE, s != MOVE_FREE);
		}
		assert_non_null(move_state_name((enum move_state)s));
	}
}

static void
saved_state_survives_the_store(void **state)
{
	struct xensaved in = { .image = { 1, 2 },
		.domain = "web-1",
		.launched = 1,
		.time_ms = 1234567890123,
		.state = { (const uint8_t *)"abc", 3 } };
	struct xensaved out = { 0 };
	uint8_t buf[256], *copy;
	struct wr w;
	size_t n;

	(void)state;
	wr_init(&w, buf, sizeof(buf));
	xen_saved_put(&w, &in);
	assert_int_equal(wr_err(&w), VT_OK);
	for (n = 0; n < w.len; n++) {
		assert_non_null(copy = malloc(n + 1));
		memcpy(copy, buf, n);
		assert_int_equal(xen_saved_get(copy, n, &out), VT_E_TRUNC);
		free(copy);
	}
	assert_int_equal(xen_saved_get(buf, w.len + 1, &out), VT_E_FORMAT);
	assert_int_equal(xen_saved_get(buf, w.len, &out), VT_OK);
	assert_memory_equal(out.image, in.image, sizeof(in.image));
	assert_string_equal(out.domain, "web-1");
	assert_int_equal(out.launched, 1);
	assert_int_equal(out.time_ms, in.time_ms);
	assert_int_equal(out.state.len, 3);
	assert_memory_equal(out.state.p, "abc", 3);
	buf[3] ^= 1; /* magic */
	assert_int_equal(xen_saved_get(buf, w.len, &out), VT_E_FORMAT);
}

static void
domain_name_that_xl_could_misread_is_refused(void **state)
{
	static const struct {
		const char *name;
		bool ok;
	} cases[] = {
		{ "web", true },
		{ "web-1.example", true },
		{ "7up", true },
		{ "", false },
		{ "12", false },
		{ "-f", false },
		{ "a b", false },
		{ "a/b", false },
		{ "a\n", false },
		{ "\xc3\xa4", false },
	};
	char longest[XEN_NAME_MAX + 2];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++)
		assert_int_equal(xen_name_ok(cases[i].name), cases[i].ok);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_false(xen_name_ok(longest));
	longest[XEN_NAME_MAX] = '\0';
	assert_true(xen_name_ok(longest));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_front_half_can_come_again),
		cmocka_unit_test(new_grants_replace_stale_ones),
		cmocka_unit_test(repeated_watch_changes_nothing),
		cmocka_unit_test(every_cell_keeps_the_invariants),
		cmocka_unit_test(unclaimed_domain_is_a_power_cycle),
		cmocka_unit_test(
		    restored_domain_waits_until_it_is_said_who_it_is),
		cmocka_unit_test(claim_that_is_given_up_is_a_power_cycle),
		cmocka_unit_test(
		    moved_domain_gets_nothing_while_the_old_one_is_there),
		cmocka_unit_test(
		    saved_domain_that_ended_meanwhile_is_not_bound),
		cmocka_unit_test(no_other_way_to_another_domains_pcrs),
		cmocka_unit_test(saved_state_survives_the_store),
		cmocka_unit_test(domain_name_that_xl_could_misread_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
