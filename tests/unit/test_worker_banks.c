/* SPDX-License-Identifier: BSD-3-Clause */
/* Banks and AK of a running vTPM, as the host sets them and hears of them. */
#include "worker_fixture.h"

/* clang-format off */
/* sha1 and sha384 on, the others off */
#define C_ALLOCATE	"800200000000" "0000012b" "4000000c" PW "00000004" \
			"0004" "03ffffff" "000b" "03000000" \
			"000c" "03ffffff" "000d" "03000000"
#define C_CLEAR		"800200000000" "00000126" "4000000c" PW
#define C_PLATFORM_AUTH	"800200000000" "00000129" "4000000c" PW "0003" "414243"
/* clang-format on */

static struct fm m;

static int
setup(void **state)
{
	struct fw *g = calloc(1, sizeof(*g));

	if ((*state = g) == NULL)
		return -1;
	fm_make(&m, g);
	return 0;
}

static int
teardown(void **state)
{
	fm_free(*state);
	free(*state);
	return 0;
}

static void
set_banks(struct fw *g, uint8_t banks)
{
	struct wbanks b = { banks };
	uint8_t buf[8];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wbanks, &b);
	assert_int_equal(fm_ask_done(g, W_BANKS, &w, NULL, 0), VT_OK);
}

static void
cycle(struct fw *g, struct ring *r)
{
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	fm_settle(g, r);
}

static void
the_hosts_banks_are_active_after_a_power_cycle(void **state)
{
	struct fw *g = *state;
	struct ring *r = fm_guest(g);

	fm_settle(g, r);
	assert_int_equal(g->banks, BANK_SHA256);
	/* the platform's password, which firmware sets, is in nobody's way */
	assert_int_equal(fm_cmd(g, r, C_PLATFORM_AUTH, NULL, NULL), 0);
	set_banks(g, BANK_SHA1 | BANK_SHA256 | BANK_SHA384);
	cycle(g, r);
	assert_int_equal(g->banks, BANK_SHA1 | BANK_SHA256 | BANK_SHA384);
	assert_int_equal(g->nevents[WE_FAILURE], 0);
	/* once: what the guest chooses later stays */
	assert_int_equal(fm_cmd(g, r, C_ALLOCATE, NULL, NULL), 0);
	assert_int_equal(g->banks, BANK_SHA1 | BANK_SHA256 | BANK_SHA384);
	cycle(g, r);
	assert_int_equal(g->banks, BANK_SHA1 | BANK_SHA384);
	cycle(g, r);
	assert_int_equal(g->banks, BANK_SHA1 | BANK_SHA384);
	ring_close(r);
}

/* As a start does. */
static void
banks_that_come_before_the_state_are_active_at_once(void **state)
{
	struct fw *g = *state;
	struct ring *r;

	assert_int_equal(fm_stop(g), VT_OK);
	fm_start(&m, g, JAIL_KEEP_ID);
	set_banks(g, BANK_SHA512);
	assert_int_equal(fm_load(g, 0, NULL), VT_OK);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_OK);
	r = fm_guest(g);
	fm_settle(g, r);
	assert_int_equal(g->banks, BANK_SHA512);
	ring_close(r);
}

static void
a_manager_that_comes_back_hears_of_them(void **state)
{
	struct fw *g = *state;
	struct ring *r = fm_guest(g);
	unsigned int n;

	fm_settle(g, r);
	n = g->nfacts;
	fm_manager_gone(g);
	g->banks = 0;
	fm_manager_back(g);
	assert_int_equal(g->nfacts, n + 1);
	assert_int_equal(g->banks, BANK_SHA256);
	ring_close(r);
}

static void
a_new_ak_after_a_clear_is_told(void **state)
{
	uint8_t before[PUB_MAX_LEN];
	struct fw *g = *state;
	struct ring *r = fm_guest(g);

	fm_settle(g, r);
	assert_true(g->ak_len > 0);
	memcpy(before, g->ak, g->ak_len);
	cycle(g, r);
	assert_memory_equal(before, g->ak, g->ak_len);
	assert_int_equal(fm_cmd(g, r, C_CLEAR, NULL, NULL), 0);
	assert_int_not_equal(fm_cmd(g, r, C_PUBLIC("81000003"), NULL, NULL), 0);
	cycle(g, r);
	assert_int_equal(g->nevents[WE_REPAIRED], 1);
	assert_int_equal(fm_cmd(g, r, C_PUBLIC("81000003"), NULL, NULL), 0);
	assert_memory_not_equal(before, g->ak, g->ak_len);
	/* the old AK's certificate says nothing any more */
	assert_int_not_equal(
	    fm_cmd(g, r, C_NV_PUBLIC("01c101d0"), NULL, NULL), 0);
	memcpy(before, g->ak, g->ak_len);
	/* and it is in the state */
	ring_close(r);
	fm_kill(g);
	fm_again(g, WLOAD_CRASHED);
	r = fm_guest(g);
	fm_settle(g, r);
	assert_memory_equal(before, g->ak, g->ak_len);
	ring_close(r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_hosts_banks_are_active_after_a_power_cycle),
		T(banks_that_come_before_the_state_are_active_at_once),
		T(a_manager_that_comes_back_hears_of_them),
		T(a_new_ak_after_a_clear_is_told),
	};
	int rc;

	fm_init(&m);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fm_done(&m);
	return rc;
}
