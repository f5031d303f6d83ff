/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hypervisor at the worker's swtpm channel: power, S3, snapshots,
 * migration on one host, and what a snapshot that goes back costs.
 */
#include "swtpm_hv.h"

#include "base/util.h"
#include "measure/log/journal.h"
#include "measure/log/journal_codec.h"
#include "vtpm/engine/vendor.h"

static struct fm m;

static void
expect_pcr(
    struct fw *g, struct hv *h, const char *cmd, const uint8_t *want, bool same)
{
	uint8_t out[FM_CMD_MAX];

	assert_int_equal(hv_tpm(g, h, cmd, out), 0);
	if (same)
		assert_memory_equal(out + 30, want + 30, 32);
	else
		assert_memory_not_equal(out + 30, want + 30, 32);
}

static uint32_t
journal_flags_now(struct fw *g)
{
	uint8_t q = WQ_JOURNAL;
	struct wanswer a;
	struct journal *j;
	struct wr w;
	uint32_t f;

	wr_init(&w, &q, 1);
	w.len = 1;
	fm_ask(g, W_QUERY, &w, NULL, 0, W_ANSWER);
	assert_int_equal(msg_get(wanswer, g->ans, g->ans_len, &a), VT_OK);
	assert_int_equal(journal_decode(a.data.p, a.data.len, &j), VT_OK);
	f = journal_flags(j);
	journal_free(j);
	return f;
}

/* --- power
 * ---------------------------------------------------------------------- */

static void
power_cycle_of_the_hypervisor_resets_pcrs(void **state)
{
	struct fw *g = *state;
	uint8_t a[FM_CMD_MAX];
	struct hv h;

	hv_make(&m, g, &h);
	/* the firmware starts it, not the worker */
	assert_int_equal(hv_tpm(g, &h, C_RANDOM, NULL), 0x100);
	hv_boot(g, &h);
	assert_int_equal(hv_tpm(g, &h, C_READ4, a), 0);
	assert_int_equal(STOP(&h), 0);
	assert_int_equal(hv_tpm(g, &h, C_RANDOM, NULL), 0x101); /* off */
	assert_int_equal(INIT(&h), 0);
	assert_int_equal(hv_tpm(g, &h, C_STARTUP, NULL), 0);
	expect_pcr(g, &h, C_READ4, a, false);
	/* hanging up and coming back is not a power cycle */
	assert_int_equal(hv_tpm(g, &h, C_EXTEND("00000004"), NULL), 0);
	assert_int_equal(hv_tpm(g, &h, C_READ4, a), 0);
	hv_close(&h);
	fm_pump_for(g, 20);
	hv_open(g, &h);
	expect_pcr(g, &h, C_READ4, a, true);
	hv_close(&h);
}

static void
suspend_to_ram_keeps_pcrs_and_journal(void **state)
{
	struct fw *g = *state;
	uint8_t pcr4[FM_CMD_MAX], pcr16[FM_CMD_MAX];
	struct hv h;

	hv_make(&m, g, &h);
	assert_int_equal(hv_tpm(g, &h, C_STARTUP, NULL), 0);
	assert_int_equal(hv_tpm(g, &h, C_EXTEND("00000004"), NULL), 0);
	assert_int_equal(hv_tpm(g, &h, C_READ4, pcr4), 0);
	assert_int_equal(hv_tpm(g, &h, C_EXTEND("00000010"), NULL), 0);
	assert_int_equal(hv_tpm(g, &h, C_READ16, pcr16), 0);
	assert_int_equal(hv_tpm(g, &h, C_SHUTDOWN_STATE, NULL), 0);
	assert_int_equal(STOP(&h), 0);
	assert_int_equal(INIT(&h), 0);
	assert_int_equal(hv_tpm(g, &h, C_STARTUP_STATE, NULL), 0);
	expect_pcr(g, &h, C_READ4, pcr4, true);
	hv_close(&h);
	(void)journal_flags_now(g); /* it decodes */
}

/* --- snapshots
 * ------------------------------------------------------------------ */

static void
migration_through_a_file_keeps_everything(void **state)
{
	struct fw *g = *state;
	uint8_t pcr[FM_CMD_MAX], *perm, *vol;
	size_t np, nv;
	struct hv h;

	hv_make(&m, g, &h);
	hv_boot(g, &h);
	assert_int_equal(hv_tpm(g, &h, C_NV_DEFINE, NULL), 0);
	assert_int_equal(hv_tpm(g, &h, C_READ16, pcr), 0);
	np = hv_get_blob(&h, 1, &perm);
	nv = hv_get_blob(&h, 2, &vol);
	assert_true(np > 1000 && nv > 1000);
	assert_int_equal(hv_ask(&h, 3, ""), 0); /* SHUTDOWN */
	hv_close(&h);
	fm_pump_for(g, 20);
	hv_open(g, &h);
	assert_int_equal(STOP(&h), 0);
	assert_int_equal(hv_set_blob(&h, 1, perm, np), 0);
	assert_int_equal(hv_set_blob(&h, 2, vol, nv), 0);
	assert_int_equal(INIT_RESUME(&h), 0);
	expect_pcr(g, &h, C_READ16, pcr, true); /* no Startup */
	assert_int_equal(
	    hv_tpm(g, &h, C_NV_WRITE("0102030405060708"), NULL), 0);
	assert_int_equal(g->generation, 1);
	assert_int_equal(g->nevents[WE_RESTORED], 0);
	assert_int_equal(journal_flags_now(g) & JF_RESTORED, 0);
	hv_close(&h);
	free(perm);
	free(vol);
}

static void
older_snapshot_begins_a_new_generation(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX], *perm, *vol;
	uint64_t version;
	size_t np, nv;
	struct hv h;

	hv_make(&m, g, &h);
	hv_boot(g, &h);
	assert_int_equal(hv_tpm(g, &h, C_NV_DEFINE, NULL), 0);
	assert_int_equal(
	    hv_tpm(g, &h, C_NV_WRITE("0000000000000001"), NULL), 0);
	np = hv_get_blob(&h, 1, &perm);
	nv = hv_get_blob(&h, 2, &vol);
	assert_int_equal(
	    hv_tpm(g, &h, C_NV_WRITE("0000000000000002"), NULL), 0);
	fm_pump_for(g, 20);
	version = g->version;
	assert_int_equal(STOP(&h), 0);
	assert_int_equal(hv_set_blob(&h, 1, perm, np), 0);
	assert_int_equal(hv_set_blob(&h, 2, vol, nv), 0);
	g->ack = false;
	assert_int_equal(INIT_RESUME(&h), 0);
	fm_pump_for(g, 50);
	/* no response depends on it before the manager has it on disk */
	while (g->last.version <= version || !(g->last.flags & WS_RESTORE)) {
		fm_stored(g, VT_OK);
		fm_pump_for(g, 20);
	}
	assert_int_equal(g->last.flags, WS_RESTORE);
	assert_int_equal(g->last.generation, 2);
	g->ack = true;
	fm_stored(g, VT_OK);
	assert_int_equal(hv_tpm(g, &h, C_NV_READ, out), 0);
	assert_int_equal(be64_get(out + 16), 1);
	assert_int_equal(hv_tpm(g, &h, C_INFO, out), 0);
	assert_int_not_equal(be32_get(out + 54) & VIF_RESTORED, 0);
	assert_int_equal(be64_get(out + 34), 2); /* generation */
	assert_int_not_equal(journal_flags_now(g) & JF_RESTORED, 0);
	assert_int_equal(g->nevents[WE_RESTORED], 1);
	hv_close(&h);
	/* it stays known as restored */
	assert_int_equal(fm_stop(g), VT_OK);
	assert_int_equal(g->generation, 2);
	fm_again(g, 0);
	free(perm);
	free(vol);
}

static void
bad_snapshots_are_refused(void **state)
{
	struct fw *g = *state;
	uint8_t *perm, *vol, pcr[FM_CMD_MAX];
	size_t np, nv, i;
	struct hv h;

	hv_make(&m, g, &h);
	hv_boot(g, &h);
	np = hv_get_blob(&h, 1, &perm);
	nv = hv_get_blob(&h, 2, &vol);
	assert_int_equal(hv_tpm(g, &h, C_READ4, pcr), 0);
	/* not while it runs */
	assert_int_not_equal(hv_set_blob(&h, 1, perm, np), 0);
	expect_pcr(g, &h, C_READ4, pcr, true);
	assert_int_equal(STOP(&h), 0);
	for (i = 0; i < np; i += 211) {
		perm[i] ^= 1;
		assert_int_not_equal(hv_set_blob(&h, 1, perm, np), 0);
		perm[i] ^= 1;
	}
	assert_int_not_equal(hv_set_blob(&h, 1, perm, np - 1), 0);
	assert_int_not_equal(hv_set_blob(&h, 1, vol, nv), 0); /* other kind */
	assert_int_not_equal(hv_set_blob(&h, 2, perm, np), 0);
	/* the stored state is another kind still */
	assert_int_not_equal(hv_set_blob(&h, 1, g->blob, g->len), 0);
	/* a volatile state alone is nothing */
	assert_int_equal(hv_set_blob(&h, 2, vol, nv), 0);
	assert_int_equal(INIT(&h), 0);
	assert_int_equal(hv_tpm(g, &h, C_RANDOM, NULL), 0x100); /* reset */
	assert_int_equal(hv_tpm(g, &h, C_STARTUP, NULL), 0);
	expect_pcr(g, &h, C_READ4, pcr, false);
	hv_close(&h);
	free(perm);
	free(vol);
}

static void
halves_of_two_snapshots_are_refused(void **state)
{
	struct fw *g = *state;
	uint8_t *perm[2], *vol[2];
	size_t np[2], nv[2], i;
	struct hv h;

	hv_make(&m, g, &h);
	hv_boot(g, &h);
	for (i = 0; i < 2; i++) {
		assert_int_equal(
		    hv_tpm(g, &h,
			i == 0 ? C_NV_DEFINE : C_NV_WRITE("0000000000000001"),
			NULL),
		    0);
		np[i] = hv_get_blob(&h, 1, &perm[i]);
		nv[i] = hv_get_blob(&h, 2, &vol[i]);
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(STOP(&h), 0);
		assert_int_equal(hv_set_blob(&h, 1, perm[i], np[i]), 0);
		assert_int_equal(hv_set_blob(&h, 2, vol[1 - i], nv[1 - i]), 0);
		assert_int_not_equal(INIT_RESUME(&h), 0);
		assert_int_equal(hv_tpm(g, &h, C_RANDOM, NULL), 0x101);
	}
	hv_close(&h);
	for (i = 0; i < 2; i++) {
		free(perm[i]);
		free(vol[i]);
	}
}

static void
migration_on_one_host_hands_over(void **state)
{
	struct fw *g = *state;
	uint8_t *perm, *vol, pcr[FM_CMD_MAX];
	size_t np, nv;
	struct hv src, dst;

	hv_make(&m, g, &src);
	hv_boot(g, &src);
	assert_int_equal(hv_tpm(g, &src, C_READ16, pcr), 0);
	hv_open(g, &dst);
	np = hv_get_blob(&src, 1, &perm);
	nv = hv_get_blob(&src, 2, &vol);
	assert_int_equal(STOP(&dst), 0); /* stops nothing of src's */
	assert_int_equal(hv_set_blob(&dst, 1, perm, np), 0);
	assert_int_equal(hv_set_blob(&dst, 2, vol, nv), 0);
	assert_int_equal(INIT_RESUME(&dst), 0);
	expect_pcr(g, &dst, C_READ16, pcr, true);
	fm_pump_for(g, 20);
	assert_int_equal(g->generation, 1);
	assert_int_equal(g->nevents[WE_HANDOVER], 1);
	hv_close(&src);
	assert_int_equal(hv_tpm(g, &dst, C_RANDOM, NULL), 0);
	hv_close(&dst);
	free(perm);
	free(vol);
}

static void
handover_of_an_old_state_is_refused(void **state)
{
	struct fw *g = *state;
	uint8_t *perm, *vol;
	size_t np, nv;
	struct hv src, dst;

	hv_make(&m, g, &src);
	hv_boot(g, &src);
	np = hv_get_blob(&src, 1, &perm);
	nv = hv_get_blob(&src, 2, &vol);
	assert_int_equal(hv_tpm(g, &src, C_NV_DEFINE, NULL), 0);
	hv_open(g, &dst);
	assert_int_equal(hv_set_blob(&dst, 1, perm, np), 0);
	assert_int_equal(hv_set_blob(&dst, 2, vol, nv), 0);
	assert_int_not_equal(INIT_RESUME(&dst), 0);
	assert_int_equal(hv_tpm(g, &src, C_RANDOM, NULL), 0); /* undisturbed */
	hv_close(&src);
	hv_close(&dst);
	free(perm);
	free(vol);
}

/* The source keeps its TPM, whatever the destination brought. */
static void
handover_of_halves_that_do_not_fit_is_refused(void **state)
{
	struct fw *g = *state;
	uint8_t *perm, *vol, pcr[FM_CMD_MAX];
	size_t np, nv;
	struct hv src, dst;

	hv_make(&m, g, &src);
	hv_boot(g, &src);
	nv = hv_get_blob(&src, 2, &vol);
	assert_int_equal(hv_tpm(g, &src, C_NV_DEFINE, NULL), 0);
	fm_pump_for(g, 20);
	np = hv_get_blob(&src, 1, &perm);
	assert_int_equal(hv_tpm(g, &src, C_READ16, pcr), 0);
	hv_open(g, &dst);
	assert_int_equal(hv_set_blob(&dst, 1, perm, np), 0);
	assert_int_not_equal(INIT_RESUME(&dst), 0); /* one half is missing */
	assert_int_equal(hv_set_blob(&dst, 1, perm, np), 0);
	assert_int_equal(hv_set_blob(&dst, 2, vol, nv), 0);
	assert_int_not_equal(INIT_RESUME(&dst), 0);
	expect_pcr(g, &src, C_READ16, pcr, true);
	hv_close(&src);
	hv_close(&dst);
	free(perm);
	free(vol);
}

/* One front half over all channels. */
static void
a_guest_under_qemu_has_no_second_front_half(void **state)
{
	struct fw *g = *state;
	char path[128], holder[RING_TEXT_MAX];
	struct ring *r;
	struct hv h;

	hv_make(&m, g, &h);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_OK);
	fm_path(g, "tpmif", path);
	assert_int_equal(
	    ring_local_connect(path, FM_WAIT_MS, &r, holder), VT_E_BUSY);
	assert_string_equal(holder, "another channel");
	hv_close(&h);
	fm_pump_for(g, 20);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_STARTUP, NULL, NULL), 0);
	hv_open(g, &h);
	assert_int_not_equal(INIT(&h), 0);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	ring_close(r);
	fm_pump_for(g, 20);
	assert_int_equal(INIT(&h), 0);
	hv_close(&h);
}

static void
resumed_twins_share_no_random_byte(void **state)
{
	struct fw *g = *state;
	uint8_t *perm, *vol, a[FM_CMD_MAX], b[FM_CMD_MAX];
	size_t np, nv;
	struct hv h;
	int i;

	hv_make(&m, g, &h);
	hv_boot(g, &h);
	np = hv_get_blob(&h, 1, &perm);
	nv = hv_get_blob(&h, 2, &vol);
	for (i = 0; i < 2; i++) {
		assert_int_equal(STOP(&h), 0);
		assert_int_equal(hv_set_blob(&h, 1, perm, np), 0);
		assert_int_equal(hv_set_blob(&h, 2, vol, nv), 0);
		assert_int_equal(INIT_RESUME(&h), 0);
		assert_int_equal(hv_tpm(g, &h, C_RANDOM, i == 0 ? a : b), 0);
	}
	assert_memory_not_equal(a + 12, b + 12, 8);
	assert_memory_not_equal(a + 20, b + 20, 8);
	hv_close(&h);
	free(perm);
	free(vol);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fm_setup, fm_teardown)
	const struct CMUnitTest tests[] = {
		T(power_cycle_of_the_hypervisor_resets_pcrs),
		T(suspend_to_ram_keeps_pcrs_and_journal),
		T(migration_through_a_file_keeps_everything),
		T(older_snapshot_begins_a_new_generation),
		T(bad_snapshots_are_refused),
		T(halves_of_two_snapshots_are_refused),
		T(migration_on_one_host_hands_over),
		T(handover_of_an_old_state_is_refused),
		T(handover_of_halves_that_do_not_fit_is_refused),
		T(a_guest_under_qemu_has_no_second_front_half),
		T(resumed_twins_share_no_random_byte),
	};
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	fm_init(&m);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fm_done(&m);
	return rc;
}
