/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker says of its PCRs: measured launch, extend journal, and
 * that nobody but the host writes PCR 17.
 */
#include "swtpm_hv.h"

#include "pcrs_fixture.h"

static struct fm m;

/* Read one of the vendor command's texts in parts of 1000 bytes. */
static size_t
read_parts(struct fw *g, struct ring *r, uint16_t sub, uint8_t *out, size_t cap)
{
	uint8_t buf[FM_CMD_MAX];
	size_t off = 0, total, n;
	char cmd[64];

	do {
		(void)snprintf(cmd, sizeof(cmd),
		    "800100000000"
		    "20005654"
		    "%04x%08zx03e8",
		    sub, off);
		assert_int_equal(fm_cmd(g, r, cmd, buf, &n), 0);
		total = be32_get(buf + 12);
		n = be16_get(buf + 16);
		assert_true(off + n <= cap);
		memcpy(out + off, buf + 18, n);
		off += n;
	} while (n > 0 && off < total);
	assert_int_equal(off, total);
	return total;
}

/* --- launch
 * ------------------------------------------------------------------- */

static void
launch_is_in_the_pcrs_before_the_guest(void **state)
{
	struct fw *g = *state;
	struct launch_bytes l;
	struct pcr_set *set = calloc(1, sizeof(*set));
	struct pcr_set *log = calloc(1, sizeof(*log));
	uint8_t out[FM_CMD_MAX], want[DIGEST_MAX], *text = malloc(65536);
	struct ring *r;
	uint32_t i;
	size_t n;

	assert_non_null(set);
	assert_non_null(log);
	assert_non_null(text);
	fm_make(&m, g);
	make_launch(&l, sha256_only, 1, "console=ttyS0");
	assert_int_equal(send_launch(g, &l), VT_OK);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	r = fm_guest(g);
	/* the TPM is started; SeaBIOS takes anything but success for a broken
	 * one, so its own Startup "succeeds", once, and does nothing */
	assert_int_equal(fm_cmd(g, r, C_STARTUP, NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_STARTUP, NULL, NULL), 0x100);
	assert_int_equal(fm_cmd(g, r, C_READ17, out, &n), 0);
	assert_int_equal(
	    launch_pcr17(ALG_SHA256, l.record, l.record_len, want), VT_OK);
	assert_memory_equal(out + 30, want, 32);
	get_pcrs(g, set);
	assert_int_equal(pcr_set_init(log, sha256_only, 1), VT_OK);
	assert_int_equal(el_replay(log, l.log, l.log_len), VT_OK);
	for (i = 0; i < 17; i++)
		assert_memory_equal(pcr_get(set, ALG_SHA256, i),
		    pcr_get(log, ALG_SHA256, i), 32);
	assert_false(pcr_is_extreme(pcr_get(set, ALG_SHA256, 4), 32));
	assert_false(pcr_is_extreme(pcr_get(set, ALG_SHA256, 8), 32));
	expect_journal_fits(g);
	/* and it can read where that came from */
	n = read_parts(g, r, VSUB_LOG, text, 65536);
	assert_int_equal(n, l.log_len);
	assert_memory_equal(text, l.log, n);
	n = read_parts(g, r, VSUB_LAUNCH, text, 65536);
	assert_int_equal(n, l.record_len);
	assert_memory_equal(text, l.record, n);
	n = read_parts(g, r, VSUB_JOURNAL, text, 65536);
	assert_true(n > 100);
	ring_close(r);
	free_launch(&l);
	free(set);
	free(log);
	free(text);
}

static void
guest_cannot_bring_pcr_17_back(void **state)
{
	struct fw *g = *state;
	struct launch_bytes l;
	uint8_t a[FM_CMD_MAX], b[FM_CMD_MAX];
	struct ring *r;
	size_t n;

	fm_make(&m, g);
	make_launch(&l, sha256_only, 1, "x");
	assert_int_equal(send_launch(g, &l), VT_OK);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_READ17, a, &n), 0);
	assert_int_equal(fm_cmd(g, r, C_EXTEND("00000011"), NULL, NULL), 0x907);
	assert_int_equal(fm_cmd(g, r, C_RESET("00000011"), NULL, NULL), 0x907);
	/* a locality that the channel was not given */
	fm_submit(r, C_EXTEND("00000011"), 2);
	assert_true(fm_wait(g, r, FM_WAIT_MS, b) >= 10);
	assert_int_equal(be32_get(b + 6), 0x907);
	assert_int_equal(fm_cmd(g, r, C_READ17, b, &n), 0);
	assert_memory_equal(a + 30, b + 30, 32);
	/* every power cycle measures it anew, with the same result */
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_int_equal(fm_cmd(g, r, C_READ17, b, &n), 0);
	assert_memory_equal(a + 30, b + 30, 32);
	ring_close(r);
	free_launch(&l);
}

static void
launch_counts_from_the_next_power_cycle(void **state)
{
	struct fw *g = *state;
	struct launch_bytes l, none;
	uint8_t out[FM_CMD_MAX];
	struct wlaunch wl = { .mode = LAUNCH_DIRECT };
	struct ring *r;
	struct wr w;
	size_t n;

	fm_make(&m, g);
	make_launch(&l, sha256_only, 1, "x");
	/* a guest that has not touched its TPM yet still runs what was
	 * started before this launch was known */
	assert_int_equal(send_launch(g, &l), VT_OK);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_READ17, out, &n), 0);
	assert_int_equal(out[30], 0xff);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_int_equal(fm_cmd(g, r, C_READ17, out, &n), 0);
	assert_int_not_equal(out[30] & out[31] & out[32], 0xff);
	/* and is forgotten on request */
	wr_init(&w, none.msg, sizeof(none.msg));
	msg_put(&w, wlaunch, &wl);
	none.msg_len = w.len;
	assert_int_equal(send_launch(g, &none), VT_OK);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_int_equal(fm_cmd(g, r, C_READ17, out, &n), 0);
	assert_int_equal(out[30], 0xff);
	assert_int_equal(fm_cmd(g, r, C_INFO, out, &n), 0);
	assert_int_equal(be32_get(out + 54) & VIF_LAUNCHED, 0);
	ring_close(r);
	free_launch(&l);
}

static void
launch_that_does_not_fit_is_refused(void **state)
{
	struct fw *g = *state;
	struct launch_bytes l;
	struct wprovisioned pub;
	uint8_t saved;
	struct ring *r;
	struct wr w;
	size_t i;

	fm_start(&m, g, JAIL_KEEP_ID);
	fm_provision(g, TPM_VER_20, BANK_SHA256 | BANK_SHA384, &pub);
	assert_int_equal(fm_claim(g, 3), VT_OK);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_OK);
	make_launch(&l, sha256_only, 1, "x");
	/* another record than the log says */
	i = 1 + 4 + l.record_len / 2;
	saved = l.msg[i];
	l.msg[i] ^= 1;
	assert_int_not_equal(send_launch(g, &l), VT_OK);
	l.msg[i] = saved;
	for (i = 0; i < l.msg_len; i += 7) { /* cut */
		wr_init(&w, l.msg, sizeof(l.msg));
		w.len = i;
		assert_int_not_equal(
		    fm_ask_done(g, W_LAUNCH, &w, NULL, 0), VT_OK);
	}
	/* a bank without digests would stay at its reset value: then no TPM
	 * rather than one that says nothing was measured */
	assert_int_equal(send_launch(g, &l), VT_OK);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0x101);
	assert_int_equal(fm_cmd(g, r, C_READ17, NULL, NULL), 0x101);
	fm_pump_for(g, 30);
	assert_int_not_equal(g->nevents[WE_FAILURE], 0);
	ring_close(r);
	free_launch(&l);
}

/* HASH_START, HASH_DATA "abcd", HASH_END as a hypervisor sends them. */
static int
hash_sequence(int ctl)
{
	uint8_t req[12];
	int rc;

	be32_put(req, 6);
	if ((rc = swc_ask(ctl, req, 4, -1)) != 0)
		return rc;
	be32_put(req, 7);
	be32_put(req + 4, 4);
	memcpy(req + 8, "abcd", 4);
	if ((rc = swc_ask(ctl, req, 12, -1)) != 0)
		return rc;
	be32_put(req, 8);
	return swc_ask(ctl, req, 4, -1);
}

static uint32_t
hv_startup(struct fw *g, int data)
{
	static const uint8_t cmd[12] = { 0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44 };
	struct pollfd p = { .fd = data, .events = POLLIN };
	uint8_t out[64];

	assert_int_equal(write(data, cmd, sizeof(cmd)), sizeof(cmd));
	while (poll(&p, 1, 2) == 0)
		assert_true(fm_pump(g));
	assert_int_equal(read(data, out, sizeof(out)), 10);
	return be32_get(out + 6);
}

static void
hash_sequence_of_the_hypervisor_is_in_the_journal(void **state)
{
	struct fw *g = *state;
	char path[128];
	int ctl, data, crtm;

	for (crtm = 0; crtm < 2; crtm++) {
		fm_make(&m, g);
		assert_int_equal(fm_open(g, CHAN_SWTPM, 0x1f), VT_OK);
		fm_path(g, "swtpm", path);
		ctl = swc_open(path, true, &data);
		assert_int_not_equal(ctl, -1);
		if (crtm == 1) /* before Startup: PCR 0 */
			assert_int_equal(hash_sequence(ctl), 0);
		assert_int_equal(hv_startup(g, data), 0);
		if (crtm == 0) /* after it: PCR 17 */
			assert_int_equal(hash_sequence(ctl), 0);
		expect_journal_fits(g);
		(void)close(ctl);
		(void)close(data);
		fm_free(g);
	}
}

/* Cloud Hypervisor does not start with the bit set. */
static void
expect_not_established(struct hv *h)
{
	uint8_t a[8];

	be32_put(a, 4); /* GET_TPMESTABLISHED */
	assert_int_equal(write(h->ctl, a, 4), 4);
	read_all(h->ctl, a, sizeof(a));
	assert_int_equal(be32_get(a), 0);
	assert_int_equal(a[4], 0);
}

static void
hash_sequence_is_refused_once_a_launch_was_measured(void **state)
{
	struct fw *g = *state;
	struct launch_bytes l;
	uint8_t a[FM_CMD_MAX], b[FM_CMD_MAX], req[8] = { 0, 0, 0, 2 };
	struct hv h;
	char path[128];
	int monitor;

	fm_make(&m, g);
	monitor = monitor_new(g);
	make_launch(&l, sha256_only, 1, "x");
	assert_int_equal(send_launch(g, &l), VT_OK);
	assert_int_equal(fm_open(g, CHAN_SWTPM, 0x1f), VT_OK);
	fm_path(g, "swtpm", path);
	h.ctl = swc_open(path, true, &h.data);
	assert_int_not_equal(h.ctl, -1);
	assert_int_equal(hv_tpm(g, &h, C_READ17, a), 0);
	assert_int_not_equal(hash_sequence(h.ctl), 0);
	assert_int_equal(hv_tpm(g, &h, C_READ17, b), 0);
	assert_memory_equal(a + 30, b + 30, 32);
	expect_journal_fits(g);
	expect_not_established(&h);
	/* a reset by the hypervisor measures the launch again */
	assert_int_equal(swc_ask(h.ctl, req, 8, -1), 0);
	monitor_says(monitor, "RESET");
	assert_int_equal(hv_tpm(g, &h, C_READ17, b), 0);
	assert_memory_equal(a + 30, b + 30, 32);
	(void)close(h.ctl);
	(void)close(h.data);
	(void)close(monitor);
	free_launch(&l);
}

/* What the hypervisor loaded says nothing of a guest that connects next. */
static void
a_launch_ends_with_its_hypervisor(void **state)
{
	struct fw *g = *state;
	struct launch_bytes l;
	uint8_t out[FM_CMD_MAX], req[8] = { 0, 0, 0, 2 };
	struct hv h;
	char path[128];
	int i;

	fm_make(&m, g);
	make_launch(&l, sha256_only, 1, "x");
	assert_int_equal(send_launch(g, &l), VT_OK);
	assert_int_equal(fm_open(g, CHAN_SWTPM, 0x1f), VT_OK);
	fm_path(g, "swtpm", path);
	for (i = 0; i < 2; i++) {
		h.ctl = swc_open(path, true, &h.data);
		assert_int_not_equal(h.ctl, -1);
		assert_int_equal(swc_ask(h.ctl, req, 8, -1), 0);
		assert_int_equal(hv_tpm(g, &h, C_INFO, out), 0);
		assert_int_equal(be32_get(out + 54) & VIF_LAUNCHED,
		    i == 0 ? VIF_LAUNCHED : 0);
		(void)close(h.ctl);
		(void)close(h.data);
		fm_pump_for(g, 50);
		assert_int_equal(g->nevents[WE_LAUNCH_OVER], 1);
	}
	/* a new launch is one for every power cycle again */
	assert_int_equal(send_launch(g, &l), VT_OK);
	h.ctl = swc_open(path, true, &h.data);
	assert_int_not_equal(h.ctl, -1);
	for (i = 0; i < 2; i++) {
		assert_int_equal(swc_ask(h.ctl, req, 8, -1), 0);
		assert_int_equal(hv_tpm(g, &h, C_INFO, out), 0);
		assert_int_equal(
		    be32_get(out + 54) & VIF_LAUNCHED, VIF_LAUNCHED);
	}
	(void)close(h.ctl);
	(void)close(h.data);
	free_launch(&l);
}

/* What runs in a state that was brought back was loaded before it was taken
 * out, launch or not. */
static void
a_launch_does_not_come_into_a_state_that_is_resumed(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX], *perm, *vol;
	struct launch_bytes l;
	int monitor;
	size_t np, nv;
	struct hv h;

	hv_make(&m, g, &h); /* powered on, not started */
	np = hv_get_blob(&h, 1, &perm);
	nv = hv_get_blob(&h, 2, &vol);
	make_launch(&l, sha256_only, 1, "x");
	assert_int_equal(send_launch(g, &l), VT_OK);
	assert_int_equal(STOP(&h), 0);
	assert_int_equal(hv_set_blob(&h, 1, perm, np), 0);
	assert_int_equal(hv_set_blob(&h, 2, vol, nv), 0);
	assert_int_equal(INIT_RESUME(&h), 0);
	assert_int_equal(hv_tpm(g, &h, C_RANDOM, NULL), 0x100);
	assert_int_equal(hv_tpm(g, &h, C_STARTUP, NULL), 0);
	assert_int_equal(hv_tpm(g, &h, C_INFO, out), 0);
	assert_int_equal(be32_get(out + 54) & VIF_LAUNCHED, 0);
	/* it is for the next power cycle */
	monitor = monitor_new(g);
	assert_int_equal(INIT(&h), 0);
	monitor_says(monitor, "RESET");
	assert_int_equal(hv_tpm(g, &h, C_INFO, out), 0);
	assert_int_not_equal(be32_get(out + 54) & VIF_LAUNCHED, 0);
	(void)close(monitor);
	hv_close(&h);
	free_launch(&l);
	free(perm);
	free(vol);
}

/* --- journal
 * ------------------------------------------------------------------ */

static void
journal_fits_whatever_a_guest_does(void **state)
{
	/* clang-format off */
	static const char *const cmds[] = {
		C_EXTEND("00000000"), C_EXTEND("00000007"),
		C_EXTEND("0000000a"), C_EXTEND("00000010"),
		C_EVENT("00000008"), C_EVENT("00000017"),
		/* both banks, and one only */
		"800200000000" "00000182" "00000009" PW "00000002"
		    "000b" ONES "000c" ONES "11111111111111111111111111111111",
		"800200000000" "00000182" "00000009" PW "00000001"
		    "000c" ONES "22222222222222222222222222222222",
		C_RESET("00000010"), C_RESET("00000017"),
		C_EXTEND("00000017"),
		/* refused: locality; TPM_RH_NULL: no effect */
		C_EXTEND("00000011"), C_RESET("00000000"),
		C_EXTEND("40000007"),
	};
	/* an event sequence over "abcd" into PCR 5: HashSequenceStart with
	 * TPM_ALG_NULL, then EventSequenceComplete */
	static const char *const start =
	    "800100000000" "00000186" "0000" "0010";
	/* clang-format on */
	struct fw *g = *state;
	struct wprovisioned pub;
	uint8_t out[FM_CMD_MAX];
	struct ring *r;
	char cmd[256];
	size_t i, n;

	fm_start(&m, g, JAIL_KEEP_ID);
	fm_provision(g, TPM_VER_20, BANK_SHA256 | BANK_SHA384, &pub);
	assert_int_equal(fm_claim(g, 3), VT_OK);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_OK);
	r = fm_guest(g);
	fm_settle(g, r);
	expect_journal_fits(g);
	for (i = 0; i < VT_NELEM(cmds); i++) {
		print_message("  %.32s...\n", cmds[i] + 12);
		(void)fm_cmd(g, r, cmds[i], NULL, NULL);
		expect_journal_fits(g);
	}
	assert_int_equal(fm_cmd(g, r, start, out, &n), 0);
	(void)snprintf(cmd, sizeof(cmd),
	    "800200000000"
	    "00000185"
	    "00000005%08x" PW2x "0004"
	    "61626364",
	    be32_get(out + 10));
	assert_int_equal(fm_cmd(g, r, cmd, NULL, NULL), 0);
	expect_journal_fits(g);
	for (i = 0; i < 1100; i++) /* past what single records can hold */
		assert_int_equal(
		    fm_cmd(g, r, C_EXTEND("00000002"), NULL, NULL), 0);
	expect_journal_fits(g);
	ring_close(r);
}

static void
journal_is_read_in_one_piece_while_it_grows(void **state)
{
	static const char first[] = "800100000000"
				    "20005654"
				    "0003"
				    "00000000"
				    "0200";
	struct fw *g = *state;
	uint8_t buf[FM_CMD_MAX], all[65536];
	struct journal *j;
	size_t off, n, total;
	struct ring *r;
	uint32_t count;
	char cmd[64];
	int i;

	fm_make(&m, g);
	r = fm_guest(g);
	for (i = 0; i < 40; i++)
		assert_int_equal(
		    fm_cmd(g, r, C_EXTEND("00000002"), NULL, NULL), 0);
	j = get_journal(g);
	count = journal_count(j);
	journal_free(j);
	assert_int_equal(fm_cmd(g, r, first, buf, &n), 0);
	total = be32_get(buf + 12);
	off = be16_get(buf + 16);
	assert_int_equal(off, 512);
	memcpy(all, buf + 18, off);
	while (off < total) {
		/* it grows between the parts */
		assert_int_equal(
		    fm_cmd(g, r, C_EXTEND("00000002"), NULL, NULL), 0);
		(void)snprintf(cmd, sizeof(cmd), "%.24s%08zx01ff", first, off);
		assert_int_equal(fm_cmd(g, r, cmd, buf, &n), 0);
		assert_int_equal(be32_get(buf + 12), total);
		n = be16_get(buf + 16);
		memcpy(all + off, buf + 18, n);
		off += n;
	}
	assert_int_equal(journal_decode(all, total, &j), VT_OK);
	assert_int_equal(journal_count(j), count);
	journal_free(j);
	/* the next reader gets a new copy */
	assert_int_equal(fm_cmd(g, r, first, buf, &n), 0);
	assert_true(be32_get(buf + 12) > total);
	ring_close(r);
}

static void
journal_of_a_tpm12_fits_too(void **state)
{
	/* clang-format off */
	static const char *const cmds[] = {
		"00c100000000" "00000014" "00000008"
		    "1111111111111111111111111111111111111111",
		"00c100000000" "00000014" "0000000a"
		    "1111111111111111111111111111111111111111",
		"00c100000000" "000000a0",			/* SHA1Start */
		"00c100000000" "000000a3" "00000009" "00000004" "61626364",
		"00c100000000" "000000c8" "0003" "000001",	/* PCR 16 */
		"00c100000000" "00000014" "00000010"
		    "1111111111111111111111111111111111111111",
		"00c100000000" "000000c8" "0003" "000081",	/* 16, 23 */
	};
	/* clang-format on */
	struct fw *g = *state;
	struct wprovisioned pub;
	struct ring *r;
	size_t i;

	fm_start(&m, g, JAIL_KEEP_ID);
	fm_provision(g, TPM_VER_12, 0, &pub);
	assert_int_equal(fm_claim(g, 1), VT_OK);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_OK);
	r = fm_guest(g);
	for (i = 0; i < VT_NELEM(cmds); i++) {
		print_message("  %.32s...\n", cmds[i] + 12);
		assert_int_equal(fm_cmd(g, r, cmds[i], NULL, NULL), 0);
		if (i != 2) /* reading PCRs ends a SHA-1 thread */
			expect_journal_fits(g);
	}
	/* law 4 for TPM 1.2: killed, then capped */
	ring_close(r);
	fm_kill(g);
	fm_again(g, WLOAD_CRASHED);
	expect_journal_fits(g);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, cmds[4], NULL, NULL), 0x3d);
	ring_close(r);
}

static void
launch_of_a_tpm12_is_measured_too(void **state)
{
	static const uint16_t sha1_only[] = { ALG_SHA1 };
	struct fw *g = *state;
	struct launch_bytes l;
	struct wprovisioned pub;
	struct pcr_set *set = calloc(1, sizeof(*set));
	uint8_t want[DIGEST_MAX];
	struct ring *r;

	assert_non_null(set);
	fm_start(&m, g, JAIL_KEEP_ID);
	fm_provision(g, TPM_VER_12, 0, &pub);
	assert_int_equal(fm_claim(g, 1), VT_OK);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_OK);
	make_launch(&l, sha1_only, 1, "x");
	assert_int_equal(send_launch(g, &l), VT_OK);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r,
			     "00c100000000"
			     "00000015"
			     "00000011",
			     NULL, NULL),
	    0);
	get_pcrs(g, set);
	assert_int_equal(
	    launch_pcr17(ALG_SHA1, l.record, l.record_len, want), VT_OK);
	assert_memory_equal(pcr_get(set, ALG_SHA1, 17), want, SHA1_LEN);
	assert_false(pcr_is_extreme(pcr_get(set, ALG_SHA1, 4), SHA1_LEN));
	expect_journal_fits(g);
	ring_close(r);
	free_launch(&l);
	free(set);
}

static void
quotes_are_remembered(void **state)
{
	struct fw *g = *state;
	struct wanswer a;
	struct ring *r;
	char want[32];
	int i;

	fm_make(&m, g);
	r = fm_guest(g);
	for (i = 0; i < 3; i++)
		assert_int_equal(fm_cmd(g, r, C_QUOTE, NULL, NULL), 0);
	query(g, WQ_INFO, &a);
	(void)snprintf(want, sizeof(want), "\"quotes\":%d,", i);
	assert_non_null(memmem(a.data.p, a.data.len, want, strlen(want)));
	/* a new boot has none */
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	query(g, WQ_INFO, &a);
	assert_non_null(memmem(a.data.p, a.data.len, "\"quotes\":0,", 11));
	ring_close(r);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fm_setup, fm_teardown)
	const struct CMUnitTest tests[] = {
		T(launch_is_in_the_pcrs_before_the_guest),
		T(guest_cannot_bring_pcr_17_back),
		T(launch_counts_from_the_next_power_cycle),
		T(launch_that_does_not_fit_is_refused),
		T(hash_sequence_of_the_hypervisor_is_in_the_journal),
		T(hash_sequence_is_refused_once_a_launch_was_measured),
		T(a_launch_ends_with_its_hypervisor),
		T(a_launch_does_not_come_into_a_state_that_is_resumed),
		T(journal_fits_whatever_a_guest_does),
		T(journal_is_read_in_one_piece_while_it_grows),
		T(journal_of_a_tpm12_fits_too),
		T(launch_of_a_tpm12_is_measured_too),
		T(quotes_are_remembered),
	};
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	fm_init(&m);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fm_done(&m);
	return rc;
}
