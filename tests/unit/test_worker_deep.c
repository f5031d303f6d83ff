/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deep quotes as guest and manager see a worker: real processes, a fake
 * manager that answers when the test says so.
 */
#include "worker_fixture.h"

#include "measure/evidence/deep_leaf.h"
#include "vtpm/state/state.h"
#include "vtpm/engine/vendor.h"

#define TICKETS 8
#define HDR 10

static struct fm m;

static int
setup(void **state)
{
	*state = calloc(1, sizeof(struct fw));
	return *state != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	fm_free(*state);
	free(*state);
	return 0;
}

/* --- a guest -------------------------------------------------------------- */

/* Quote; its digest as a deep quote wants it. */
static void
quote(struct fw *g, struct ring *r, uint8_t digest[SHA256_LEN])
{
	uint8_t out[FM_CMD_MAX];
	size_t n, len;

	assert_int_equal(fm_cmd(g, r, C_QUOTE, out, &n), 0);
	/* header, parameterSize, TPM2B_ATTEST, TPMT_SIGNATURE, session 5 */
	len = be16_get(out + 14);
	memmove(out + 14, out + 16, n - 16 - 5);
	assert_true(n > len + 21);
	assert_int_equal(
	    digest_buf(ALG_SHA256, out + 14, n - 16 - 5, digest), VT_OK);
}

static uint32_t
send_cmd(struct fw *g, struct ring *r, const struct wr *w, uint8_t *out,
    size_t *ret_len)
{
	uint8_t cmd[256];

	memcpy(cmd, w->buf, w->len);
	be32_put(cmd + 2, (uint32_t)w->len);
	assert_int_equal(ring_submit(r, 0, cmd, w->len), VT_OK);
	*ret_len = fm_wait(g, r, FM_WAIT_MS, out);
	assert_true(*ret_len >= HDR);
	assert_int_equal(be32_get(out + 2), *ret_len);
	return be32_get(out + 6);
}

static void
vendor(struct wr *w, uint8_t *buf, size_t cap, uint16_t sub)
{
	wr_init(w, buf, cap);
	wr_be16(w, 0x8001);
	wr_be32(w, 0);
	wr_be32(w, TPM_CC_VTPM);
	wr_be16(w, sub);
}

static uint32_t
submit(struct fw *g, struct ring *r, const uint8_t digest[SHA256_LEN],
    uint64_t *ret_ticket)
{
	uint8_t buf[256], out[FM_CMD_MAX], key[SHA256_LEN];
	unsigned int before = g->ndeep;
	struct wr w;
	uint32_t rc;
	size_t n;
	int i;

	memset(key, 0x6b, sizeof(key));
	vendor(&w, buf, sizeof(buf), VSUB_DEEP_SUBMIT);
	wr_bytes(&w, digest, SHA256_LEN);
	wr_bytes(&w, key, sizeof(key));
	wr_blob16(&w, "a nonce", 7);
	rc = send_cmd(g, r, &w, out, &n);
	if (rc != 0)
		return rc;
	assert_int_equal(n, HDR + 2 + 8 + 4);
	assert_int_equal(be16_get(out + HDR), VSUB_DEEP_SUBMIT);
	*ret_ticket = be64_get(out + HDR + 2);
	assert_in_range(be32_get(out + HDR + 10), 1, 1000);
	for (i = 0; i < 200 && g->ch != NULL && g->ndeep == before; i++)
		fm_pump_for(g, 10);
	return 0;
}

/* One piece; returns the state, or 100 + the code's low byte. */
static unsigned int
collect(struct fw *g, struct ring *r, uint64_t ticket, uint32_t off,
    uint16_t max, uint8_t *ret_part, size_t *ret_n, uint32_t *ret_total)
{
	uint8_t buf[64], out[FM_CMD_MAX];
	struct wr w;
	uint32_t rc;
	size_t n;

	vendor(&w, buf, sizeof(buf), VSUB_DEEP_COLLECT);
	wr_be64(&w, ticket);
	wr_be32(&w, off);
	wr_be16(&w, max);
	if ((rc = send_cmd(g, r, &w, out, &n)) != 0)
		return 100 + (rc & 0xff);
	*ret_total = be32_get(out + HDR + 3);
	*ret_n = be16_get(out + HDR + 7);
	assert_int_equal(n, HDR + 9 + *ret_n);
	assert_true(*ret_n <= max);
	if (ret_part != NULL)
		memcpy(ret_part, out + HDR + 9, *ret_n);
	return out[HDR + 2];
}

static unsigned int
state_of(struct fw *g, struct ring *r, uint64_t ticket)
{
	uint32_t total;
	size_t n;

	return collect(g, r, ticket, 0, 4096, NULL, &n, &total);
}

/* --- the manager ---------------------------------------------------------- */

static void
answer(struct fw *g, uint64_t ticket, int rc, const char *text, size_t len)
{
	uint8_t bytes[WDEEP_ANSWER_MAX], buf[5000];
	struct wdeeped d = { .ticket = ticket, .rc = rc };
	struct wr w;
	size_t i;

	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 7 + ticket);
	(void)snprintf(d.text, sizeof(d.text), "%s", text);
	d.answer.p = bytes;
	d.answer.len = (uint32_t)len;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wdeeped, &d);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(
	    msgch_send(g->ch, W_DEEPED, 0, buf, w.len, NULL, 0), VT_OK);
}

static unsigned int
settled(struct fw *g, struct ring *r, uint64_t ticket)
{
	unsigned int i, s = VDQ_PENDING;

	for (i = 0; i < 500 && s == VDQ_PENDING; i++) {
		fm_pump_for(g, 5);
		s = state_of(g, r, ticket);
	}
	return s;
}

/* --- tests ---------------------------------------------------------------- */

static void
a_quote_is_vouched_for_in_pieces(void **state)
{
	struct fw *g = *state;
	uint8_t digest[SHA256_LEN], part[FM_CMD_MAX];
	static const uint8_t zeros[SHA256_LEN];
	uint64_t ticket = 0;
	uint32_t total, off;
	struct ring *r;
	size_t n, i;

	fm_make(&m, g);
	r = fm_guest(g);
	quote(g, r, digest);
	assert_int_equal(submit(g, r, digest, &ticket), 0);
	assert_int_equal(g->ndeep, 1);
	assert_int_equal(g->deep[0].ticket, ticket);
	assert_memory_equal(g->deep[0].quote, digest, SHA256_LEN);
	assert_int_equal(g->deep[0].channel_key[0], 0x6b);
	assert_memory_not_equal(g->deep[0].journal, zeros, SHA256_LEN);
	assert_memory_equal(g->deep[0].launch, zeros, SHA256_LEN);
	assert_int_equal(g->deep[0].nonce.len, 7);
	assert_int_equal(state_of(g, r, ticket), VDQ_PENDING);
	/* others continue meanwhile */
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	answer(g, ticket, VT_OK, "", 3000);
	assert_int_equal(settled(g, r, ticket), VDQ_READY);
	for (off = 0; off < 3000; off += (uint32_t)n) {
		assert_int_equal(
		    collect(g, r, ticket, off, 1111, part, &n, &total),
		    VDQ_READY);
		assert_int_equal(total, 3000);
		assert_true(n > 0);
		for (i = 0; i < n; i++)
			assert_int_equal(
			    part[i], (uint8_t)((off + i) * 7 + ticket));
	}
	/* past the end, as far as can be, and twice */
	assert_int_equal(
	    collect(g, r, ticket, 3000, 9, part, &n, &total), VDQ_READY);
	assert_int_equal(n, 0);
	assert_int_equal(
	    collect(g, r, ticket, UINT32_MAX, 9, part, &n, &total), VDQ_READY);
	assert_int_equal(n, 0);
	assert_int_equal(
	    collect(g, r, ticket, 0, UINT16_MAX, part, &n, &total), VDQ_READY);
	assert_int_equal(n, 3000);
	ring_close(r);
}

static void
the_longest_answer_fits_one_response(void **state)
{
	struct fw *g = *state;
	uint8_t digest[SHA256_LEN];
	uint64_t ticket = 0;
	uint32_t total;
	struct ring *r;
	size_t n;

	fm_make(&m, g);
	r = fm_guest(g);
	quote(g, r, digest);
	assert_int_equal(submit(g, r, digest, &ticket), 0);
	answer(g, ticket, VT_OK, "", WDEEP_ANSWER_MAX);
	assert_int_equal(settled(g, r, ticket), VDQ_READY);
	assert_int_equal(
	    collect(g, r, ticket, 0, UINT16_MAX, NULL, &n, &total), VDQ_READY);
	assert_int_equal(n, WDEEP_ANSWER_MAX);
	ring_close(r);
}

static void
only_own_and_recent_quotes_are_submitted(void **state)
{
	struct fw *g = *state, *other = calloc(1, sizeof(*other));
	uint8_t mine[SHA256_LEN], theirs[SHA256_LEN];
	struct ring *r, *o;
	uint64_t ticket = 0;
	int i;

	fm_make(&m, g);
	fm_make(&m, other);
	r = fm_guest(g);
	o = fm_guest(other);
	quote(g, r, mine);
	quote(other, o, theirs);
	/* a relayed quote: made, but by another TPM */
	assert_int_equal(submit(g, r, theirs, &ticket), 0x84);
	theirs[0] ^= 1;
	assert_int_equal(submit(g, r, theirs, &ticket), 0x84);
	assert_int_equal(g->ndeep, 0);
	assert_int_equal(submit(g, r, mine, &ticket), 0);
	/* a stale one: made before the power cycle */
	answer(g, ticket, VT_OK, "", 10);
	assert_int_equal(settled(g, r, ticket), VDQ_READY);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	assert_int_equal(submit(g, r, mine, &ticket), 0x84);
	/* or so long ago that it is not remembered */
	quote(g, r, mine);
	for (i = 0; i < QUOTES_MAX; i++)
		quote(g, r, theirs);
	assert_int_equal(submit(g, r, mine, &ticket), 0x84);
	assert_int_equal(submit(g, r, theirs, &ticket), 0);
	ring_close(r);
	ring_close(o);
	fm_free(other);
	free(other);
}

static void
a_refusal_is_told_in_words(void **state)
{
	struct fw *g = *state;
	uint8_t digest[SHA256_LEN], part[FM_CMD_MAX];
	uint64_t ticket = 0;
	uint32_t total;
	struct ring *r;
	size_t n;

	fm_make(&m, g);
	r = fm_guest(g);
	quote(g, r, digest);
	assert_int_equal(submit(g, r, digest, &ticket), 0);
	answer(g, ticket, VT_E_TIMEOUT, "the TPM is on holiday", 0);
	assert_int_equal(settled(g, r, ticket), VDQ_FAILED);
	assert_int_equal(
	    collect(g, r, ticket, 0, 200, part, &n, &total), VDQ_FAILED);
	part[n] = '\0';
	assert_string_equal((char *)part, "the TPM is on holiday");
	ring_close(r);
}

static void
tickets_are_few_and_never_the_same(void **state)
{
	struct fw *g = *state;
	uint64_t t[TICKETS + 3] = { 0 };
	uint8_t digest[SHA256_LEN];
	struct ring *r;
	size_t i;

	fm_make(&m, g);
	r = fm_guest(g);
	quote(g, r, digest);
	for (i = 0; i < TICKETS; i++) {
		assert_int_equal(submit(g, r, digest, &t[i]), 0);
		assert_int_equal(t[i], i + 1);
	}
	/* TPM_RC_MEMORY; Linux repeats TPM_RC_RETRY by itself */
	assert_int_equal(submit(g, r, digest, &t[8]), 0x904);
	assert_int_equal(g->ndeep, TICKETS);
	/* two are answered; the one that was collected goes first */
	answer(g, t[1], VT_OK, "", 20);
	answer(g, t[4], VT_OK, "", 20);
	assert_int_equal(settled(g, r, t[4]), VDQ_READY);
	assert_int_equal(submit(g, r, digest, &t[8]), 0);
	assert_int_equal(t[8], TICKETS + 1);
	assert_int_equal(state_of(g, r, t[4]), 100 + 0x84);
	assert_int_equal(state_of(g, r, t[1]), VDQ_READY);
	/* an answer for a ticket that is gone, twice, or never was */
	answer(g, t[4], VT_OK, "", 20);
	answer(g, t[1], VT_E_TPM, "no", 0);
	answer(g, 999, VT_OK, "", 20);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	assert_int_equal(state_of(g, r, t[1]), VDQ_READY);
	assert_int_equal(state_of(g, r, 999), 100 + 0x84);
	assert_int_equal(state_of(g, r, 0), 100 + 0x84);
	ring_close(r);
}

static void
a_manager_that_comes_back_is_asked_again(void **state)
{
	struct fw *g = *state;
	uint8_t digest[SHA256_LEN];
	uint64_t a = 0, b = 0;
	struct ring *r;

	fm_make(&m, g);
	r = fm_guest(g);
	quote(g, r, digest);
	assert_int_equal(submit(g, r, digest, &a), 0);
	assert_int_equal(submit(g, r, digest, &b), 0);
	answer(g, a, VT_OK, "", 50);
	assert_int_equal(settled(g, r, a), VDQ_READY);
	fm_manager_gone(g);
	assert_int_equal(state_of(g, r, b), VDQ_PENDING);
	g->ndeep = 0;
	fm_manager_back(g);
	assert_int_equal(g->ndeep, 1); /* not for what is answered */
	assert_int_equal(g->deep[0].ticket, b);
	assert_memory_equal(g->deep[0].quote, digest, SHA256_LEN);
	assert_int_equal(g->deep[0].nonce.len, 7);
	/* told of something else it does not ask once more */
	fm_manager(g, true);
	fm_pump_for(g, 50);
	assert_int_equal(g->ndeep, 1);
	answer(g, b, VT_OK, "", 50);
	assert_int_equal(settled(g, r, b), VDQ_READY);
	/* submitted while it is away: asked for when it is back */
	fm_manager_gone(g);
	assert_int_equal(submit(g, r, digest, &b), 0);
	g->ndeep = 0;
	fm_manager_back(g);
	assert_int_equal(g->ndeep, 1);
	assert_int_equal(g->deep[0].ticket, b);
	ring_close(r);
}

static void
a_power_cycle_drops_them(void **state)
{
	struct fw *g = *state;
	uint8_t digest[SHA256_LEN];
	uint64_t a = 0, b = 0;
	struct ring *r;

	fm_make(&m, g);
	r = fm_guest(g);
	quote(g, r, digest);
	assert_int_equal(submit(g, r, digest, &a), 0);
	assert_int_equal(fm_ask_done(g, W_RESET, NULL, NULL, 0), VT_OK);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	assert_int_equal(state_of(g, r, a), 100 + 0x84);
	quote(g, r, digest);
	assert_int_equal(submit(g, r, digest, &b), 0);
	assert_true(b > a);
	/* the late answer to the old one is dropped */
	answer(g, a, VT_OK, "", 10);
	assert_int_equal(fm_cmd(g, r, C_RANDOM, NULL, NULL), 0);
	assert_int_equal(state_of(g, r, b), VDQ_PENDING);
	ring_close(r);
}

static void
what_is_said_of_the_guest_is_true(void **state)
{
	struct fw *g = *state;
	uint8_t digest[SHA256_LEN], before[SHA256_LEN];
	uint64_t t = 0;
	struct ring *r;

	fm_make(&m, g);
	r = fm_guest(g);
	quote(g, r, digest);
	assert_int_equal(submit(g, r, digest, &t), 0);
	assert_int_equal(g->deep[0].flags, 0);
	memcpy(before, g->deep[0].journal, SHA256_LEN);
	assert_int_equal(submit(g, r, digest, &t), 0);
	assert_memory_equal(g->deep[1].journal, before, SHA256_LEN);
	assert_int_equal(fm_cmd(g, r, C_EXTEND("00000008"), NULL, NULL), 0);
	assert_int_equal(submit(g, r, digest, &t), 0);
	assert_memory_not_equal(g->deep[2].journal, before, SHA256_LEN);
	ring_close(r);
	/* its worker dies */
	fm_settle(g, r = fm_guest(g));
	ring_close(r);
	fm_kill(g);
	fm_again(g, WLOAD_CRASHED);
	r = fm_guest(g);
	g->ndeep = 0;
	quote(g, r, digest);
	assert_int_equal(submit(g, r, digest, &t), 0);
	assert_int_equal(g->deep[0].flags, DEEP_F_CAPPED);
	ring_close(r);
}

/* Every prefix of both commands, and one byte more. */
static void
commands_have_exactly_their_length(void **state)
{
	struct fw *g = *state;
	uint8_t digest[SHA256_LEN], buf[256], out[FM_CMD_MAX];
	struct ring *r;
	struct wr w;
	size_t full[2], k, n;
	int i;

	fm_make(&m, g);
	r = fm_guest(g);
	quote(g, r, digest);
	for (i = 0; i < 2; i++) {
		vendor(&w, buf, sizeof(buf),
		    i == 0 ? VSUB_DEEP_SUBMIT : VSUB_DEEP_COLLECT);
		if (i == 0) {
			wr_bytes(&w, digest, SHA256_LEN);
			wr_bytes(&w, digest, SHA256_LEN);
			wr_blob16(&w, "12345678", 8);
		} else {
			wr_be64(&w, 1);
			wr_be32(&w, 0);
			wr_be16(&w, 10);
		}
		full[i] = w.len;
		wr_u8(&w, 0);
		for (k = 12; k <= full[i] + 1; k++) {
			if (k == full[i])
				continue;
			w.len = k;
			assert_int_equal(send_cmd(g, r, &w, out, &n), 0x95);
		}
	}
	/* a nonce over 64 bytes */
	vendor(&w, buf, sizeof(buf), VSUB_DEEP_SUBMIT);
	wr_bytes(&w, digest, SHA256_LEN);
	wr_bytes(&w, digest, SHA256_LEN);
	memset(out, 1, 65);
	wr_blob16(&w, out, 65);
	assert_int_equal(send_cmd(g, r, &w, out, &n), 0x95);
	assert_int_equal(g->ndeep, 0);
	ring_close(r);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_quote_is_vouched_for_in_pieces),
		T(the_longest_answer_fits_one_response),
		T(only_own_and_recent_quotes_are_submitted),
		T(a_refusal_is_told_in_words),
		T(tickets_are_few_and_never_the_same),
		T(a_manager_that_comes_back_is_asked_again),
		T(a_power_cycle_drops_them),
		T(what_is_said_of_the_guest_is_true),
		T(commands_have_exactly_their_length),
	};
	int rc;

	fm_init(&m);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fm_done(&m);
	return rc;
}
