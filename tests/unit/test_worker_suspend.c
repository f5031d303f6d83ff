/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_worker_suspend.c - a guest that suspends, wakes up or is reset, over
 * swtpm's control protocol as QEMU speaks it (law 4, CVE-2018-6622).
 */
#include "pcrs_fixture.h"
#include "swtpm_hv.h"

#define CYCLES 50
#define RC_VALUE 0x1c4u

static struct fm m;

/* One guest under one QEMU. */
struct vm {
	struct fw *g;
	struct hv h;
	int monitor;         /* -1: none */
	unsigned int cycles; /* power cycles up to its first CMD_INIT */
};

static uint32_t
run(struct vm *v, const char *hex)
{
	return hv_tpm(v->g, &v->h, hex, NULL);
}

static void
pcr0(struct vm *v, uint8_t out[32])
{
	uint8_t buf[FM_CMD_MAX];

	assert_int_equal(hv_tpm(v->g, &v->h, C_READ0, buf), 0);
	memcpy(out, buf + 30, 32);
}

static bool
is_capped(struct vm *v)
{
	struct journal *j = get_journal(v->g);
	bool capped = (journal_flags(j) & JF_CAPPED) != 0;

	journal_free(j);
	expect_journal_fits(v->g);
	return capped;
}

static bool
is_unseen(struct vm *v)
{
	struct journal *j = get_journal(v->g);
	bool unseen = (journal_flags(j) & JF_UNSEEN) != 0;

	journal_free(j);
	return unseen;
}

static uint32_t
power_cycles(struct vm *v)
{
	return v->g->nevents[WE_POWER_CYCLE] - v->cycles;
}

/* QEMU starts: the first CMD_INIT. */
static void
vm_start(struct vm *v, struct fw *g, bool watched, struct launch_bytes *l)
{
	char path[128];

	v->g = g;
	fm_make(&m, g);
	v->monitor = watched ? monitor_new(g) : -1;
	if (l != NULL)
		assert_int_equal(send_launch(g, l), VT_OK);
	assert_int_equal(fm_open(g, CHAN_SWTPM, 0x1f), VT_OK);
	fm_path(g, "swtpm", path);
	v->h.ctl = swc_open(path, true, &v->h.data);
	assert_int_not_equal(v->h.ctl, -1);
	assert_int_equal(run(v, C_STARTUP), 0);
	assert_int_equal(run(v, C_EXTEND("00000000")), 0);
	v->cycles = v->g->nevents[WE_POWER_CYCLE];
}

static void
vm_end(struct vm *v)
{
	hv_close(&v->h);
	if (v->monitor != -1)
		(void)close(v->monitor);
}

/* What QEMU sends upon a reset and upon a wake-up alike, then its event. */
static void
vm_init(struct vm *v, const char *before, const char *after)
{
	uint8_t stop[4] = { 0, 0, 0, 14 }, init[8] = { 0, 0, 0, 2 };

	if (before != NULL)
		monitor_says(v->monitor, before);
	assert_int_equal(swc_ask(v->h.ctl, stop, 4, -1), 0);
	assert_int_equal(swc_ask(v->h.ctl, init, 8, -1), 0);
	if (after != NULL)
		monitor_says(v->monitor, after);
}

/* --- the attack ------------------------------------------------------------
 */

/* The guest sleeps without TPM2_Shutdown(STATE) and starts its TPM anew. */
static void
a_guest_that_suspends_itself_gets_no_fresh_pcrs(void **state)
{
	struct vm v;

	vm_start(&v, *state, true, NULL);
	vm_init(&v, "SUSPEND", "WAKEUP");
	assert_int_equal(run(&v, C_STARTUP_STATE), RC_VALUE);
	assert_int_equal(run(&v, C_STARTUP), 0);
	assert_true(is_capped(&v));
	assert_int_equal(power_cycles(&v), 0);
	/* and again, from there */
	vm_init(&v, "SUSPEND", "WAKEUP");
	assert_int_equal(run(&v, C_STARTUP), 0);
	assert_true(is_capped(&v));
	vm_end(&v);
}

static void
a_wake_up_measures_no_launch(void **state)
{
	static const char *const first[] = { C_STARTUP, C_STARTUP_STATE,
		C_RANDOM, C_READ17 };
	uint8_t want[DIGEST_MAX], got[FM_CMD_MAX];
	struct launch_bytes l;
	struct vm v;
	size_t i;

	make_launch(&l, sha256_only, 1, "x");
	vm_start(&v, *state, true, &l);
	assert_int_equal(
	    launch_pcr17(ALG_SHA256, l.record, l.record_len, want), VT_OK);
	assert_int_equal(hv_tpm(v.g, &v.h, C_READ17, got), 0);
	assert_memory_equal(got + 30, want, 32);
	for (i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		vm_init(&v, "SUSPEND", "WAKEUP");
		(void)run(&v, first[i]);
		(void)run(&v, C_STARTUP);
		assert_true(is_capped(&v));
		assert_int_equal(hv_tpm(v.g, &v.h, C_READ17, got), 0);
		assert_memory_not_equal(got + 30, want, 32);
	}
	assert_int_equal(v.g->nevents[WE_LAUNCH_APPLIED], 1);
	vm_end(&v);
	free_launch(&l);
}

/* A monitor that should have spoken and did not. */
static void
what_nobody_saw_is_no_reset(void **state)
{
	struct launch_bytes l;
	struct vm v;

	make_launch(&l, sha256_only, 1, "x");
	vm_start(&v, *state, true, &l);
	vm_init(&v, "RESET", NULL); /* an event of before says nothing */
	(void)run(&v, C_STARTUP);
	assert_true(is_capped(&v));
	vm_end(&v);
	free_launch(&l);
}

static void
a_launched_guest_without_a_monitor_is_capped(void **state)
{
	struct launch_bytes l;
	struct vm v;

	make_launch(&l, sha256_only, 1, "x");
	vm_start(&v, *state, false, &l);
	vm_init(&v, NULL, NULL);
	(void)run(&v, C_STARTUP);
	assert_true(is_capped(&v));
	assert_int_equal(v.g->nevents[WE_LAUNCH_APPLIED], 1);
	vm_end(&v);
	free_launch(&l);
}

/* --- what is lawful --------------------------------------------------------
 */

/* Linux's hwrng was seen to ask for random bytes between the two. */
static void
a_lawful_suspend_keeps_pcrs(void **state)
{
	uint8_t was[32], is[32];
	struct vm v;
	int i;

	vm_start(&v, *state, true, NULL);
	for (i = 0; i < CYCLES; i++) {
		assert_int_equal(run(&v, C_EXTEND("00000000")), 0);
		pcr0(&v, was);
		assert_int_equal(run(&v, C_SHUTDOWN_STATE), 0);
		if (i % 2 == 1)
			assert_int_equal(run(&v, C_RANDOM), 0);
		vm_init(&v, "SUSPEND", "WAKEUP");
		assert_int_equal(run(&v, C_STARTUP_STATE), 0);
		pcr0(&v, is);
		assert_memory_equal(was, is, 32);
	}
	assert_false(is_capped(&v));
	assert_int_equal(power_cycles(&v), 0);
	vm_end(&v);
}

/* PCRs 17 to 22 are not among those that Shutdown(STATE) saves. */
static void
a_launched_guest_wakes_up_with_its_launch_in_pcrs_0_to_15(void **state)
{
	uint8_t was[32], is[32];
	struct launch_bytes l;
	struct vm v;

	make_launch(&l, sha256_only, 1, "x");
	vm_start(&v, *state, true, &l);
	pcr0(&v, was);
	assert_int_equal(run(&v, C_SHUTDOWN_STATE), 0);
	vm_init(&v, "SUSPEND", "WAKEUP");
	assert_int_equal(run(&v, C_STARTUP_STATE), 0);
	pcr0(&v, is);
	assert_memory_equal(was, is, 32);
	assert_false(is_capped(&v));
	assert_int_equal(v.g->nevents[WE_LAUNCH_APPLIED], 1);
	vm_end(&v);
	free_launch(&l);
}

/* What is saved is of use for a wake-up alone. */
static void
a_reset_starts_anew_whatever_was_saved(void **state)
{
	uint8_t zero[32] = { 0 }, is[32];
	struct vm v;

	vm_start(&v, *state, true, NULL);
	assert_int_equal(run(&v, C_SHUTDOWN_STATE), 0);
	vm_init(&v, NULL, "RESET");
	assert_int_equal(run(&v, C_STARTUP), 0);
	pcr0(&v, is);
	assert_memory_equal(is, zero, 32);
	assert_false(is_capped(&v));
	assert_false(is_unseen(&v));
	assert_int_equal(power_cycles(&v), 1);
	vm_end(&v);
}

static void
a_capped_guest_is_itself_again_after_a_reset(void **state)
{
	struct vm v;

	vm_start(&v, *state, true, NULL);
	vm_init(&v, "SUSPEND", "WAKEUP");
	(void)run(&v, C_STARTUP);
	assert_true(is_capped(&v));
	vm_init(&v, NULL, NULL); /* QEMU was seen to send it twice */
	vm_init(&v, NULL, "RESET");
	assert_int_equal(run(&v, C_STARTUP), 0);
	assert_false(is_capped(&v));
	vm_end(&v);
}

/* --- without a monitor -----------------------------------------------------
 */

static void
a_reset_that_nobody_sees_is_the_guests_word(void **state)
{
	struct vm v;

	vm_start(&v, *state, false, NULL);
	assert_false(is_unseen(&v));
	vm_init(&v, NULL, NULL);
	assert_int_equal(run(&v, C_STARTUP), 0);
	assert_false(is_capped(&v));
	assert_true(is_unseen(&v));
	vm_end(&v);
}

/* SeaBIOS and OVMF run first upon a wake-up, and send Startup(STATE). */
static void
firmware_that_wakes_up_gives_the_guest_away(void **state)
{
	uint8_t was[32], is[32];
	struct vm v;

	vm_start(&v, *state, false, NULL);
	pcr0(&v, was);
	assert_int_equal(run(&v, C_SHUTDOWN_STATE), 0);
	vm_init(&v, NULL, NULL);
	assert_int_equal(run(&v, C_STARTUP_STATE), 0);
	pcr0(&v, is);
	assert_memory_equal(was, is, 32);
	vm_init(&v, NULL, NULL); /* not saved this time */
	assert_int_equal(run(&v, C_STARTUP_STATE), RC_VALUE);
	assert_int_equal(run(&v, C_STARTUP), 0);
	assert_true(is_capped(&v));
	vm_end(&v);
}

/* A new hypervisor is a new machine. */
static void
a_hypervisor_that_connects_anew_is_a_cold_boot(void **state)
{
	char path[128];
	struct vm v;

	vm_start(&v, *state, true, NULL);
	(void)close(v.h.ctl);
	(void)close(v.h.data);
	fm_pump_for(v.g, 100);
	fm_path(v.g, "swtpm", path);
	v.h.ctl = swc_open(path, true, &v.h.data);
	assert_int_not_equal(v.h.ctl, -1);
	assert_int_equal(run(&v, C_STARTUP), 0);
	assert_false(is_capped(&v));
	assert_false(is_unseen(&v));
	assert_int_equal(power_cycles(&v), 1);
	vm_end(&v);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fm_setup, fm_teardown)
	const struct CMUnitTest tests[] = {
		T(a_guest_that_suspends_itself_gets_no_fresh_pcrs),
		T(a_wake_up_measures_no_launch),
		T(what_nobody_saw_is_no_reset),
		T(a_launched_guest_without_a_monitor_is_capped),
		T(a_lawful_suspend_keeps_pcrs),
		T(a_launched_guest_wakes_up_with_its_launch_in_pcrs_0_to_15),
		T(a_reset_starts_anew_whatever_was_saved),
		T(a_capped_guest_is_itself_again_after_a_reset),
		T(a_reset_that_nobody_sees_is_the_guests_word),
		T(firmware_that_wakes_up_gives_the_guest_away),
		T(a_hypervisor_that_connects_anew_is_a_cold_boot),
	};
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	fm_init(&m);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fm_done(&m);
	return rc;
}
