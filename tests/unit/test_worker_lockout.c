/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dictionary attack protection over the lives of workers: the host's faults
 * cost a guest nothing, its own wrong passwords stay counted.
 */
#include "worker_fixture.h"

/* clang-format off */
/* the password "right" or "wrong" */
#define PASS(p)		"0000000e" "40000009" "0000" "00" "0005" p
#define RIGHT		"7269676874"
#define WRONG		"77726f6e67"
/* AUTHREAD AUTHWRITE, under DA protection, 8 bytes */
#define C_DEFINE	"800200000000" "0000012a" "40000001" PW "0005" RIGHT \
			"000e" "01500003" "000b" "00040004" "0000" "0008"
#define C_USE(p)	"800200000000" "00000137" "01500003" "01500003" \
			PASS(p) "0008" "0102030405060708" "0000"
#define C_COUNTED	"800100000000" "0000017a" "00000006" "0000020e" "00000001"
#define C_STARTED	"800100000000" "0000017a" "00000006" "00000201" "00000001"
/* clang-format on */
#define RC_AUTH_FAIL 0x98eu
#define RC_LOCKOUT 0x921u
#define RC_RETRY 0x922u
#define TRIES 32

static struct fm m;

static uint32_t
use(struct fw *g, struct ring *r, const char *hex)
{
	uint32_t rc = fm_cmd(g, r, hex, NULL, NULL);

	return rc == RC_RETRY ? fm_cmd(g, r, hex, NULL, NULL) : rc;
}

static uint32_t
property(struct fw *g, struct ring *r, const char *hex)
{
	uint8_t out[FM_CMD_MAX];
	size_t n;

	assert_int_equal(fm_cmd(g, r, hex, out, &n), 0);
	assert_int_equal(n, 27);
	return be32_get(out + 23);
}

static struct ring *
make(struct fw *g)
{
	struct ring *r;

	fm_make(&m, g);
	r = fm_guest(g);
	fm_settle(g, r);
	assert_int_equal(fm_cmd(g, r, C_DEFINE, NULL, NULL), 0);
	return r;
}

/* A crash is noticed, or the whole host was away. */
static struct ring *
crash(struct fw *g, struct ring *r, bool noticed)
{
	ring_close(r);
	fm_kill(g);
	fm_again(g, noticed ? WLOAD_CRASHED : 0);
	return fm_guest(g);
}

static void
crashes_are_not_charged(void **state)
{
	struct fw *g = *state;
	struct ring *r = make(g);
	int i;

	for (i = 0; i < TRIES + 4; i++) {
		assert_int_equal(use(g, r, C_USE(RIGHT)), 0);
		r = crash(g, r, i % 2 == 0);
	}
	assert_int_equal(property(g, r, C_COUNTED), 0);
	assert_int_equal(use(g, r, C_USE(RIGHT)), 0);
	ring_close(r);
}

/* The answer that says "wrong" comes after the counter is stored. */
static void
wrong_passwords_outlive_crashes(void **state)
{
	struct fw *g = *state;
	struct ring *r = make(g);
	int i;

	for (i = 0; i < TRIES; i++) {
		assert_int_equal(use(g, r, C_USE(WRONG)), RC_AUTH_FAIL);
		r = crash(g, r, i % 2 == 0);
	}
	assert_int_equal(use(g, r, C_USE(RIGHT)), RC_LOCKOUT);
	r = crash(g, r, true);
	assert_int_equal(use(g, r, C_USE(RIGHT)), RC_LOCKOUT);
	ring_close(r);
}

/* A guess whose answer was not seen may be lost, one that was seen may not. */
static void
no_answer_leaves_before_its_counter(void **state)
{
	struct fw *g = *state;
	struct ring *r = make(g);
	uint8_t out[FM_CMD_MAX];

	assert_int_equal(use(g, r, C_USE(RIGHT)), 0);
	g->ack = false;
	fm_submit(r, C_USE(WRONG), 0);
	assert_int_equal(fm_wait(g, r, 200, out), 0);
	g->ack = true;
	r = crash(g, r, true);
	assert_int_equal(property(g, r, C_COUNTED), 0);
	ring_close(r);
}

static void
sigterm_is_an_orderly_shutdown(void **state)
{
	struct fw *g = *state;
	struct ring *r = make(g);
	int status;

	assert_int_equal(use(g, r, C_USE(RIGHT)), 0);
	assert_int_equal(kill(g->pid, SIGTERM), 0);
	fm_pump_for(g, 1000); /* until it hangs up */
	assert_int_equal(waitpid(g->pid, &status, 0), g->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ring_close(r);
	msgch_free(g->ch);
	fm_again(g, WLOAD_CRASHED);
	r = fm_guest(g);
	/* TPM_PT_STARTUP_CLEAR: orderly */
	assert_int_equal(property(g, r, C_STARTED) >> 31, 1);
	assert_int_equal(property(g, r, C_COUNTED), 0);
	ring_close(r);
}

/* At host shutdown the manager may be gone first. */
static void
sigterm_without_a_manager_ends_the_worker(void **state)
{
	struct fw *g = *state;
	struct ring *r = make(g);
	int status;

	fm_manager_gone(g);
	assert_int_equal(kill(g->pid, SIGTERM), 0);
	assert_int_equal(waitpid(g->pid, &status, 0), g->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ring_close(r);
}

static void
the_counter_is_shown(void **state)
{
	struct wquery q = { .what = WQ_INFO };
	struct fw *g = *state;
	struct ring *r = make(g);
	struct wanswer a;
	uint8_t buf[8];
	char text[2048];
	struct wr w;

	assert_int_equal(use(g, r, C_USE(WRONG)), RC_AUTH_FAIL);
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wquery, &q);
	fm_ask(g, W_QUERY, &w, NULL, 0, W_ANSWER);
	assert_int_equal(msg_get(wanswer, g->ans, g->ans_len, &a), VT_OK);
	assert_int_equal(a.rc, VT_OK);
	assert_true(a.data.len < sizeof(text));
	memcpy(text, a.data.p, a.data.len);
	text[a.data.len] = '\0';
	assert_non_null(
	    strstr(text, "\"lockout\":{\"locked\":false,\"wrong\":1,"
			 "\"max\":32,\"recovery_s\":600}"));
	ring_close(r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, fm_setup, fm_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(crashes_are_not_charged),
		T(wrong_passwords_outlive_crashes),
		T(no_answer_leaves_before_its_counter),
		T(sigterm_is_an_orderly_shutdown),
		T(sigterm_without_a_manager_ends_the_worker),
		T(the_counter_is_shown),
	};
	int rc;

	fm_init(&m);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fm_done(&m);
	return rc;
}
