/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a group's used up quota and a renewed certificate do to a running
 * worker: real processes, a fake manager (tests/unit/fakemgr.h).
 */
#include "worker_fixture.h"

#include "base/rdwr.h"
#include "vtpm/engine/vendor.h"

/* clang-format off */
#define C_NV_DEFINE2	"800200000000" "0000012a" "40000001" PW "0000" \
			"000e" "01500002" "000b" "02020002" "0000" "0008"
#define C_NV_UNDEFINE	"800200000000" "00000122" "40000001" "01500001" PW
#define C_EVICT_PERS	"800200000000" "00000120" "40000001" "81000001" PW \
			"81000001"
#define C_EVICT_KEEP(h)	"800200000000" "00000120" "40000001" h PW "81000009"
#define C_AK_CERT	"800100000000" "20005654" "0007" "00000000" "0400"
#define C_NV_CERT	"800200000000" "0000014e" "40000001" "01c101d0" PW \
			"0010" "0000"
#define C_EK_CERT(sub)	"800100000000" "20005654" sub "00000000" "0400"
#define C_NV_EK		"800200000000" "0000014e" "40000001" "01c0000a" PW \
			"0010" "0000"
#define C_PLATFORM(x)	"800200000000" "00000129" "4000000c" PW "0004" x
/* clang-format on */
#define NV_SPACE 0x14bu

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

static void
tell(struct fw *g, bool no_growth)
{
	struct wmanager w = {
		.storage_ok = 1, .no_growth = no_growth, .build = "fake"
	};
	uint8_t buf[64];
	struct wr p;

	wr_init(&p, buf, sizeof(buf));
	msg_put(&p, wmanager, &w);
	assert_int_equal(
	    msgch_send(g->ch, W_MANAGER, 0, buf, p.len, NULL, 0), VT_OK);
	fm_pump_for(g, 30);
}

static void
a_used_up_quota_takes_no_more_room_and_all_else_goes_on(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX];
	char evict[256];
	struct ring *r;
	uint64_t stored;
	size_t n;

	fm_make(&m, g);
	r = fm_guest(g);
	assert_int_equal(fm_cmd(g, r, C_NV_DEFINE, NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_PRIMARY_ECC, out, &n), 0);
	(void)snprintf(
	    evict, sizeof(evict), C_EVICT_KEEP("%08x"), be32_get(out + 10));
	tell(g, true);
	stored = g->version;
	assert_int_equal(fm_cmd(g, r, C_NV_DEFINE2, NULL, NULL), NV_SPACE);
	assert_int_equal(fm_cmd(g, r, evict, NULL, NULL), NV_SPACE);
	fm_pump_for(g, 30);
	assert_int_equal(g->version, stored); /* it never reached the TPM */
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	assert_int_equal(
	    fm_cmd(g, r, C_NV_WRITE("0102030405060708"), NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_NV_READ, NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_EXTEND("0000000a"), NULL, NULL), 0);
	/* What gives room back may be done. */
	assert_int_equal(fm_cmd(g, r, C_NV_UNDEFINE, NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_EVICT_PERS, NULL, NULL), 0);
	tell(g, false);
	assert_int_equal(fm_cmd(g, r, C_NV_DEFINE2, NULL, NULL), 0);
	ring_close(r);
}

static int
give_cert(struct fw *g, uint8_t which, uint8_t fill, uint32_t len)
{
	uint8_t der[CERT_MAX_LEN], buf[CERT_MAX_LEN + 8];
	struct wakcert c = { { der, len }, which };
	struct wr w;

	memset(der, fill, sizeof(der));
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wakcert, &c);
	return fm_ask_done(g, W_AKCERT, &w, NULL, 0);
}

static void
a_new_certificate_is_told_and_written_and_durable(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX];
	uint64_t stored;
	struct ring *r;
	size_t n;

	fm_make(&m, g);
	r = fm_guest(g);
	fm_settle(g, r);
	assert_int_equal(fm_cmd(g, r, C_AK_CERT, out, &n), 0);
	assert_int_equal(be32_get(out + 12), 0); /* NV's is all there is */
	stored = g->version;
	assert_int_equal(give_cert(g, WCERT_AK, 0x51, 600), VT_OK);
	fm_pump_for(g, 50);
	assert_int_equal(g->version, stored + 1);
	assert_int_equal(fm_cmd(g, r, C_AK_CERT, out, &n), 0);
	assert_int_equal(be32_get(out + 12), 600);
	assert_int_equal(out[18], 0x51);
	assert_int_equal(n, 18 + 600);
	assert_int_equal(fm_cmd(g, r, C_NV_CERT, out, &n), 0);
	assert_int_equal(out[16], 0x51);
	/* The same one again changes nothing. */
	stored = g->version;
	assert_int_equal(give_cert(g, WCERT_AK, 0x51, 600), VT_OK);
	fm_pump_for(g, 50);
	assert_int_equal(g->version, stored);
	ring_close(r);
}

static void
what_firmware_took_is_written_after_the_next_start(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX];
	struct ring *r;
	size_t n;

	fm_make(&m, g);
	r = fm_guest(g);
	fm_settle(g, r);
	assert_int_equal(fm_cmd(g, r, C_PLATFORM("61626364"), NULL, NULL), 0);
	assert_int_equal(give_cert(g, WCERT_AK, 0x52, 700), VT_OK);
	assert_int_equal(fm_cmd(g, r, C_AK_CERT, out, &n), 0);
	assert_int_equal(be32_get(out + 12), 700);
	assert_int_equal(fm_cmd(g, r, C_NV_CERT, out, &n), 0);
	assert_int_not_equal(out[16], 0x52);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_int_equal(fm_cmd(g, r, C_STARTUP, NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_NV_CERT, out, &n), 0);
	assert_int_equal(out[16], 0x52);
	ring_close(r);
}

static void
an_eks_certificate_is_replaced_as_well(void **state)
{
	struct fw *g = *state;
	uint8_t out[FM_CMD_MAX];
	struct ring *r;
	size_t n;

	fm_make(&m, g);
	r = fm_guest(g);
	fm_settle(g, r);
	assert_int_equal(give_cert(g, WCERT_EK_ECC, 0x61, 600), VT_OK);
	assert_int_equal(fm_cmd(g, r, C_NV_EK, out, &n), 0);
	assert_int_equal(out[16], 0x61);
	assert_int_equal(fm_cmd(g, r, C_EK_CERT("0009"), out, &n), 0);
	assert_int_equal(be32_get(out + 12), 600);
	assert_int_equal(out[18], 0x61);
	/* The other ones are none the wiser. */
	assert_int_equal(fm_cmd(g, r, C_EK_CERT("0008"), out, &n), 0);
	assert_int_equal(be32_get(out + 12), 0);
	assert_int_equal(fm_cmd(g, r, C_AK_CERT, out, &n), 0);
	assert_int_equal(be32_get(out + 12), 0);
	/* Firmware takes the platform: NV follows after the next start. */
	assert_int_equal(fm_cmd(g, r, C_PLATFORM("61626364"), NULL, NULL), 0);
	assert_int_equal(give_cert(g, WCERT_EK_ECC, 0x62, 700), VT_OK);
	assert_int_equal(give_cert(g, WCERT_AK, 0x63, 700), VT_OK);
	assert_int_equal(fm_cmd(g, r, C_EK_CERT("0009"), out, &n), 0);
	assert_int_equal(out[18], 0x62);
	assert_int_equal(fm_cmd(g, r, C_NV_EK, out, &n), 0);
	assert_int_equal(out[16], 0x61);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_int_equal(fm_cmd(g, r, C_STARTUP, NULL, NULL), 0);
	assert_int_equal(fm_cmd(g, r, C_NV_EK, out, &n), 0);
	assert_int_equal(out[16], 0x62);
	assert_int_equal(fm_cmd(g, r, C_NV_CERT, out, &n), 0);
	assert_int_equal(out[16], 0x63);
	ring_close(r);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_used_up_quota_takes_no_more_room_and_all_else_goes_on),
		T(a_new_certificate_is_told_and_written_and_durable),
		T(what_firmware_took_is_written_after_the_next_start),
		T(an_eks_certificate_is_replaced_as_well),
	};
	int rc;

	(void)signal(SIGPIPE, SIG_IGN);
	fm_init(&m);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fm_done(&m);
	return rc;
}
