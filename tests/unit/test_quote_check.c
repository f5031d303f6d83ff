/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_quote_check.c - a quote of the host that is not what was asked for goes
 * to nobody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/fakequote.h"
#include "vtpm_manager/hwtpm/quote_check.h"

static struct fix {
	struct hwtpm h;
	struct fq f;
	uint8_t pub[300];
	struct wblob pub_blob;
	struct hw_quote req;
	struct hw_quoted q;
} x;

static int
setup(void **state)
{
	(void)state;
	memset(&x, 0, sizeof(x));
	fq_init(&x.f);
	fq_make(&x.f);
	be16_put(x.pub, (uint16_t)x.f.ak_pub_len);
	memcpy(x.pub + 2, x.f.ak_pub, x.f.ak_pub_len);
	x.pub_blob = (struct wblob){ x.pub, (uint32_t)x.f.ak_pub_len + 2 };
	assert_int_equal(x.f.sel.n, 1);
	assert_int_equal(x.f.extra_len, sizeof(x.req.extra));
	memcpy(x.req.extra, x.f.extra, sizeof(x.req.extra));
	x.req.bank = x.f.sel.banks[0].alg;
	x.req.pcrs = x.f.sel.banks[0].mask;
	x.q.attest = (struct wblob){ x.f.attest, (uint32_t)x.f.attest_len };
	x.q.signature = (struct wblob){ x.f.sig, (uint32_t)x.f.sig_len };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fq_done(&x.f);
	return 0;
}

static int
check(void)
{
	x.h.again = false;
	return hwquote_check(&x.h, &x.pub_blob, &x.req, &x.q);
}

static void
refused(const char *what)
{
	if (check() != VT_E_AUTH)
		fail_msg("%s is taken", what);
	assert_true(x.h.again); /* it is made again */
	assert_true(strlen(x.h.text) > 20);
}

/* TPM2_Quote leaves such a bank out without a word. */
static void
a_bank_that_the_tpm_has_not_is_told(void **state)
{
	(void)state;
	x.f.sel.banks[0].mask = 0;
	fq_make(&x.f);
	x.q.attest.len = (uint32_t)x.f.attest_len;
	x.q.signature.len = (uint32_t)x.f.sig_len;
	assert_int_equal(check(), VT_E_UNSUPPORTED);
	assert_false(x.h.again); /* it would be no better */
	assert_non_null(strstr(x.h.text, "no PCR bank sha256"));
}

static void
what_was_asked_for_is_taken(void **state)
{
	(void)state;
	assert_int_equal(check(), VT_OK);
	assert_false(x.h.again);
}

static void
every_bit_counts(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < x.f.attest_len; i++) {
		x.f.attest[i] ^= (uint8_t)(1u << i % 8);
		refused("a spoilt attest");
		x.f.attest[i] ^= (uint8_t)(1u << i % 8);
	}
	for (i = 0; i < x.f.sig_len; i++) {
		x.f.sig[i] ^= (uint8_t)(1u << i % 8);
		refused("a spoilt signature");
		x.f.sig[i] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(check(), VT_OK);
}

static void
another_quote_is_refused(void **state)
{
	(void)state;
	x.req.extra[31] ^= 1;
	refused("one for other data");
	x.req.extra[31] ^= 1;
	x.req.pcrs ^= 2;
	refused("one over other PCRs");
	x.req.pcrs ^= 2;
	x.req.bank = ALG_SHA384;
	refused("one of another bank");
	x.req.bank = ALG_SHA256;
	x.q.attest.len--;
	refused("a cut one");
	x.q.attest.len++;
	x.pub_blob.len--;
	refused("a cut key");
	x.pub_blob.len++;
	x.pub[x.pub_blob.len - 1] ^= 1;
	refused("another key's");
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_was_asked_for_is_taken),
		T(every_bit_counts),
		T(another_quote_is_refused),
		T(a_bank_that_the_tpm_has_not_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
