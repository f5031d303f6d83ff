/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zygote_test - a fake manager over a real zygote: workers in their jail,
 * laws 2, 3, 4 and 9, and what a vTPM costs.
 *
 * zygote_test PATH-OF-VTPM-ZYGOTE; tests/integration/zygote.sh runs it.
 */
#include "../unit/worker_fixture.h"

#include "base/rdwr.h"
#include "base/util.h"
#include "vtpm/engine/vendor.h"
#include "vtpm/state/state.h"

#define FIRST_UID 61000u
#define MANY 40

static const char *zygote_path;
static int zygote_log = -1; /* its stderr; -1: ours */
static int terminal = -1;
static struct fm m;

static uint32_t
uid_of(unsigned int n)
{
	return geteuid() == 0 ? FIRST_UID + n : JAIL_KEEP_ID;
}

static void
start_zygote(void)
{
	struct msg msg;
	int sv[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	if ((m.zygote_link_pid = fork()) == 0) {
		if ((zygote_log != -1 &&
			dup2(zygote_log, STDERR_FILENO) == -1) ||
		    dup2(sv[1], 3) == -1)
			_exit(1);
		if (sv[1] == 3)
			(void)fcntl(3, F_SETFD, 0);
		execl(zygote_path, "vtpm-zygote", (char *)NULL);
		_exit(1);
	}
	(void)close(sv[1]);
	assert_int_equal(msgch_new(sv[0], 0, &m.zyg), VT_OK);
	assert_int_equal(msgch_recv_wait(m.zyg, FM_WAIT_MS, &msg), VT_OK);
	assert_int_equal(msg.type, Z_READY);
}

static int
setup(void **state)
{
	*state = calloc(4, sizeof(struct fw));
	if (*state == NULL)
		return -1;
	start_zygote();
	return 0;
}

/* Its log is this device. */
static int
setup_on(void **state, const char *device)
{
	int rc;

	zygote_log = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (zygote_log == -1)
		return -1;
	rc = setup(state);
	(void)close(zygote_log);
	zygote_log = -1;
	return rc;
}

static int
setup_on_a_terminal(void **state)
{
	terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (terminal == -1 || grantpt(terminal) == -1 ||
	    unlockpt(terminal) == -1)
		return -1;
	return setup_on(state, ptsname(terminal));
}

static int
setup_on_a_device(void **state)
{
	return setup_on(state, "/dev/null");
}

/* Workers end on request: no other process waits for them. */
static int
teardown(void **state)
{
	struct fw *g = *state;
	int i, status;

	for (i = 0; i < 4; i++)
		fm_free(&g[i]);
	free(g);
	msgch_free(m.zyg);
	m.zyg = NULL;
	(void)waitpid(m.zygote_link_pid, &status, 0);
	return 0;
}

static void
make(struct fw *g, unsigned int n)
{
	struct wprovisioned pub;

	fm_start(&m, g, uid_of(n));
	fm_provision(g, TPM_VER_20, 0, &pub);
	assert_int_equal(fm_claim(g, 3), VT_OK);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_OK);
}

static void
load(struct fw *g, unsigned int n, uint8_t flags)
{
	fm_start(&m, g, uid_of(n));
	assert_int_equal(fm_load(g, flags, NULL), VT_OK);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_OK);
}

/* --- the jail
 * ------------------------------------------------------------------ */

static void
status_line(pid_t pid, const char *key, char *out, size_t cap)
{
	char path[64], *line;
	uint8_t *p;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	assert_int_equal(read_file(path, 65536, &p, &n), VT_OK);
	line = strstr((char *)p, key);
	assert_non_null(line);
	(void)snprintf(out, cap, "%.*s", (int)strcspn(line, "\n"), line);
	free(p);
}

static void
expect_status(pid_t pid, const char *key, const char *want)
{
	char line[256];

	status_line(pid, key, line, sizeof(line));
	assert_string_equal(line, want);
}

static void
worker_is_jailed_before_its_first_message(void **state)
{
	struct fw *g = *state;
	char path[64], link[128], want[64];
	ssize_t n;

	fm_start(&m, g, uid_of(0));
	expect_status(g->pid, "Seccomp:", "Seccomp:\t2");
	expect_status(g->pid, "NoNewPrivs:", "NoNewPrivs:\t1");
	expect_status(g->pid, "CapPrm:", "CapPrm:\t0000000000000000");
	expect_status(g->pid, "CapEff:", "CapEff:\t0000000000000000");
	expect_status(g->pid, "Threads:", "Threads:\t1");
	if (geteuid() != 0)
		return;
	(void)snprintf(want, sizeof(want), "Uid:\t%u\t%u\t%u\t%u", FIRST_UID,
	    FIRST_UID, FIRST_UID, FIRST_UID);
	expect_status(g->pid, "Uid:", want);
	expect_status(g->pid, "Groups:", "Groups:\t ");
	(void)snprintf(path, sizeof(path), "/proc/%ld/root", (long)g->pid);
	n = readlink(path, link, sizeof(link) - 1);
	assert_true(n > 0);
	link[n] = '\0';
	assert_non_null(strstr(link, "(deleted)"));
}

static void
jailed_worker_does_all_its_work(void **state)
{
	struct fw *g = *state;
	struct wprovisioned pub;
	uint8_t out[FM_CMD_MAX];
	struct ring *r;
	size_t n;

	make(g, 0);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, out, &n), 0);
	assert_int_equal(fm_cmd(g, r, C_NV_DEFINE, NULL, NULL), 0);
	assert_int_equal(
	    fm_cmd(g, r, C_NV_WRITE("0102030405060708"), NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_QUOTE, NULL, NULL), 0);
	/* slow: the watch thread is made inside the jail */
	assert_int_equal(fm_cmd(g, r, C_PRIMARY_RSA, NULL, NULL), 0);
	expect_status(g->pid, "Threads:", "Threads:\t2");
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_int_equal(fm_open(g, CHAN_SWTPM, 1), VT_OK);
	fm_manager_gone(g);
	fm_manager_back(g);
	assert_int_equal(g->nkept, 4);
	ring_close(r);
	assert_int_equal(fm_stop(g), VT_OK);
	/* TPM 1.2 as well */
	fm_start(&m, &g[1], uid_of(1));
	fm_provision(&g[1], TPM_VER_12, 0, &pub);
	assert_int_equal(pub.ek_rsa.len, 256);
	assert_int_equal(fm_claim(&g[1], 1), VT_OK);
	assert_int_equal(fm_open(&g[1], CHAN_LOCAL, 1), VT_OK);
	r = fm_guest(&g[1]);
	assert_int_equal(
	    fm_cmd(&g[1], r, "00c1000000000000004600000010", out, &n), 0);
	ring_close(r);
}

/* The stored state, sealed as it should be, with other bytes inside. */
static void
spoil_state(struct fw *g)
{
	struct seal_id want = { .kind = SEAL_PERMANENT }, id;
	struct state_perm s;
	uint8_t *plain, *junk;
	struct wr w;
	size_t len;

	memcpy(want.uuid, g->uuid, UUID_LEN);
	assert_int_equal(
	    seal_open(g->key, &want, g->blob, g->len, &id, &plain, &len),
	    VT_OK);
	assert_int_equal(state_perm_get(plain, len, &s), VT_OK);
	assert_non_null(junk = malloc(s.tpm.len));
	memset(junk, 7, s.tpm.len);
	s.tpm.p = junk;
	wr_grow(&w, STATE_PLAIN_MAX);
	state_perm_put(&w, &s);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(w.len + SEAL_OVERHEAD, g->len);
	assert_int_equal(seal_make(g->key, &id, w.buf, w.len, g->blob), VT_OK);
	wr_free(&w);
	free(junk);
	free(plain);
}

/* libtpms complains, and the worker lives. */
static void
complain(struct fw *g)
{
	make(g, 0);
	assert_int_equal(fm_stop(g), VT_OK);
	spoil_state(g);
	fm_start(&m, g, uid_of(0));
	assert_int_equal(fm_load(g, 0, NULL), VT_E_TPM);
	assert_int_equal(fm_open(g, CHAN_LOCAL, 1), VT_E_STATE);
}

static void
words_of_libtpms_reach_the_log_from_inside_the_jail(void **state)
{
	struct fw *g = *state;
	char text[8192] = "";
	size_t have = 0;
	ssize_t n;

	complain(g);
	while (have < sizeof(text) - 1 &&
	       (n = read(terminal, text + have, sizeof(text) - 1 - have)) > 0)
		have += (size_t)n;
	text[have] = '\0';
	assert_non_null(strstr(text, "libtpms/tpm2: "));
	assert_non_null(strstr(text, "libtpms rejected the permanent state"));
	assert_int_equal(fm_stop(g), VT_OK);
	(void)close(terminal);
}

/* stdio asks other devices than pseudo-terminals whether they are one. */
static void
words_of_libtpms_into_a_device_do_not_kill_the_worker(void **state)
{
	struct fw *g = *state;

	complain(g);
	assert_int_equal(fm_stop(g), VT_OK);
}

/* --- laws
 * ----------------------------------------------------------------------- */

static void
acknowledged_write_survives_kill_and_pcrs_are_capped(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX], ek[FM_CMD_MAX];
	struct ring *r;
	size_t n, nek;

	make(g, 0);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_NV_DEFINE, NULL, NULL), 0);
	assert_int_equal(
	    fm_cmd(g, r, C_NV_WRITE("1122334455667788"), NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_PUBLIC("81010002"), ek, &nek), 0);
	ring_close(r);
	fm_kill(g);
	load(g, 0, WLOAD_CRASHED);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_NV_READ, out, &n), 0);
	assert_memory_equal(out + 16, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	assert_int_equal(fm_cmd(g, r, C_PUBLIC("81010002"), out, &n), 0);
	assert_int_equal(n, nek);
	assert_memory_equal(out, ek, n);
	assert_int_equal(fm_cmd(g, r, C_INFO, out, &n), 0);
	assert_int_not_equal(be32_get(out + 54) & VIF_CAPPED, 0);
	ring_close(r);
}

static void
swapped_states_are_refused(void **state)
{
	struct fw *g = *state;
	uint8_t *blob;
	size_t len;
	uint64_t version;

	make(&g[0], 0);
	make(&g[1], 1);
	fm_kill(&g[0]);
	fm_kill(&g[1]);
	blob = g[0].blob;
	len = g[0].len;
	version = g[0].version;
	g[0].blob = g[1].blob;
	g[0].len = g[1].len;
	g[0].version = g[1].version;
	fm_start(&m, &g[0], uid_of(0));
	assert_int_equal(fm_load(&g[0], 0, NULL), VT_E_AUTH);
	assert_int_equal(fm_open(&g[0], CHAN_LOCAL, 1), VT_E_STATE);
	/* with its own key too: the header names the instance */
	memcpy(g[0].key, g[1].key, WKEY_LEN);
	assert_int_equal(fm_load(&g[0], 0, NULL), VT_E_AUTH);
	g[0].blob = blob;
	g[0].len = len;
	g[0].version = version;
}

/* The random part of each answer, one after the other: random bytes, the
 * keys' Names (digests over their public areas), a signature. */
static void
collect(struct fw *g, uint8_t *out, size_t cap, size_t *ret)
{
	/* clang-format off */
	static const struct {
		const char	*cmd;
		size_t		 len;	/* bytes that count ... */
		size_t		 after;	/* ... before so many last ones */
	} cmds[] = {
		{ C_RANDOM,		 16, 0 },
		{ C_PUBLIC("81010001"),	 32, 36 },
		{ C_PUBLIC("81010002"),	 32, 36 },
		{ C_PUBLIC("81000001"),	 32, 36 },
		{ C_PUBLIC("81000003"),	 32, 36 },
		{ C_PRIMARY_ECC,	 32, 5 },
		{ C_QUOTE,		 30, 5 },
		{ C_RANDOM,		 16, 0 },
	};
	/* clang-format on */
	uint8_t buf[FM_CMD_MAX];
	struct ring *r = fm_guest(g);
	size_t i, n, len = 0;

	for (i = 0; i < VT_NELEM(cmds); i++) {
		assert_int_equal(fm_cmd(g, r, cmds[i].cmd, buf, &n), 0);
		assert_true(len + cmds[i].len <= cap);
		memcpy(out + len, buf + n - cmds[i].after - cmds[i].len,
		    cmds[i].len);
		len += cmds[i].len;
	}
	ring_close(r);
	*ret = len;
}

static void
expect_nothing_in_common(
    const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
	char hex[17];
	size_t i;

	for (i = 0; i + 8 <= na; i++) {
		if (memmem(b, nb, a + i, 8) == NULL)
			continue;
		hex_encode(a + i, 8, hex);
		fail_msg("both have %s (offset %zu)", hex, i);
	}
}

static void
workers_forked_together_share_no_key_and_no_random_byte(void **state)
{
	uint8_t a[512], b[512];
	struct wprovisioned pub;
	struct fw *g = *state;
	size_t na, nb;

	/* both forked before either has done anything */
	fm_start(&m, &g[0], uid_of(0));
	fm_start(&m, &g[1], uid_of(1));
	fm_provision(&g[0], TPM_VER_20, 0, &pub);
	fm_provision(&g[1], TPM_VER_20, 0, &pub);
	assert_int_equal(fm_claim(&g[0], 3), VT_OK);
	assert_int_equal(fm_claim(&g[1], 3), VT_OK);
	assert_int_equal(fm_open(&g[0], CHAN_LOCAL, 1), VT_OK);
	assert_int_equal(fm_open(&g[1], CHAN_LOCAL, 1), VT_OK);
	collect(&g[0], a, sizeof(a), &na);
	collect(&g[1], b, sizeof(b), &nb);
	assert_int_equal(na, 222);
	expect_nothing_in_common(a, na, b, nb);
}

static void
one_sealed_state_started_twice_shares_no_random_byte(void **state)
{
	struct fw *g = *state;
	uint8_t a[FM_CMD_MAX], b[FM_CMD_MAX], q = WQ_VOLATILE;
	struct wanswer ans;
	struct ring *r;
	struct wr w;
	size_t n, i;

	make(&g[0], 0);
	r = fm_guest(&g[0]);
	fm_settle(&g[0], r);
	wr_init(&w, &q, 1);
	w.len = 1;
	fm_ask(&g[0], W_QUERY, &w, NULL, 0, W_ANSWER);
	assert_int_equal(msg_get(wanswer, g[0].ans, g[0].ans_len, &ans), VT_OK);
	assert_int_equal(ans.rc, VT_OK);
	ring_close(r);
	/* two copies of it run at the same time, against all rules */
	for (i = 1; i < 3; i++) {
		memcpy(g[i].uuid, g[0].uuid, UUID_LEN);
		memcpy(g[i].key, g[0].key, WKEY_LEN);
		g[i].tpm_version = TPM_VER_20;
		g[i].generation = g[0].generation;
		g[i].version = g[0].version;
		g[i].len = g[0].len;
		g[i].blob = malloc(g[0].len);
		assert_non_null(g[i].blob);
		memcpy(g[i].blob, g[0].blob, g[0].len);
		g[i].vol_len = ans.data.len;
		g[i].volatile_ = malloc(ans.data.len);
		assert_non_null(g[i].volatile_);
		memcpy(g[i].volatile_, ans.data.p, ans.data.len);
	}
	fm_kill(&g[0]);
	load(&g[1], 1, 0);
	r = fm_guest(&g[1]);
	assert_int_equal(fm_cmd(&g[1], r, C_RANDOM, a, &n), 0);
	ring_close(r);
	load(&g[2], 2, 0);
	r = fm_guest(&g[2]);
	assert_int_equal(fm_cmd(&g[2], r, C_RANDOM, b, &n), 0);
	ring_close(r);
	assert_memory_not_equal(a + 12, b + 12, 8);
	assert_memory_not_equal(a + 20, b + 20, 8);
}

/* --- processes
 * ------------------------------------------------------------------ */

static void
zygote_dies_and_workers_live_on(void **state)
{
	struct fw *g = *state;
	struct ring *r;
	int status;

	make(g, 0);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	(void)kill(m.zygote_link_pid, SIGKILL);
	(void)waitpid(m.zygote_link_pid, &status, 0);
	msgch_free(m.zyg);
	start_zygote();
	assert_int_equal(fm_cmd(g, r, C_NV_DEFINE, NULL, NULL), 0);
	ring_close(r);
	make(&g[1], 1);
}

static void
dead_worker_is_reported(void **state)
{
	struct fw *g = *state;
	struct zexited ze;
	struct msg msg;
	pid_t pid;

	fm_start(&m, g, uid_of(0));
	pid = g->pid;
	fm_kill(g);
	assert_int_equal(msgch_recv_wait(m.zyg, FM_WAIT_MS, &msg), VT_OK);
	assert_int_equal(msg.type, Z_EXITED);
	assert_int_equal(msg_get(zexited, msg.data, msg.len, &ze), VT_OK);
	assert_int_equal(ze.pid, (uint32_t)pid);
	assert_true(WIFSIGNALED((int)ze.status));
	assert_int_equal(WTERMSIG((int)ze.status), SIGKILL);
}

static unsigned long
pss_kb(pid_t pid)
{
	char path[64], *line;
	unsigned long kb = 0;
	uint8_t *p;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pid);
	if (read_file(path, 65536, &p, &n) != VT_OK)
		return 0;
	if ((line = strstr((char *)p, "Pss:")) != NULL)
		kb = strtoul(line + 4, NULL, 10);
	free(p);
	return kb;
}

static void
vtpm_costs_little_memory_and_time(void **state)
{
	struct fw *first = *state, *g = calloc(MANY, sizeof(*g));
	unsigned long kb = 0;
	uint64_t t, us = 0;
	struct ring *r;
	unsigned int i;

	assert_non_null(g);
	make(first, MANY);
	assert_int_equal(fm_stop(first), VT_OK);
	for (i = 0; i < MANY; i++) {
		memcpy(g[i].uuid, first->uuid, UUID_LEN);
		g[i].uuid[0] ^= (uint8_t)(i + 1);
		g[i].m = &m;
		g[i].listen_fd = -1;
		t = now_us();
		fm_start(&m, &g[i], uid_of(i));
		us += now_us() - t;
	}
	/* what is sealed names one instance: so these play the same one */
	for (i = 0; i < MANY; i++) {
		memcpy(g[i].uuid, first->uuid, UUID_LEN);
		memcpy(g[i].key, first->key, WKEY_LEN);
		g[i].tpm_version = TPM_VER_20;
		g[i].generation = first->generation;
		g[i].version = first->version;
		g[i].len = first->len;
		g[i].blob = malloc(first->len);
		assert_non_null(g[i].blob);
		memcpy(g[i].blob, first->blob, first->len);
		assert_int_equal(fm_load(&g[i], 0, NULL), VT_OK);
		assert_int_equal(fm_open(&g[i], CHAN_LOCAL, 1), VT_OK);
		r = fm_guest(&g[i]);
		fm_settle(&g[i], r);
		assert_int_equal(fm_cmd(&g[i], r, C_QUOTE, NULL, NULL), 0);
		ring_close(r);
	}
	for (i = 0; i < MANY; i++)
		kb += pss_kb(g[i].pid);
	print_message("# %u vTPMs: %lu KB PSS each, %lu us from request to "
		      "hello\n",
	    MANY, kb / MANY, (unsigned long)(us / MANY));
	for (i = 0; i < MANY; i++)
		fm_free(&g[i]);
	free(g);
	assert_in_range(kb / MANY, 50, 800);
}

int
main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(worker_is_jailed_before_its_first_message),
		T(jailed_worker_does_all_its_work),
		cmocka_unit_test_setup_teardown(
		    words_of_libtpms_reach_the_log_from_inside_the_jail,
		    setup_on_a_terminal, teardown),
		cmocka_unit_test_setup_teardown(
		    words_of_libtpms_into_a_device_do_not_kill_the_worker,
		    setup_on_a_device, teardown),
		T(acknowledged_write_survives_kill_and_pcrs_are_capped),
		T(swapped_states_are_refused),
		T(workers_forked_together_share_no_key_and_no_random_byte),
		T(one_sealed_state_started_twice_shares_no_random_byte),
		T(zygote_dies_and_workers_live_on),
		T(dead_worker_is_reported),
		T(vtpm_costs_little_memory_and_time),
	};
	int rc;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: zygote_test VTPM-ZYGOTE\n");
		return 2;
	}
	zygote_path = argv[1];
	(void)signal(SIGPIPE, SIG_IGN);
	fm_init(&m);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fm_done(&m);
	return rc;
}
