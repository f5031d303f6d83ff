/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_xen_front.c - a Xen device's life from its front half's side, against
 * a xenstore in memory: what the lab's real Xen cannot be made to do at will
 * (numbers that come again, failures in the middle, a back half that lies).
 * Real Xen: tests/lab/xen/scenarios/front.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if __has_include(<xengnttab.h>)

#include <sys/eventfd.h>
#include <sys/stat.h>

/* The module itself, on the libraries below and a sysfs of our own. */
static char devices[] = "/tmp/xen-devices.XXXXXX";
#define XENBUS_DEVICES devices
#include "tests/unit/ringpeek.h"
#include "tpmfront/xen_front.c"

#include "tests/unit/xen_front_fixture.h"

/* --- the other side ------------------------------------------------------- */

/* A back half as it should be. */
static void
polite(const char *path, const char *val)
{
	if (strcmp(path, FRONT "/state") != 0)
		return;
	switch (val[0]) {
	case '3':
	case '4':
		node(BACK "/state", "4");
		break;
	case '5':
		node(BACK "/state", "5");
		break;
	case '6':
		node(BACK "/state", "2");
		break;
	default:
		break;
	}
}

static void
plug(const char *domid)
{
	node("domid", domid);
	node(FRONT "/backend", BACK);
	node(FRONT "/backend-id", "0");
	node(FRONT "/state", "1");
	node(BACK "/feature-protocol-v2", "1");
	node(BACK "/state", "2");
}

static struct ring *
begin(void)
{
	char why[RING_WHY_MAX];
	struct ring *r;

	memset(&st, 0, sizeof(st));
	memset(nodes, 0, sizeof(nodes));
	memset(&hv, 0, sizeof(hv));
	hv.next_port = 9;
	hv.next_ref = 8;
	st.react = polite;
	assert_int_equal(vtpm_xenfront_module.open(DEVID, &r, why), VT_OK);
	assert_int_equal(st.writes, 0); /* open() starts nothing */
	return r;
}

static struct ring *
begin_up(void)
{
	struct ring *r = begin();

	plug("5");
	assert_int_equal(ring_ready(r, 5000), VT_OK);
	return r;
}

/* Everything that was taken is given back, but what `kept` says. */
static void
end(struct ring *r, unsigned int kept)
{
	ring_close(r);
	assert_int_equal(hv.shares, hv.unshares);
	assert_int_equal(hv.binds, hv.unbinds + kept);
	assert_int_equal(hv.opens, hv.closes + kept);
}

static void
a_device_comes_up_and_goes(void **state)
{
	struct ring *r = begin_up();

	(void)state;
	assert_string_equal(value(FRONT "/ring-ref"), "8");
	assert_string_equal(value(FRONT "/event-channel"), "9");
	assert_string_equal(value(FRONT "/feature-protocol-v2"), "1");
	assert_string_equal(value(FRONT "/state"), "4");
	assert_int_equal(ring_view(r)->header, 0); /* no bytes of ours in it */
	assert_int_equal(ring_generation(r), 1);
	end(r, 0);
	assert_string_equal(value(FRONT "/state"), "1"); /* for the next */
}

static void
commands_go_over_the_page(void **state)
{
	static const uint8_t cmd[10] = { 0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x44 };
	struct ring *r = begin_up();
	const uint8_t *resp;
	size_t len;

	(void)state;
	assert_int_equal(ring_submit(r, 2, cmd, sizeof(cmd)), VT_OK);
	assert_int_equal(hv.notified, 1); /* Xen has no "awake" hint */
	assert_int_equal(hv.page.page.state, TPMIF_SUBMIT);
	assert_int_equal(hv.page.page.locality, 2);
	assert_memory_equal(hv.page.page.data, cmd, sizeof(cmd));
	assert_int_equal(ring_wait(r, 20, &resp, &len), VT_E_AGAIN);
	hv.page.page.state = TPMIF_FINISH;
	assert_int_equal(ring_wait(r, 20, &resp, &len), VT_OK);
	assert_int_equal(len, sizeof(cmd));
	end(r, 0);
}

/* A killed process, or a boot loader, left it connected. */
static void
what_was_left_connected_is_closed_first(void **state)
{
	struct ring *r = begin();

	(void)state;
	plug("5");
	node(FRONT "/state", "4");
	node(BACK "/state", "4");
	assert_int_equal(ring_ready(r, 5000), VT_OK);
	assert_string_equal(value(FRONT "/state"), "4");
	end(r, 0);
}

static void
a_back_half_that_closes_and_waits_gets_a_new_page(void **state)
{
	static const uint8_t cmd[10] = { 0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x44 };
	struct ring *r = begin_up();
	const uint8_t *resp;
	size_t len;

	(void)state;
	assert_int_equal(ring_submit(r, 0, cmd, sizeof(cmd)), VT_OK);
	node(BACK "/state", "5");
	assert_int_equal(ring_wait(r, 5000, &resp, &len), VT_E_CLOSED);
	assert_false(ring_pending(r));
	assert_int_equal(ring_ready(r, 5000), VT_OK);
	assert_int_equal(ring_generation(r), 2);
	assert_int_equal(hv.unbinds, 1);
	end(r, 0);
}

/* The driver's link in sysfs. */
static void
bound(bool on)
{
	char dir[64], path[80];

	(void)snprintf(dir, sizeof(dir), "%s/vtpm-77", devices);
	(void)snprintf(path, sizeof(path), "%s/driver", dir);
	if (on) {
		assert_int_equal(mkdir(dir, 0700), 0);
		assert_int_equal(symlink(".", path), 0);
	} else {
		assert_int_equal(unlink(path), 0);
		assert_int_equal(rmdir(dir), 0);
	}
}

/* What its probe writes; the back half then has its page, not ours. */
static void
driver_binds(void)
{
	bound(true);
	node(FRONT "/ring-ref", "21");
	node(FRONT "/event-channel", "22");
	node(FRONT "/state", "3");
}

static void
while_the_kernels_driver_has_it_nothing_is_written(void **state)
{
	static const char *const mine[] = { "3", "4", "4", "5" };
	static const char *const backs[] = { "4", "4", "2", "5" };
	struct ring *r = begin_up();
	unsigned int i, writes = st.writes;

	(void)state;
	driver_binds();
	assert_int_equal(ring_attend(r), VT_E_CLOSED);
	assert_int_equal(hv.unshares, 1);
	for (i = 0; i < VT_NELEM(mine); i++) {
		node(FRONT "/state", mine[i]);
		node(BACK "/state", backs[i]);
		assert_int_equal(ring_ready(r, 20), VT_E_TIMEOUT);
	}
	assert_non_null(strstr(ring_why(r), "kernel's driver"));
	/* sysfs has let it go, the driver's remove() is still at work */
	bound(false);
	node(FRONT "/state", "4");
	node(BACK "/state", "4");
	assert_int_equal(ring_ready(r, 20), VT_E_TIMEOUT);
	assert_int_equal(st.writes, writes);
	node(FRONT "/state", "6");
	node(BACK "/state", "2");
	assert_int_equal(ring_ready(r, 500), VT_OK); /* at once */
	assert_int_equal(ring_generation(r), 2);
	end(r, 0);
}

/* Both made an offer for the same state of the back half. */
static void
a_driver_that_overwrites_an_offer_is_seen(void **state)
{
	struct ring *r = begin();

	(void)state;
	st.react = NULL;
	plug("5");
	assert_int_equal(ring_ready(r, 0), VT_E_TIMEOUT);
	assert_string_equal(value(FRONT "/state"), "3");
	driver_binds(); /* the state stays 3 */
	node(BACK "/state", "4");
	assert_int_equal(ring_ready(r, 20), VT_E_TIMEOUT);
	assert_null(ring_view(r));
	assert_string_equal(value(FRONT "/state"), "3");
	bound(false);
	end(r, 0);
}

/* A driver that died without its last state: waited for, not for ever. */
static void
a_driver_that_never_closes_is_waited_for_a_bounded_time(void **state)
{
	struct ring *r = begin_up();
	uint64_t t0;

	(void)state;
	driver_binds();
	assert_int_equal(ring_attend(r), VT_E_CLOSED);
	bound(false);
	node(BACK "/state", "4");
	t0 = now_us();
	assert_int_equal(ring_ready(r, 5000), VT_OK);
	assert_in_range(
	    now_us() - t0, (LET_GO_MS - 500) * 1000, (LET_GO_MS + 900) * 1000);
	end(r, 0);
}

static void
detached_and_attached_it_comes_back(void **state)
{
	struct ring *r = begin_up();

	(void)state;
	no_node(FRONT);
	no_node(BACK);
	assert_int_equal(ring_ready(r, 50), VT_E_TIMEOUT);
	assert_non_null(strstr(ring_why(r), "no such vtpm device"));
	plug("5");
	assert_int_equal(ring_ready(r, 5000), VT_OK);
	assert_int_equal(hv.unbinds, 1); /* the same domain: given back */
	/* so fast that only the new folder is seen */
	no_node(FRONT);
	plug("5");
	assert_int_equal(ring_ready(r, 5000), VT_OK);
	assert_int_equal(ring_generation(r), 3);
	/* while there was no page: one look is enough */
	st.react = NULL;
	node(BACK "/state", "5");
	(void)ring_attend(r);
	assert_string_equal(value(FRONT "/state"), "6");
	no_node(FRONT);
	plug("5");
	st.react = polite;
	(void)ring_attend(r);
	assert_non_null(ring_view(r));
	end(r, 0);
}

/* Old ports are never touched again; the same numbers may come back. */
static void
a_restored_domain_starts_anew_and_leaves_its_old_port_alone(void **state)
{
	struct ring *r = begin_up();

	(void)state;
	no_node(FRONT);
	plug("6"); /* restored: another domain id */
	assert_int_equal(ring_ready(r, 5000), VT_OK);
	assert_int_equal(hv.unbinds, 0);
	assert_int_equal(hv.closes, 0);
	assert_int_equal(hv.opens, 2);
	/* and on another host, by chance with the same id: the kernel makes
	 * the watches again */
	no_node(FRONT);
	fire(CANARY);
	plug("6");
	assert_int_equal(ring_ready(r, 5000), VT_OK);
	assert_int_equal(hv.unbinds, 0);
	assert_int_equal(hv.opens, 3);
	assert_string_equal(value(FRONT "/state"), "4");
	end(r, 2);
}

static void
a_back_half_that_is_not_right_is_waited_for(void **state)
{
	static const struct {
		const char *what, *state, *feature, *why;
	} cases[] = {
		{ "version 1", "4", "0", "version 1" },
		{ "no feature", "4", "x", "version 1" },
		{ "refused", "6", "1", "refuses" },
		{ "unknown", "9", "1", "not there" },
		{ "text", "two", "1", "not there" },
		{ "huge", "4294967298", "1", "not there" },
		{ "empty", "", "1", "not there" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		struct ring *r = begin();

		print_message("  %s\n", cases[i].what);
		plug("5");
		st.react = NULL;
		node(BACK "/state", cases[i].state);
		node(BACK "/feature-protocol-v2", cases[i].feature);
		assert_int_equal(ring_ready(r, 30), VT_E_TIMEOUT);
		assert_non_null(strstr(ring_why(r), cases[i].why));
		assert_int_equal(hv.shares, 0);
		node(BACK "/feature-protocol-v2", "1");
		node(BACK "/state", "2");
		st.react = polite;
		assert_int_equal(ring_ready(r, 5000), VT_OK);
		end(r, 0);
	}
}

/* State 2 for ever, 4 and back, 5 and 6 without end: bounded work, no page
 * left over. */
static void
a_back_half_that_flaps_costs_bounded_work(void **state)
{
	static const char *const states[] = { "2", "4", "5", "6", "1", "3",
		"7" };
	struct ring *r = begin();
	unsigned int i, seed = 1;
	int rc;

	(void)state;
	plug("5");
	st.react = NULL;
	for (i = 0; i < 2000; i++) {
		seed = seed * 1103515245 + 12345;
		node(BACK "/state", states[seed / 65536 % VT_NELEM(states)]);
		rc = seed / 7 % 3 == 0 ? ring_ready(r, 0) : ring_attend(r);
		assert_int_not_equal(rc, VT_E_SYS);
		assert_true(hv.shares - hv.unshares <= 1);
		assert_true(hv.binds - hv.unbinds <= 1);
		assert_true(
		    (ring_view(r) != NULL) == (front(r)->state == FS_UP));
	}
	assert_true(st.writes < 2000 * 10);
	st.react = polite;
	node(BACK "/state", "2");
	assert_int_equal(ring_ready(r, 5000), VT_OK);
	end(r, 0);
}

static void
what_fails_is_tried_again_later_not_at_once(void **state)
{
	struct ring *r = begin();

	(void)state;
	plug("5");
	hv.fail_share = true;
	assert_int_equal(ring_ready(r, 3 * AGAIN_MS + 500), VT_E_TIMEOUT);
	assert_true(hv.tries >= 4 && st.writes < 10);
	hv.fail_share = false;
	assert_int_equal(ring_ready(r, 5000), VT_OK);
	st.fail_writes = true;
	node(BACK "/state", "5");
	(void)ring_attend(r);
	assert_null(ring_view(r)); /* not even its 6 can be said */
	st.fail_writes = false;
	node(BACK "/state", "2");
	assert_int_equal(ring_ready(r, 5000), VT_OK);
	end(r, 0);
}

static void
closing_ends_though_the_back_half_is_deaf(void **state)
{
	struct ring *r = begin_up();

	(void)state;
	st.react = NULL;
	end(r, 0); /* after two waits */
	assert_string_equal(value(FRONT "/state"), "6");
}

static void
one_front_half_per_device(void **state)
{
	struct ring *r = begin_up(), *other = NULL;
	char why[RING_WHY_MAX], pid[24];

	(void)state;
	assert_int_equal(
	    vtpm_xenfront_module.open(DEVID, &other, why), VT_E_BUSY);
	assert_null(other);
	(void)snprintf(pid, sizeof(pid), "process %d has it", (int)getpid());
	assert_non_null(strstr(why, pid));
	end(r, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_comes_up_and_goes),
		cmocka_unit_test(commands_go_over_the_page),
		cmocka_unit_test(what_was_left_connected_is_closed_first),
		cmocka_unit_test(
		    a_back_half_that_closes_and_waits_gets_a_new_page),
		cmocka_unit_test(
		    while_the_kernels_driver_has_it_nothing_is_written),
		cmocka_unit_test(a_driver_that_overwrites_an_offer_is_seen),
		cmocka_unit_test(
		    a_driver_that_never_closes_is_waited_for_a_bounded_time),
		cmocka_unit_test(detached_and_attached_it_comes_back),
		cmocka_unit_test(
		    a_restored_domain_starts_anew_and_leaves_its_old_port_alone),
		cmocka_unit_test(a_back_half_that_is_not_right_is_waited_for),
		cmocka_unit_test(a_back_half_that_flaps_costs_bounded_work),
		cmocka_unit_test(what_fails_is_tried_again_later_not_at_once),
		cmocka_unit_test(closing_ends_though_the_back_half_is_deaf),
		cmocka_unit_test(one_front_half_per_device),
	};

	int failed;

	if (mkdtemp(devices) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(devices);
	return failed;
}

#else
#include "tests/unit/no_xen.h"
#endif
