/* SPDX-License-Identifier: BSD-3-Clause */
/* test_guest_stats.c - sums over all guests when a worker lies. */
#include "one_guest.h"

#include "vtpm_manager/guest/guest_stats.h"

int __wrap_wlink_request(struct wlink *l, uint16_t type, const struct wr *w,
    const int *fds, size_t nfds, uint32_t ms, wlink_cb cb, void *arg);

static struct {
	struct mgr m;
	struct guest_run g;
	struct wlink link;
	wlink_cb cb;
	void *arg;
} f;

int
__wrap_wlink_request(struct wlink *l, uint16_t type, const struct wr *w,
    const int *fds, size_t nfds, uint32_t ms, wlink_cb cb, void *arg)
{
	(void)l;
	(void)w;
	(void)fds;
	(void)nfds;
	(void)ms;
	assert_int_equal(type, W_QUERY);
	f.cb = cb;
	f.arg = arg;
	return VT_OK;
}

static int
begin(void **state)
{
	memset(&f, 0, sizeof(f));
	if (one_guest_begin(state, &f.m, &f.g) != 0)
		return -1;
	f.link.serial = 1;
	f.g.link = &f.link;
	f.g.st = IS_RUNNING;
	return 0;
}

static int
end(void **state)
{
	f.g.link = NULL;
	return one_guest_end(state, &f.m);
}

/* The worker is asked and answers: n commands of each class and duration. */
static void
answers(uint64_t n)
{
	struct wstats s = { .n = WCLASSES };
	struct wanswer a = { .rc = VT_OK };
	struct msg msg = { .type = W_ANSWER };
	uint8_t body[4096], data[4096];
	unsigned int i, k;
	struct wr w;

	for (i = 0; i < WCLASSES; i++) {
		s.times[i].sum_us = n;
		s.times[i].n = HIST_BOUNDS + 1;
		for (k = 0; k <= HIST_BOUNDS; k++)
			s.times[i].counts[k] = n;
	}
	wr_init(&w, body, sizeof(body));
	msg_put(&w, wstats, &s);
	assert_int_equal(wr_err(&w), VT_OK);
	a.data = (struct wblob){ body, (uint32_t)w.len };
	wr_init(&w, data, sizeof(data));
	msg_put(&w, wanswer, &a);
	assert_int_equal(wr_err(&w), VT_OK);
	msg.data = data;
	msg.len = w.len;
	guest_stats_ask(&f.g);
	f.cb(f.arg, VT_OK, &msg);
}

static uint64_t
sum(void)
{
	return guest_stats_times(&f.m, WCLASS_NV)->sum_us;
}
static uint64_t
bucket(void)
{
	return guest_stats_times(&f.m, WCLASS_NV)->n[0];
}

static void
what_workers_count_adds_up(void **state)
{
	(void)state;
	answers(3);
	answers(5);
	assert_int_equal(bucket(), 5);
	f.link.serial = 2; /* it died, another begins at 0 */
	answers(2);
	assert_int_equal(bucket(), 7);
	assert_int_equal(sum(), 7);
	f.link.serial = 3; /* an older manager had counted this one's */
	f.link.found = true;
	answers(100);
	answers(101);
	assert_int_equal(bucket(), 8);
}

/* Else two liars could end all histograms of the host. */
static void
a_count_that_falls_and_rises_counts_once(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		answers(WSTATS_MAX);
		answers(0);
	}
	assert_true(bucket() == WSTATS_MAX);
	assert_true(sum() == WSTATS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    what_workers_count_adds_up, begin, end),
		cmocka_unit_test_setup_teardown(
		    a_count_that_falls_and_rises_counts_once, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
