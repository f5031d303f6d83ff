/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker does to its TPM when power goes and comes: in order after
 * commands, as it is after a snapshot, and with nothing left of the cycle
 * before.
 */
#include "swtpm_hv.h"

#include "measure/log/journal.h"
#include "measure/log/journal_codec.h"
#include "vtpm/engine/vendor.h"

/* clang-format off */
/* TPM_PT_STARTUP_CLEAR; bit 31: the last power off was orderly */
#define C_STARTUP_CLEAR	"800100000000" "0000017a" "00000006" "00000201" \
			"00000001"
#define C_SHUTDOWN_CLEAR "800100000000" "00000145" "0000"
#define C_SHUTDOWN_BAD	"800100000000" "00000145" "0002"
/* clang-format on */

static struct fm m;

static bool
was_orderly(struct fw *g, struct hv *h)
{
	uint8_t out[FM_CMD_MAX];

	assert_int_equal(hv_tpm(g, h, C_STARTUP, NULL), 0);
	assert_int_equal(hv_tpm(g, h, C_STARTUP_CLEAR, out), 0);
	assert_int_equal(be32_get(out + 19), 0x201);
	return be32_get(out + 23) >> 31 != 0;
}

static bool
is_orderly_after_a_cycle(struct fw *g, struct hv *h)
{
	assert_int_equal(STOP(h), 0);
	assert_int_equal(INIT(h), 0);
	return was_orderly(g, h);
}

/* --- power off
 * ---------------------------------------------------------------- */

/* The measure that the tests below rely on. */
static void
a_killed_worker_leaves_no_orderly_state(void **state)
{
	struct fw *g = *state;
	struct hv h;

	hv_make(&m, g, &h);
	hv_boot(g, &h);
	hv_close(&h);
	fm_kill(g);
	fm_start(&m, g, JAIL_KEEP_ID);
	assert_int_equal(fm_load(g, 0, NULL), VT_OK);
	assert_int_equal(fm_open(g, CHAN_SWTPM, 1), VT_OK);
	hv_open(g, &h);
	assert_int_equal(STOP(&h), 0);
	assert_int_equal(INIT(&h), 0);
	assert_false(was_orderly(g, &h));
	hv_close(&h);
}

static void
power_goes_in_order_after_commands(void **state)
{
	struct fw *g = *state;
	struct hv h;

	hv_make(&m, g, &h);
	hv_boot(g, &h);
	assert_true(is_orderly_after_a_cycle(g, &h));
	/* nor does INIT alone, without STOP before, cut power */
	assert_int_equal(hv_tpm(g, &h, C_EXTEND("00000004"), NULL), 0);
	assert_int_equal(INIT(&h), 0);
	assert_true(was_orderly(g, &h));
	assert_int_equal(hv_tpm(g, &h, C_EXTEND("00000004"), NULL), 0);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_true(was_orderly(g, &h));
	hv_close(&h);
}

static void
a_shutdown_that_failed_does_not_count_as_one(void **state)
{
	struct fw *g = *state;
	struct hv h;

	hv_make(&m, g, &h);
	hv_boot(g, &h);
	assert_int_not_equal(hv_tpm(g, &h, C_SHUTDOWN_BAD, NULL), 0);
	assert_true(is_orderly_after_a_cycle(g, &h));
	hv_close(&h);
}

static void
a_command_after_the_guests_shutdown_makes_another_one_due(void **state)
{
	struct fw *g = *state;
	struct hv h;

	hv_make(&m, g, &h);
	hv_boot(g, &h);
	assert_int_equal(hv_tpm(g, &h, C_SHUTDOWN_CLEAR, NULL), 0);
	assert_int_equal(hv_tpm(g, &h, C_EXTEND("00000004"), NULL), 0);
	assert_true(is_orderly_after_a_cycle(g, &h));
	hv_close(&h);
}

static void
fetch_snapshot(struct hv *h)
{
	uint8_t *blob;

	assert_true(hv_get_blob(h, 1, &blob) > 1000);
	free(blob);
	assert_true(hv_get_blob(h, 2, &blob) > 1000);
	free(blob);
}

static void
a_snapshot_stays_the_newest_state_without_commands(void **state)
{
	struct fw *g = *state;
	uint64_t version;
	struct hv h;

	hv_make(&m, g, &h);
	hv_boot(g, &h);
	fetch_snapshot(&h);
	version = g->version;
	/* one that the TPM never sees is none */
	assert_int_equal(hv_tpm(g, &h, C_INFO, NULL), 0);
	assert_int_equal(STOP(&h), 0);
	fm_pump_for(g, 50);
	assert_int_equal(g->version, version);
	hv_close(&h);
}

static void
a_command_after_a_snapshot_makes_a_shutdown_due(void **state)
{
	struct fw *g = *state;
	struct hv h;

	hv_make(&m, g, &h);
	hv_boot(g, &h);
	fetch_snapshot(&h);
	assert_int_equal(hv_tpm(g, &h, C_EXTEND("00000004"), NULL), 0);
	assert_true(is_orderly_after_a_cycle(g, &h));
	hv_close(&h);
}

/* --- power on
 * ----------------------------------------------------------------- */

static struct journal *
read_journal(struct fw *g)
{
	uint8_t q = WQ_JOURNAL;
	struct wanswer a;
	struct journal *j;
	struct wr w;

	wr_init(&w, &q, 1);
	w.len = 1;
	fm_ask(g, W_QUERY, &w, NULL, 0, W_ANSWER);
	assert_int_equal(msg_get(wanswer, g->ans, g->ans_len, &a), VT_OK);
	assert_int_equal(journal_decode(a.data.p, a.data.len, &j), VT_OK);
	return j;
}

static uint32_t
cycles(struct fw *g, struct ring *r)
{
	uint8_t out[FM_CMD_MAX];
	size_t n;

	assert_int_equal(fm_cmd(g, r, C_INFO, out, &n), 0);
	return be32_get(out + 50);
}

static void
power_cycles_are_counted_told_and_journaled(void **state)
{
	struct fw *g = *state;
	struct jr_record rec;
	struct journal *j;
	struct ring *r;

	fm_make(&m, g);
	r = fm_guest(g);
	fm_settle(g, r);
	assert_int_equal(cycles(g, r), 1);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_int_equal(cycles(g, r), 2);
	fm_pump_for(g, 20);
	assert_int_equal(g->nevents[WE_POWER_CYCLE], 2);
	j = read_journal(g);
	assert_int_equal(journal_power_cycles(j), 2);
	assert_int_equal(journal_get(j, 1, &rec), VT_OK);
	assert_int_equal(rec.kind, JR_NOTE);
	assert_int_equal(rec.value, JN_NO_LAUNCH);
	journal_free(j);
	ring_close(r);
}

/* Parts of two journals would make one that no TPM wrote. */
static void
a_journal_that_is_read_in_parts_ends_with_its_power_cycle(void **state)
{
	/* clang-format off */
	static const char first[] = "800100000000" "20005654" "0003"
	    "00000000" "0010";
	static const char later[] = "800100000000" "20005654" "0003"
	    "00000010" "0010";
	/* clang-format on */
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX];
	uint32_t total;
	struct ring *r;
	size_t n;
	int i;

	fm_make(&m, g);
	r = fm_guest(g);
	for (i = 0; i < 20; i++)
		assert_int_equal(
		    fm_cmd(g, r, C_EXTEND("00000002"), NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, first, out, &n), 0);
	total = be32_get(out + 12);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, later, out, &n), 0);
	assert_true(be32_get(out + 12) < total);
	ring_close(r);
}

static void
a_crash_is_told_and_journaled(void **state)
{
	struct fw *g = *state;
	struct journal *j;
	struct ring *r;

	fm_make(&m, g);
	r = fm_guest(g);
	fm_settle(g, r);
	ring_close(r);
	fm_kill(g);
	fm_again(g, WLOAD_CRASHED);
	fm_pump_for(g, 20);
	assert_int_equal(g->nevents[WE_CAPPED], 1);
	j = read_journal(g);
	assert_int_not_equal(journal_flags(j) & JF_CAPPED, 0);
	journal_free(j);
	fm_manager_gone(g);
	fm_manager_back(g);
	assert_int_not_equal(g->hello.flags & WH_CAPPED, 0);
	/* and its start is stored as any other */
	assert_int_equal(g->hello.version, g->version);
	assert_true(g->version > 2);
}

/* The cap goes with the state that the hypervisor takes out. */
static void
a_capped_state_resumes_capped(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX], *perm, *vol;
	size_t np, nv;
	struct hv h;

	hv_make(&m, g, &h);
	hv_boot(g, &h);
	hv_close(&h);
	fm_kill(g);
	fm_start(&m, g, JAIL_KEEP_ID);
	assert_int_equal(fm_load(g, WLOAD_CRASHED, NULL), VT_OK);
	assert_int_equal(fm_open(g, CHAN_SWTPM, 1), VT_OK);
	hv_open(g, &h);
	np = hv_get_blob(&h, 1, &perm);
	nv = hv_get_blob(&h, 2, &vol);
	assert_int_equal(STOP(&h), 0);
	assert_int_equal(hv_set_blob(&h, 1, perm, np), 0);
	assert_int_equal(hv_set_blob(&h, 2, vol, nv), 0);
	assert_int_equal(INIT_RESUME(&h), 0);
	assert_int_equal(hv_tpm(g, &h, C_INFO, out), 0);
	assert_int_not_equal(be32_get(out + 54) & VIF_CAPPED, 0);
	assert_int_equal(hv_tpm(g, &h, C_RESET("00000010"), NULL), 0x907);
	hv_close(&h);
	free(perm);
	free(vol);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fm_setup, fm_teardown)
	const struct CMUnitTest tests[] = {
		T(a_killed_worker_leaves_no_orderly_state),
		T(power_goes_in_order_after_commands),
		T(a_shutdown_that_failed_does_not_count_as_one),
		T(a_command_after_the_guests_shutdown_makes_another_one_due),
		T(a_snapshot_stays_the_newest_state_without_commands),
		T(a_command_after_a_snapshot_makes_a_shutdown_due),
		T(power_cycles_are_counted_told_and_journaled),
		T(a_journal_that_is_read_in_parts_ends_with_its_power_cycle),
		T(a_crash_is_told_and_journaled),
		T(a_capped_state_resumes_capped),
	};
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	fm_init(&m);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fm_done(&m);
	return rc;
}
