/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_worker_clients.c - what a program on the local ring leaves loaded does
 * not reach the next one, and nothing else is flushed.
 */
#include "worker_fixture.h"

#include "tpmfront/ring_local.h"
#include "vtpm/worker/worker_clients.h"

#define C_HANDLES(first) \
	"800100000000"   \
	"0000017a"       \
	"00000001" first "00000060"
#define C_SESSION                          \
	"800100000000"                     \
	"00000176"                         \
	"40000007"                         \
	"40000007"                         \
	"0010"                             \
	"00000000000000000000000000000000" \
	"0000"                             \
	"00"                               \
	"0010"                             \
	"000b"
#define C_SAVE(h)      \
	"800100000000" \
	"00000162" h
#define OBJECTS "80000000"
#define LOADED "02000000"
#define SAVED "03000000"

static struct fm m;

static struct ring *
come(struct fw *g, bool keeps)
{
	const struct ring_local_how how = { .timeout_ms = FM_WAIT_MS,
		.keeps = keeps };
	char path[128], holder[RING_TEXT_MAX];
	struct ring *r = NULL;

	fm_path(g, "tpmif", path);
	assert_int_equal(ring_local_open(path, &how, &r, holder), VT_OK);
	return r;
}

static void
leave(struct fw *g, struct ring *r)
{
	ring_close(r);
	fm_pump_for(g, 20);
}

static uint32_t
count(struct fw *g, struct ring *r, const char *what)
{
	uint8_t out[FM_CMD_MAX];

	assert_int_equal(fm_cmd(g, r, what, out, NULL), 0);
	return be32_get(out + 15);
}

static void
assert_empty(struct fw *g, struct ring *r)
{
	assert_int_equal(count(g, r, C_HANDLES(OBJECTS)), 0);
	assert_int_equal(count(g, r, C_HANDLES(LOADED)), 0);
}

/* A session, saved as tpm2-tools do; its handle to *ret. */
static void
save_one(struct fw *g, struct ring *r, uint32_t *ret)
{
	uint8_t out[FM_CMD_MAX];
	char hex[64];

	assert_int_equal(fm_cmd(g, r, C_SESSION, out, NULL), 0);
	*ret = be32_get(out + 10);
	(void)snprintf(hex, sizeof(hex), C_SAVE("%08x"), *ret);
	assert_int_equal(fm_cmd(g, r, hex, NULL, NULL), 0);
}

static void
objects_and_sessions_are_flushed_for_the_next_one(void **state)
{
	struct fw *g = *state;
	struct ring *r;
	int i;

	fm_make(&m, g);
	for (i = 0; i < 10; i++) {
		r = come(g, false);
		assert_empty(g, r);
		assert_int_equal(fm_cmd(g, r, C_PRIMARY_ECC, NULL, NULL), 0);
		assert_int_equal(fm_cmd(g, r, C_PRIMARY_ECC, NULL, NULL), 0);
		assert_int_equal(fm_cmd(g, r, C_SESSION, NULL, NULL), 0);
		leave(g, r);
	}
}

static void
one_that_wants_it_keeps_what_it_loaded(void **state)
{
	struct fw *g = *state;
	struct ring *r;

	fm_make(&m, g);
	r = come(g, true);
	assert_int_equal(fm_cmd(g, r, C_PRIMARY_ECC, NULL, NULL), 0);
	leave(g, r);
	r = come(g, false);
	assert_int_equal(count(g, r, C_HANDLES(OBJECTS)), 1);
	assert_int_equal(fm_cmd(g, r, C_PRIMARY_ECC, NULL, NULL), 0);
	leave(g, r);
	/* what was there before it stays */
	r = come(g, false);
	assert_int_equal(count(g, r, C_HANDLES(OBJECTS)), 1);
	leave(g, r);
}

/* The handle is the same after a power cycle, the object is not. */
static void
a_power_cycle_under_a_program_leaves_nothing_to_keep(void **state)
{
	struct fw *g = *state;
	struct ring *r;

	fm_make(&m, g);
	r = come(g, true);
	assert_int_equal(fm_cmd(g, r, C_PRIMARY_ECC, NULL, NULL), 0);
	leave(g, r);
	r = come(g, false);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_int_equal(fm_cmd(g, r, C_PRIMARY_ECC, NULL, NULL), 0);
	leave(g, r);
	r = come(g, false);
	assert_empty(g, r);
	leave(g, r);
}

static void
saved_sessions_stay_until_there_are_too_many(void **state)
{
	struct fw *g = *state;
	uint32_t first, h;
	struct ring *r;
	int i;

	fm_make(&m, g);
	for (i = 0; i < 3 * WORKER_SAVED_MAX; i++) {
		r = come(g, false);
		save_one(g, r, i == 0 ? &first : &h);
		assert_int_equal(count(g, r, C_HANDLES(SAVED)),
		    (i < WORKER_SAVED_MAX ? i : WORKER_SAVED_MAX) + 1);
		leave(g, r);
	}
	r = come(g, false);
	assert_int_equal(count(g, r, C_HANDLES(SAVED)), WORKER_SAVED_MAX);
	leave(g, r);
}

/* Else the TPM could save no other context some day. */
static void
a_saved_session_does_not_stay_for_ever(void **state)
{
	struct fw *g = *state;
	struct ring *r;
	uint32_t h;
	int i;

	fm_make(&m, g);
	r = come(g, false);
	save_one(g, r, &h);
	leave(g, r);
	r = come(g, false);
	for (i = 0; i < WORKER_SAVED_COMMANDS - 10; i++)
		assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	leave(g, r);
	r = come(g, false);
	assert_int_equal(count(g, r, C_HANDLES(SAVED)), 1);
	for (i = 0; i < 20; i++)
		assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	leave(g, r);
	r = come(g, false);
	assert_int_equal(count(g, r, C_HANDLES(SAVED)), 0);
	leave(g, r);
}

/* TPM2_Startup(STATE) must find what TPM2_Shutdown(STATE) stored. */
static void
nothing_is_sent_after_a_shutdown(void **state)
{
	struct fw *g = *state;
	struct ring *r;

	fm_make(&m, g);
	r = come(g, false);
	assert_int_equal(fm_cmd(g, r, C_PRIMARY_ECC, NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_SHUTDOWN_STATE, NULL, NULL), 0);
	leave(g, r);
	r = come(g, true);
	assert_int_equal(count(g, r, C_HANDLES(OBJECTS)), 1);
	leave(g, r);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fm_setup, fm_teardown)
	const struct CMUnitTest tests[] = {
		T(objects_and_sessions_are_flushed_for_the_next_one),
		T(one_that_wants_it_keeps_what_it_loaded),
		T(a_power_cycle_under_a_program_leaves_nothing_to_keep),
		T(saved_sessions_stay_until_there_are_too_many),
		T(a_saved_session_does_not_stay_for_ever),
		T(nothing_is_sent_after_a_shutdown),
	};
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	fm_init(&m);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fm_done(&m);
	return rc;
}
