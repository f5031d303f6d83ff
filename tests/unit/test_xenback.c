/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_xenback.c - a vtpm device's states in xenstore, and what xenback and
 * the manager say to each other.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "vtpm_manager/xb_fsm.h"
#include "vtpm_manager/xbproto.h"

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

static void
device_survives_the_wire(void **state)
{
	struct xb_dev in = { 7, 1, { 0 }, 42, 9, 1 }, out;
	uint8_t buf[64];
	struct wr w;

	(void)state;
	assert_int_equal(uuid_make(in.uuid), VT_OK);
	wr_init(&w, buf, sizeof(buf));
	xb_dev_put(&w, &in);
	assert_int_equal(xb_dev_get(buf, w.len, &out), VT_OK);
	assert_memory_equal(in.uuid, out.uuid, UUID_LEN);
	assert_int_equal(out.domid, 7);
	assert_int_equal(out.gref, 42);
	assert_int_equal(out.port, 9);
	assert_int_equal(out.resumed, 1);
	assert_int_equal(xb_dev_get(buf, w.len + 1, &out), VT_E_FORMAT);
}

static void
every_prefix_is_truncated(void **state)
{
	struct xb_answer a = { .rc = VT_E_BUSY, .text = "in use" }, got;
	struct xb_dev d = { 1, 2, { 3 }, 4, 5, 0 }, dgot;
	uint8_t buf[128], *copy;
	struct wr w;
	size_t n;

	(void)state;
	wr_init(&w, buf, sizeof(buf));
	xb_dev_put(&w, &d);
	for (n = 0; n < w.len; n++) {
		assert_non_null(copy = malloc(n + 1));
		memcpy(copy, buf, n);
		assert_int_equal(xb_dev_get(copy, n, &dgot), VT_E_TRUNC);
		free(copy);
	}
	wr_init(&w, buf, sizeof(buf));
	xb_answer_put(&w, &a);
	for (n = 0; n < w.len; n++) {
		assert_non_null(copy = malloc(n + 1));
		memcpy(copy, buf, n);
		assert_int_equal(xb_answer_get(copy, n, &got), VT_E_TRUNC);
		free(copy);
	}
	assert_int_equal(xb_answer_get(buf, w.len, &got), VT_OK);
	assert_int_equal(got.rc, VT_E_BUSY);
	assert_string_equal(got.text, "in use");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_front_half_can_come_again),
		cmocka_unit_test(new_grants_replace_stale_ones),
		cmocka_unit_test(repeated_watch_changes_nothing),
		cmocka_unit_test(every_cell_keeps_the_invariants),
		cmocka_unit_test(device_survives_the_wire),
		cmocka_unit_test(every_prefix_is_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
