/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worker as its manager and its guest see it: real processes, a fake
 * manager.  Laws 2, 3, 4 and 9; see tests/unit/fakemgr.h.
 */
#include "worker_fixture.h"

#include "base/util.h"
#include "measure/log/journal.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "vtpm/engine/vendor.h"

static struct fm m;

static int
setup(void **state)
{
	struct fw *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return -1;
	*state = g;
	return 0;
}

static int
teardown(void **state)
{
	fm_free(*state);
	free(*state);
	return 0;
}

/* --- being there
 * -------------------------------------------------------------- */

static void
new_vtpm_answers_its_first_command(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX];
	struct ring *r;
	size_t n;

	fm_make(&m, g);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, out, &n), 0);
	assert_int_equal(n, 28);
	assert_int_equal(fm_cmd(g, r, C_INFO, out, &n), 0);
	assert_memory_equal(out + 14, g->uuid, UUID_LEN);
	assert_int_equal(be32_get(out + 30), 3); /* group */
	ring_close(r);
}

static void
provisioned_keys_and_locked_certificates_are_there(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*cmd;
		size_t		 len; /* of the index */
	} nv[] = {
		{ C_NV_PUBLIC("01c00002"), 1300 },
		{ C_NV_PUBLIC("01c0000a"), 1200 },
		{ C_NV_PUBLIC("01c0000c"), 122 },
		{ C_NV_PUBLIC("01c101d0"), 1100 },
		{ C_NV_PUBLIC("01c10002"), 1100 },
	};
	static const char *const keys[] = {
		C_PUBLIC("81010001"), C_PUBLIC("81010002"),
		C_PUBLIC("81000001"), C_PUBLIC("81000003"),
	};
	/* clang-format on */
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX];
	struct ring *r;
	size_t i, n;

	fm_make(&m, g);
	r = fm_guest(g);
	for (i = 0; i < VT_NELEM(nv); i++) {
		assert_int_equal(fm_cmd(g, r, nv[i].cmd, out, &n), 0);
		/* WRITTEN, WRITELOCKED, PLATFORMCREATE, WRITEDEFINE ... */
		assert_int_equal(be32_get(out + 18), 0x62072801);
		assert_int_equal(be16_get(out + 24), nv[i].len);
	}
	for (i = 0; i < VT_NELEM(keys); i++)
		assert_int_equal(fm_cmd(g, r, keys[i], out, &n), 0);
	ring_close(r);
}

static void
messages_out_of_place_are_refused(void **state)
{
	struct fw *g = *state;
	struct wprovisioned pub;
	uint8_t junk[64];
	struct wr w;

	fm_start(&m, g, JAIL_KEEP_ID);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_E_STATE);
	assert_int_equal(fm_ask_done(g, W_CERTS, NULL, NULL, 0), VT_E_STATE);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_E_STATE);
	assert_int_equal(fm_ask_done(g, 999, NULL, NULL, 0), VT_E_UNSUPPORTED);
	memset(junk, 0xff, sizeof(junk));
	wr_init(&w, junk, sizeof(junk));
	w.len = sizeof(junk);
	assert_int_not_equal(fm_ask_done(g, W_LOAD, &w, NULL, 0), VT_OK);
	fm_provision(g, TPM_VER_20, 0, &pub);
	assert_int_equal(fm_claim(g, 3), VT_OK);
	/* one worker, one identity */
	assert_int_equal(fm_load(g, 0, NULL), VT_E_STATE);
	assert_int_equal(fm_claim(g, 3), VT_E_STATE);
	assert_int_equal(fm_stop(g), VT_OK);
}

/* --- law 2
 * -------------------------------------------------------------------- */

static void
expect_refused(struct fw *g, int want, const char *what)
{
	int rc = fm_load(g, 0, NULL);

	if (rc == VT_OK || (want != 0 && rc != want))
		fail_msg("%s: rc %d (%s)", what, rc, g->text);
	assert_true(strlen(g->text) > 10); /* says why */
}

static void
no_bad_state_becomes_a_tpm(void **state)
{
	struct fw *g = *state;
	uint64_t version;
	uint8_t *blob, other[UUID_LEN];
	size_t len, i;

	fm_make(&m, g);
	assert_int_equal(fm_stop(g), VT_OK);
	fm_start(&m, g, JAIL_KEEP_ID);
	blob = g->blob;
	len = g->len;
	version = g->version;

	g->len = 0;
	expect_refused(g, VT_E_NOTFOUND, "no state");
	for (i = 1; i < len; i += i < 80 ? 1 : 97) {
		g->len = i;
		expect_refused(g, 0, "truncated");
	}
	g->len = len;
	g->key[31] ^= 1;
	expect_refused(g, VT_E_AUTH, "another key");
	g->key[31] ^= 1;
	memcpy(other, g->uuid, sizeof(other));
	g->uuid[0] ^= 1;
	expect_refused(g, VT_E_AUTH, "another instance");
	memcpy(g->uuid, other, sizeof(other));
	g->version = version + 1;
	expect_refused(g, VT_E_STALE, "an old copy");
	g->version = version - 1;
	expect_refused(g, VT_E_CORRUPT, "an old registry");
	g->version = version;
	g->tpm_version = TPM_VER_12;
	expect_refused(g, VT_E_CORRUPT, "another TPM version");
	g->tpm_version = TPM_VER_20;
	for (i = 0; i < len; i += i < 100 || i > len - 40 ? 1 : 61) {
		g->blob[i] ^= (uint8_t)(1 << (i % 8));
		expect_refused(g, 0, "one bit");
		g->blob[i] ^= (uint8_t)(1 << (i % 8));
	}
	/* nothing of all that made a TPM, and the true state still does */
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_E_STATE);
	assert_ptr_equal(g->blob, blob);
	assert_int_equal(fm_load(g, 0, NULL), VT_OK);
}

static void
identity_survives_restarts(void **state)
{
	struct fw *g = *state;
	uint8_t a[FM_CMD_MAX], b[FM_CMD_MAX];
	struct ring *r;
	size_t na, nb;

	fm_make(&m, g);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_PUBLIC("81010001"), a, &na), 0);
	ring_close(r);
	fm_kill(g);
	fm_again(g, 0);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_PUBLIC("81010001"), b, &nb), 0);
	assert_int_equal(na, nb);
	assert_memory_equal(a, b, na);
	ring_close(r);
}

/* --- law 3
 * -------------------------------------------------------------------- */

static void
response_waits_until_the_state_is_durable(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX];
	struct ring *r;
	unsigned int n;

	fm_make(&m, g);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_NV_DEFINE, NULL, NULL), 0);
	g->ack = false;
	n = g->nstores;
	fm_submit(r, C_NV_WRITE("0102030405060708"), 0);
	assert_int_equal(fm_wait(g, r, 2 * HOLD_TEST_MS, out), 0);
	assert_int_equal(g->nstores, n + 1);
	/* a full disk does not release it either; when there is room the
	 * same version comes again */
	fm_stored(g, VT_E_SPACE);
	fm_manager(g, false);
	assert_int_equal(fm_wait(g, r, 100, out), 0);
	fm_manager(g, true);
	assert_int_equal(fm_wait(g, r, 100, out), 0);
	assert_int_equal(g->nstores, n + 2);
	fm_stored(g, VT_OK);
	assert_true(fm_wait(g, r, FM_WAIT_MS, out) > 0);
	assert_int_equal(be32_get(out + 6), 0);
	ring_close(r);
}

static void
acknowledged_writes_survive_kill(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX];
	char cmd[256];
	struct ring *r;
	size_t n;
	int i;

	fm_make(&m, g);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_NV_DEFINE, NULL, NULL), 0);
	for (i = 0; i < 5; i++) {
		(void)snprintf(cmd, sizeof(cmd), "%s%016x%s",
		    "800200000000"
		    "00000137"
		    "40000001"
		    "01500001" PW "0008",
		    i, "0000");
		assert_int_equal(fm_cmd(g, r, cmd, NULL, NULL), 0);
		ring_close(r);
		fm_kill(g);
		fm_again(g, 0);
		r = fm_guest(g);
		assert_int_equal(fm_cmd(g, r, C_NV_READ, out, &n), 0);
		assert_int_equal(be64_get(out + 16), (uint64_t)i);
	}
	ring_close(r);
}

static void
reads_do_not_store(void **state)
{
	struct fw *g = *state;
	struct ring *r;
	unsigned int n;
	int i;

	fm_make(&m, g);
	r = fm_guest(g);
	fm_settle(g, r);
	n = g->nstores;
	for (i = 0; i < 20; i++) {
		assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
		assert_int_equal(
		    fm_cmd(g, r, C_EXTEND("0000000a"), NULL, NULL), 0);
		assert_int_equal(fm_cmd(g, r, C_QUOTE, NULL, NULL), 0);
	}
	assert_int_equal(g->nstores, n);
	ring_close(r);
}

static void
without_storage_nv_is_refused_and_the_rest_goes_on(void **state)
{
	struct fw *g = *state;
	uint64_t t;
	struct ring *r;

	fm_make(&m, g);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_NV_DEFINE, NULL, NULL), 0);
	fm_manager(g, false);
	fm_pump_for(g, 20);
	t = now_us();
	assert_int_equal(
	    fm_cmd(g, r, C_NV_WRITE("0102030405060708"), NULL, NULL), 0x923);
	assert_in_range(now_us() - t, HOLD_TEST_MS * 1000, 5000000);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_EXTEND("0000000a"), NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_QUOTE, NULL, NULL), 0);
	fm_manager(g, true);
	assert_int_equal(
	    fm_cmd(g, r, C_NV_WRITE("0102030405060708"), NULL, NULL), 0);
	ring_close(r);
}

static void
manager_restart_is_not_noticed(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX];
	struct ring *r;

	fm_make(&m, g);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_NV_DEFINE, NULL, NULL), 0);
	fm_manager_gone(g);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_EXTEND("0000000a"), NULL, NULL), 0);
	/* a write waits for the manager, and is then done */
	fm_submit(r, C_NV_WRITE("0102030405060708"), 0);
	assert_int_equal(fm_wait(g, r, HOLD_TEST_MS / 3, out), 0);
	fm_manager_back(g);
	assert_int_equal(g->nkept, 4);
	assert_int_equal(g->hello.flags & (WH_LOADED | WH_STARTED | WH_LOCAL),
	    WH_LOADED | WH_STARTED | WH_LOCAL);
	assert_true(fm_wait(g, r, FM_WAIT_MS, out) > 0);
	assert_int_equal(be32_get(out + 6), 0);
	ring_close(r);
}

static void
unacknowledged_store_comes_again_to_the_next_manager(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX];
	uint64_t version;
	struct ring *r;
	unsigned int n;

	fm_make(&m, g);
	r = fm_guest(g);
	fm_settle(g, r);
	g->ack = false;
	n = g->nstores;
	fm_submit(r, C_NV_DEFINE, 0);
	fm_wait_store(g, r, n + 1);
	version = g->last.version;
	fm_manager_gone(g);
	fm_manager_back(g);
	assert_int_not_equal(g->hello.flags & WH_STORING, 0);
	fm_wait_store(g, r, n + 2);
	assert_int_equal(g->last.version, version);
	fm_stored(g, VT_OK);
	assert_true(fm_wait(g, r, FM_WAIT_MS, out) > 0);
	assert_int_equal(be32_get(out + 6), 0);
	ring_close(r);
}

/* --- law 4
 * -------------------------------------------------------------------- */

static void
reopening_the_channel_resets_nothing(void **state)
{
	struct fw *g = *state;
	uint8_t a[FM_CMD_MAX], b[FM_CMD_MAX];
	struct ring *r;
	size_t n;

	fm_make(&m, g);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_EXTEND("00000010"), NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_READ16, a, &n), 0);
	ring_close(r);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_READ16, b, &n), 0);
	assert_memory_equal(a + 30, b + 30, 32);
	/* nor does what a guest may say: it is started already */
	assert_int_equal(fm_cmd(g, r, C_STARTUP, NULL, NULL), 0x100);
	assert_int_equal(fm_cmd(g, r, C_READ16, b, &n), 0);
	assert_memory_equal(a + 30, b + 30, 32);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_int_equal(fm_cmd(g, r, C_READ16, b, &n), 0);
	assert_memory_not_equal(a + 30, b + 30, 32);
	ring_close(r);
}

static void
adopt_kept(struct fw *g)
{
	struct wkeep k = { CHAN_LOCAL, 1 };
	uint8_t buf[8];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wkeep, &k);
	assert_int_equal(fm_ask_done(g, W_ADOPT, &w, g->kept, g->nkept), VT_OK);
}

static uint32_t
info_flags(struct fw *g, struct ring *r)
{
	uint8_t out[FM_CMD_MAX];
	size_t n;

	assert_int_equal(fm_cmd(g, r, C_INFO, out, &n), 0);
	return be32_get(out + 54);
}

static void
crash_caps_every_pcr_until_the_next_power_cycle(void **state)
{
	uint8_t cap[64] = { 0 }, out[FM_CMD_MAX];
	struct fw *g = *state;
	struct tpm_digest d;
	struct ring *r;
	struct pcr_set *set = calloc(1, sizeof(*set));
	struct wanswer ans;
	uint8_t q = WQ_PCRS;
	struct wr w;
	uint32_t i;
	size_t n;

	assert_non_null(set);
	fm_make(&m, g);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_EXTEND("00000008"), NULL, NULL), 0);
	fm_pump_for(g, 20);
	assert_int_equal(g->nkept, 4);
	/* it dies with a command in hand */
	(void)kill(g->pid, SIGSTOP);
	fm_submit(r, C_RANDOM, 0);
	fm_kill(g);
	fm_start(g->m, g, JAIL_KEEP_ID);
	assert_int_equal(fm_load(g, WLOAD_CRASHED, NULL), VT_OK);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_OK);
	adopt_kept(g);
	n = fm_wait(g, r, FM_WAIT_MS, out);
	assert_int_equal(n, 10);
	assert_int_equal(be32_get(out + 6), 0x101);
	/* the same connection continues */
	assert_int_equal(info_flags(g, r) & VIF_CAPPED, VIF_CAPPED);
	assert_int_equal(journal_cap_digest(ALG_SHA256, &d), VT_OK);
	wr_init(&w, &q, 1);
	w.len = 1;
	fm_ask(g, W_QUERY, &w, NULL, 0, W_ANSWER);
	assert_int_equal(msg_get(wanswer, g->ans, g->ans_len, &ans), VT_OK);
	assert_int_equal(pcr_set_decode(ans.data.p, ans.data.len, set), VT_OK);
	for (i = 0; i < PCR_COUNT; i++) {
		memset(cap, i >= 17 && i <= 22 ? 0xff : 0, sizeof(cap));
		assert_int_equal(digest_extend(ALG_SHA256, cap, d.val), VT_OK);
		assert_memory_equal(pcr_get(set, ALG_SHA256, i), cap, 32);
	}
	/* no way back to a known value */
	assert_int_equal(fm_cmd(g, r, C_RESET("00000010"), NULL, NULL), 0x907);
	assert_int_equal(fm_cmd(g, r, C_STARTUP, NULL, NULL), 0x100);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_int_equal(info_flags(g, r) & VIF_CAPPED, 0);
	assert_int_equal(fm_cmd(g, r, C_READ0, out, &n), 0);
	for (i = 0; i < 32; i++)
		assert_int_equal(out[30 + i], 0);
	ring_close(r);
	free(set);
}

/* --- law 9
 * -------------------------------------------------------------------- */

static void
fetch_volatile(struct fw *g)
{
	uint8_t q = WQ_VOLATILE;
	struct wanswer ans;
	struct wr w;

	wr_init(&w, &q, 1);
	w.len = 1;
	fm_ask(g, W_QUERY, &w, NULL, 0, W_ANSWER);
	assert_int_equal(msg_get(wanswer, g->ans, g->ans_len, &ans), VT_OK);
	assert_int_equal(ans.rc, VT_OK);
	free(g->volatile_);
	g->vol_len = ans.data.len;
	g->volatile_ = malloc(g->vol_len);
	assert_non_null(g->volatile_);
	memcpy(g->volatile_, ans.data.p, g->vol_len);
}

static void
one_state_started_twice_gives_two_streams(void **state)
{
	static const char *const cmds[] = { C_RANDOM, C_PRIMARY_ECC, C_RANDOM };
	uint8_t a[3][FM_CMD_MAX], b[FM_CMD_MAX], pcr[FM_CMD_MAX];
	struct fw *g = *state;
	size_t i, n, na[3];
	struct ring *r;

	fm_make(&m, g);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_EXTEND("00000010"), NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_READ16, pcr, &n), 0);
	fm_pump_for(g, 30);
	fetch_volatile(g);
	for (i = 0; i < VT_NELEM(cmds); i++)
		assert_int_equal(fm_cmd(g, r, cmds[i], a[i], &na[i]), 0);
	ring_close(r);
	fm_kill(g);
	fm_start(g->m, g, JAIL_KEEP_ID);
	assert_int_equal(fm_load(g, 0, NULL), VT_OK);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_OK);
	r = fm_guest(g);
	/* it is the same TPM, resumed ... */
	assert_int_equal(fm_cmd(g, r, C_READ16, b, &n), 0);
	assert_memory_equal(b + 30, pcr + 30, 32);
	/* ... but not the same stream */
	for (i = 0; i < VT_NELEM(cmds); i++) {
		assert_int_equal(fm_cmd(g, r, cmds[i], b, &n), 0);
		assert_int_equal(n, na[i]);
		if (i != 1) /* a primary of the null seed is derived */
			assert_memory_not_equal(b + 12, a[i] + 12, 16);
	}
	ring_close(r);
}

/* --- the rest
 * ----------------------------------------------------------------- */

static void
slow_command_can_be_cancelled(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX];
	unsigned int i, cancelled = 0;
	struct ring *r;

	fm_make(&m, g);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	for (i = 0; i < 30 && cancelled == 0; i++) {
		fm_submit(r, C_PRIMARY_RSA, 0);
		(void)usleep(2000);
		ring_cancel(r);
		assert_true(fm_wait(g, r, FM_WAIT_MS, out) > 0);
		if (be32_get(out + 6) == 0x909)
			cancelled++;
		else if (be32_get(out + 6) == 0x902) /* no more slots */
			assert_int_equal(
			    fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	}
	assert_int_equal(cancelled, 1);
	/* and the next one is not */
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	ring_close(r);
}

static void
held_command_can_be_cancelled(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX];
	struct ring *r;

	fm_make(&m, g);
	r = fm_guest(g);
	fm_settle(g, r);
	fm_manager_gone(g);
	fm_submit(r, C_NV_DEFINE, 0);
	(void)usleep(20000);
	ring_cancel(r);
	assert_true(fm_wait(g, r, HOLD_TEST_MS / 2, out) > 0);
	assert_int_equal(be32_get(out + 6), 0x909);
	ring_close(r);
}

static void
only_the_manager_may_connect(void **state)
{
	struct fw *g = *state;
	char path[128], byte;
	int fd, status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	fm_make(&m, g);
	fm_path(g, "w", path);
	if ((pid = fork()) == 0) {
		(void)alarm(5);
		if (setuid(65534) == -1 || (fd = unix_connect(path)) == -1)
			_exit(1);
		_exit(read(fd, &byte, 1) == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fm_manager_gone(g);
	fm_manager_back(g); /* the true one still may */
}

static void
stop_leaves_an_orderly_state(void **state)
{
	struct fw *g = *state;
	struct ring *r;
	uint64_t version;

	fm_make(&m, g);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	version = g->version;
	ring_close(r);
	assert_int_equal(fm_stop(g), VT_OK);
	assert_true(g->version > version); /* TPM2_Shutdown was stored */
	fm_again(g, 0);
}

static void
worker_without_identity_ends_with_its_manager(void **state)
{
	struct fw *g = *state;
	struct wprovisioned pub;
	int status;

	fm_start(&m, g, JAIL_KEEP_ID);
	fm_provision(g, TPM_VER_20, 0, &pub);
	msgch_free(g->ch);
	g->ch = NULL;
	assert_int_equal(waitpid(g->pid, &status, 0), g->pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(new_vtpm_answers_its_first_command),
		T(provisioned_keys_and_locked_certificates_are_there),
		T(messages_out_of_place_are_refused),
		T(no_bad_state_becomes_a_tpm),
		T(identity_survives_restarts),
		T(response_waits_until_the_state_is_durable),
		T(acknowledged_writes_survive_kill),
		T(reads_do_not_store),
		T(without_storage_nv_is_refused_and_the_rest_goes_on),
		T(manager_restart_is_not_noticed),
		T(unacknowledged_store_comes_again_to_the_next_manager),
		T(reopening_the_channel_resets_nothing),
		T(crash_caps_every_pcr_until_the_next_power_cycle),
		T(one_state_started_twice_gives_two_streams),
		T(slow_command_can_be_cancelled),
		T(held_command_can_be_cancelled),
		T(only_the_manager_may_connect),
		T(stop_leaves_an_orderly_state),
		T(worker_without_identity_ends_with_its_manager),
	};
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	fm_init(&m);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fm_done(&m);
	return rc;
}
