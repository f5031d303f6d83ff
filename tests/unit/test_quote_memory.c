/* SPDX-License-Identifier: BSD-3-Clause */
/* Which quotes a worker remembers, and how many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "base/rdwr.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/quote_memory.h"
#include "vtpm/engine/tpm_command.h"

static struct quotes q;

static int
setup(void **state)
{
	(void)state;
	memset(&q, 0, sizeof(q));
	return 0;
}

static size_t
command(uint8_t *out, size_t cap, uint8_t session_attrs)
{
	struct wr w;

	wr_init(&w, out, cap);
	wr_be16(&w, ST_SESSIONS);
	wr_be32(&w, 0);
	wr_be32(&w, CC_Quote);
	wr_be32(&w, 0x81000003);
	wr_be32(&w, 9 + 13); /* two sessions */
	wr_be32(&w, RS_PW);
	wr_be16(&w, 0);
	wr_u8(&w, 0);
	wr_be16(&w, 0);
	wr_be32(&w, 0x02000000);
	wr_blob16(&w, "nonc", 4);
	wr_u8(&w, session_attrs);
	wr_be16(&w, 0);
	wr_be16(&w, 0); /* qualifyingData */
	wr_be16(&w, 0x0010);
	wr_be32(&w, 0);
	wr_set_be32(&w, 2, (uint32_t)w.len);
	assert_int_equal(wr_err(&w), VT_OK);
	return w.len;
}

static size_t
response(uint8_t *out, size_t cap, const char *attest, const char *sig)
{
	size_t na = strlen(attest), ns = strlen(sig);
	struct wr w;

	wr_init(&w, out, cap);
	wr_be16(&w, ST_SESSIONS);
	wr_be32(&w, 0);
	wr_be32(&w, 0);
	wr_be32(&w, (uint32_t)(2 + na + ns));
	wr_blob16(&w, attest, na);
	wr_bytes(&w, sig, ns);
	wr_bytes(&w, "authorization area", 18); /* not part of it */
	wr_set_be32(&w, 2, (uint32_t)w.len);
	assert_int_equal(wr_err(&w), VT_OK);
	return w.len;
}

static int
note_bytes(const uint8_t *cmd, size_t nc, const uint8_t *resp, size_t nr)
{
	struct tpm_cmd c;

	tpm_cmd_decode(&c, true, 0, cmd, nc);
	return quotes_note(&q, &c, resp, nr);
}

static int
note(uint8_t attrs, const char *attest, const char *sig)
{
	uint8_t cmd[128], resp[256];
	size_t nc = command(cmd, sizeof(cmd), attrs);
	size_t nr = response(resp, sizeof(resp), attest, sig);

	return note_bytes(cmd, nc, resp, nr);
}

static bool
has(const char *both)
{
	uint8_t d[QUOTE_LEN];

	assert_int_equal(digest_buf(ALG_SHA256, both, strlen(both), d), VT_OK);
	return quotes_has(&q, d);
}

static void
quote_is_known_by_the_digest_of_its_bytes(void **state)
{
	(void)state;
	assert_false(has("attestsig"));
	assert_int_equal(note(0, "attest", "sig"), 1);
	assert_true(has("attestsig"));
	assert_false(has("attestsi"));
	assert_false(has("attestsigauthorization area"));
}

static void
encrypted_response_is_not_remembered(void **state)
{
	(void)state;
	assert_int_equal(note(0x40, "attest", "sig"), 0); /* encrypt */
	assert_int_equal(note(0x61, "attest", "sig"), 0);
	assert_false(has("attestsig"));
	assert_int_equal(note(0x21, "attest", "sig"), 1); /* decrypt only */
}

static void
failed_or_malformed_quotes_are_not_remembered(void **state)
{
	uint8_t cmd[128], resp[256];
	size_t nc = command(cmd, sizeof(cmd), 0), n;
	size_t nr = response(resp, sizeof(resp), "attest", "sig");

	(void)state;
	/* the handle, then the authorization area, cut anywhere */
	for (n = TPM_HDR_LEN; n < TPM_HDR_LEN + 4 + 4 + 22; n++)
		assert_int_equal(note_bytes(cmd, n, resp, nr), VT_E_TRUNC);
	for (n = 0; n < nr - 18; n++)
		assert_int_not_equal(note_bytes(cmd, nc, resp, n), 1);
	be32_put(resp + 6, 0x922);
	assert_int_equal(note_bytes(cmd, nc, resp, nr), 0);
	assert_int_not_equal(note(0, "", "sig"), 1);
	assert_int_not_equal(note(0, "attest", ""), 1);
	assert_int_equal(q.n, 0);
}

static void
the_last_ones_are_kept_across_save_and_load(void **state)
{
	static uint8_t saved[QUOTES_MAX * QUOTE_LEN];
	struct quotes other;
	char a[16];
	size_t n;
	int i;

	(void)state;
	for (i = 0; i < QUOTES_MAX + 10; i++) {
		(void)snprintf(a, sizeof(a), "a%d", i);
		assert_int_equal(note(0, a, "s"), 1);
	}
	assert_int_equal(q.n, QUOTES_MAX);
	assert_false(has("a9s"));
	assert_true(has("a10s"));
	assert_true(has("a73s"));
	n = quotes_save(&q, saved);
	assert_int_equal(n, sizeof(saved));
	quotes_load(&other, saved, n);
	q = other;
	assert_true(has("a10s"));
	assert_int_equal(note(0, "new", "s"), 1); /* the oldest goes */
	assert_false(has("a10s"));
	assert_true(has("a11s"));
	assert_true(has("news"));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(quote_is_known_by_the_digest_of_its_bytes),
		T(encrypted_response_is_not_remembered),
		T(failed_or_malformed_quotes_are_not_remembered),
		T(the_last_ones_are_kept_across_save_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
