/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_worker_hv.c - requests of swtpm's control protocol before INIT, and
 * answers as long as swtpm's.
 */
#include "worker_fixture.h"

#include "swtpm_hv.h"
#include "tpmback/chan.h"

#define OP_CONFIG 15
#define OP_BUFFERSIZE 17
#define OP_INFO 18

static struct fm m;

/* Sends op and hex, and takes len bytes of answer. */
static uint32_t
ask_long(struct hv *h, uint32_t op, const char *hex, uint8_t *out, size_t len)
{
	uint8_t req[64];
	size_t n;

	be32_put(req, op);
	assert_int_equal(hex_decode(hex, req + 4, sizeof(req) - 4, &n), VT_OK);
	assert_int_equal(write(h->ctl, req, 4 + n), 4 + n);
	read_all(h->ctl, out, len);
	return be32_get(out);
}

/* A TPM that is on, as after vtpmctl start, and a hypervisor that connects. */
static void
on_before_init(struct fw *g, struct hv *h)
{
	struct ring *r;

	fm_make(&m, g);
	assert_int_equal(fm_open(g, CHAN_SWTPM, 0x1f), VT_OK);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	ring_close(r);
	fm_pump_for(g, 30);
	hv_open(g, h);
}

static void
the_buffer_size_is_set_before_init_and_not_after(void **state)
{
	struct fw *g = *state;
	uint8_t a[16];
	struct hv h;

	on_before_init(g, &h);
	assert_int_equal(
	    ask_long(&h, OP_BUFFERSIZE, "00000fa0", a, sizeof(a)), 0);
	assert_int_equal(INIT(&h), 0);
	assert_int_equal(hv_ask(&h, OP_BUFFERSIZE, "00000fa0"), 0x0a);
	hv_close(&h);
}

static void
a_state_is_looked_at_before_init_and_refused_after(void **state)
{
	static const uint8_t junk[32];
	struct fw *g = *state;
	struct hv h;

	on_before_init(g, &h);
	assert_int_not_equal(
	    hv_set_blob(&h, BLOB_PERMANENT, junk, sizeof(junk)), 0x0a);
	assert_int_equal(INIT(&h), 0);
	assert_int_equal(
	    hv_set_blob(&h, BLOB_PERMANENT, junk, sizeof(junk)), 0x0a);
	hv_close(&h);
}

/* Stale bytes behind it would be the next answer. */
static void
an_error_of_get_info_is_the_code_alone(void **state)
{
	struct fw *g = *state;
	uint8_t a[8];
	struct hv h;

	on_before_init(g, &h);
	assert_int_equal(ask_long(&h, OP_INFO,
			     "0000000000000007"
			     "00100000"
			     "00000000",
			     a, 4),
	    3);
	assert_int_equal(ask_long(&h, OP_CONFIG, "", a, 8), 0);
	assert_int_equal(be32_get(a + 4), 3);
	hv_close(&h);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fm_setup, fm_teardown)
	const struct CMUnitTest tests[] = {
		T(the_buffer_size_is_set_before_init_and_not_after),
		T(a_state_is_looked_at_before_init_and_refused_after),
		T(an_error_of_get_info_is_the_code_alone),
	};
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	fm_init(&m);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fm_done(&m);
	return rc;
}
