/* SPDX-License-Identifier: BSD-3-Clause */
/* test_approval.c - approvals as bytes, what is signed, and what is refused.
 * That a TPM agrees is tests/integration/approval.sh's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/util.h"
#include "measure/host/approval.h"

static char pem[2][1024];
static uint8_t key[2][APPROVAL_KEY_LEN];

static void
make_pem(const char *curve, char out[1024], bool secret)
{
	EVP_PKEY *k = EVP_EC_gen(curve);
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	assert_non_null(k);
	if (secret)
		assert_int_equal(
		    PEM_write_bio_PrivateKey(bio, k, NULL, NULL, 0, NULL, NULL),
		    1);
	else
		assert_int_equal(PEM_write_bio_PUBKEY(bio, k), 1);
	n = BIO_read(bio, out, 1023);
	assert_true(n > 0);
	out[n] = '\0';
	BIO_free(bio);
	EVP_PKEY_free(k);
}

static int
setup(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		make_pem("P-256", pem[i], true);
		assert_int_equal(
		    approval_key_read(pem[i], strlen(pem[i]), key[i]), VT_OK);
	}
	return 0;
}

static void
fill(struct approval *a)
{
	static const uint16_t alg = ALG_SHA256;
	uint8_t val[SHA256_LEN];

	memset(a, 0, sizeof(*a));
	a->group = 3;
	(void)strcpy(a->label, "kernel 6.1.0-28");
	a->sequence = 41;
	a->epoch = 2;
	a->epoch_name[1] = ALG_SHA256;
	memset(a->epoch_name + 2, 0x17, 32);
	a->made_s = 1900000000;
	assert_int_equal(pcr_set_init(&a->pcrs, &alg, 1), VT_OK);
	memset(val, 0x44, sizeof(val));
	assert_int_equal(pcr_put(&a->pcrs, alg, 4, val), VT_OK);
	memset(val, 0x77, sizeof(val));
	assert_int_equal(pcr_put(&a->pcrs, alg, 7, val), VT_OK);
}

static void
approvals_survive_and_every_prefix_is_truncated(void **state)
{
	uint8_t buf[APPROVAL_MAX_LEN], *copy;
	struct approval a, b;
	struct wr w;
	size_t i;

	(void)state;
	fill(&a);
	assert_int_equal(approval_sign(&a, pem[0], strlen(pem[0])), VT_OK);
	wr_init(&w, buf, sizeof(buf));
	approval_put(&w, &a);
	assert_int_equal(wr_err(&w), VT_OK);
	memset(&b, 0, sizeof(b));
	assert_int_equal(approval_get(buf, w.len, &b), VT_OK);
	assert_string_equal(a.label, b.label);
	assert_int_equal(approval_verify(&b, key[0]), VT_OK);
	for (i = 0; i < w.len; i++) {
		copy = malloc(i > 0 ? i : 1);
		assert_non_null(copy);
		memcpy(copy, buf, i);
		assert_int_equal(approval_get(copy, i, &b), VT_E_TRUNC);
		free(copy);
	}
	buf[w.len] = 0;
	assert_int_equal(approval_get(buf, w.len + 1, &b), VT_E_FORMAT);
}

/* Flip each bit of an approval: what still parses is not signed. */
static void
every_byte_is_signed(void **state)
{
	uint8_t buf[APPROVAL_MAX_LEN];
	struct approval a, b;
	size_t i, parsed = 0;
	struct wr w;

	(void)state;
	fill(&a);
	assert_int_equal(approval_sign(&a, pem[0], strlen(pem[0])), VT_OK);
	wr_init(&w, buf, sizeof(buf));
	approval_put(&w, &a);
	assert_int_equal(wr_err(&w), VT_OK);
	for (i = 0; i < w.len; i++) {
		buf[i] ^= 1;
		if (approval_get(buf, w.len, &b) == VT_OK) {
			assert_int_not_equal(
			    approval_verify(&b, key[0]), VT_OK);
			parsed++;
		}
		buf[i] ^= 1;
	}
	assert_true(parsed > 200);
}

static void
another_key_or_no_signature_is_not_approved(void **state)
{
	struct approval a, b;

	(void)state;
	fill(&a);
	assert_int_equal(approval_verify(&a, key[0]), VT_E_AUTH);
	assert_int_equal(approval_sign(&a, pem[0], strlen(pem[0])), VT_OK);
	assert_int_equal(approval_verify(&a, key[1]), VT_E_AUTH);
	assert_int_equal(approval_verify(&a, key[0]), VT_OK);
	/* Either signature alone is not enough. */
	b = a;
	b.sig_len = 0;
	assert_int_equal(approval_verify(&b, key[0]), VT_E_AUTH);
	b = a;
	b.policy_sig_len = 0;
	assert_int_equal(approval_verify(&b, key[0]), VT_E_AUTH);
	/* Nor the one in the other's place. */
	memcpy(b.policy_sig, a.sig, sizeof(a.sig));
	b.policy_sig_len = a.sig_len;
	assert_int_equal(approval_verify(&b, key[0]), VT_E_AUTH);
}

static void
refused_states_are_refused_in_words(void **state)
{
	static const uint16_t sha1 = ALG_SHA1, sha256 = ALG_SHA256;
	uint8_t val[SHA256_LEN];
	struct approval a;
	char text[256];

	(void)state;
	fill(&a);
	assert_int_equal(approval_check(&a, text, sizeof(text)), VT_OK);
	memset(val, 0, sizeof(val));
	assert_int_equal(pcr_put(&a.pcrs, sha256, 9, val), VT_OK);
	assert_int_equal(approval_check(&a, text, sizeof(text)), VT_E_POLICY);
	assert_non_null(strstr(text, "PCR 9 (sha256) is all 00"));
	memset(val, 0xff, sizeof(val));
	assert_int_equal(pcr_put(&a.pcrs, sha256, 9, val), VT_OK);
	assert_int_equal(approval_check(&a, text, sizeof(text)), VT_E_POLICY);
	assert_non_null(strstr(text, "all FF"));
	fill(&a);
	a.pcrs.banks[0].valid = 0;
	assert_int_equal(approval_check(&a, text, sizeof(text)), VT_E_POLICY);
	assert_non_null(strstr(text, "no PCR"));
	assert_int_not_equal(approval_sign(&a, pem[0], strlen(pem[0])), VT_OK);
	assert_int_equal(pcr_set_init(&a.pcrs, &sha1, 1), VT_OK);
	memset(val, 0x55, sizeof(val));
	assert_int_equal(pcr_put(&a.pcrs, sha1, 4, val), VT_OK);
	assert_int_equal(approval_check(&a, text, sizeof(text)), VT_E_POLICY);
	assert_non_null(strstr(text, "SHA-1"));
}

static void
what_differs_is_said(void **state)
{
	struct approval a, b;
	uint8_t val[SHA256_LEN];
	char text[512];
	uint32_t i;
	size_t cap;

	(void)state;
	fill(&a);
	fill(&b);
	assert_int_equal(
	    approval_compare(&a, &b.pcrs, text, sizeof(text)), VT_OK);
	assert_string_equal(text, "");
	memset(val, 0xab, sizeof(val));
	assert_int_equal(pcr_put(&b.pcrs, ALG_SHA256, 7, val), VT_OK);
	b.pcrs.banks[0].valid &= ~(1u << 4);
	assert_int_equal(
	    approval_compare(&a, &b.pcrs, text, sizeof(text)), VT_E_POLICY);
	assert_string_equal(text,
	    "PCR 4 (sha256) is not known, approved 4444444444444444..; PCR 7 "
	    "(sha256) is abababababababab.., approved 7777777777777777..");
	assert_int_equal(approval_compare(&a, &b.pcrs, text, 10), VT_E_POLICY);
	assert_int_equal(strlen(text), 9);
	/* Each whole, or not at all. */
	for (i = 0; i < 8; i++) {
		memset(val, 0x11 * (int)i + 0x11, sizeof(val));
		assert_int_equal(pcr_put(&a.pcrs, ALG_SHA256, i, val), VT_OK);
		memset(val, 0xee, sizeof(val));
		assert_int_equal(pcr_put(&b.pcrs, ALG_SHA256, i, val), VT_OK);
	}
	for (cap = 100; cap < sizeof(text); cap++) {
		assert_int_equal(
		    approval_compare(&a, &b.pcrs, text, cap), VT_E_POLICY);
		assert_true(strlen(text) < cap);
		assert_string_equal(text + strlen(text) - 14, "..; and others");
	}
}

static void
policies_depend_on_group_epoch_and_values(void **state)
{
	uint8_t one[SHA256_LEN], two[SHA256_LEN];
	struct approval a;

	(void)state;
	fill(&a);
	assert_int_equal(approval_policy(&a, one), VT_OK);
	a.epoch++;
	assert_int_equal(approval_policy(&a, two), VT_OK);
	assert_memory_not_equal(one, two, sizeof(one));
	a.epoch--;
	a.epoch_name[33] ^= 1;
	assert_int_equal(approval_policy(&a, two), VT_OK);
	assert_memory_not_equal(one, two, sizeof(one));
	a.epoch_name[1] = 0; /* a counter without a Name */
	assert_int_equal(approval_policy(&a, two), VT_E_FORMAT);
	assert_int_equal(approval_auth_policy(key[0], 0, one), VT_OK);
	assert_int_equal(approval_auth_policy(key[0], 1, two), VT_OK);
	assert_memory_not_equal(one, two, sizeof(one));
}

static void
keys_are_p256_only(void **state)
{
	uint8_t point[APPROVAL_KEY_LEN];
	char other[1024];

	(void)state;
	make_pem("P-256", other, false);
	assert_int_equal(approval_key_read(other, strlen(other), point), VT_OK);
	make_pem("P-384", other, false);
	assert_int_equal(
	    approval_key_read(other, strlen(other), point), VT_E_UNSUPPORTED);
	assert_int_equal(approval_key_read("nonsense", 8, point), VT_E_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    approvals_survive_and_every_prefix_is_truncated),
		cmocka_unit_test(every_byte_is_signed),
		cmocka_unit_test(another_key_or_no_signature_is_not_approved),
		cmocka_unit_test(refused_states_are_refused_in_words),
		cmocka_unit_test(what_differs_is_said),
		cmocka_unit_test(policies_depend_on_group_epoch_and_values),
		cmocka_unit_test(keys_are_p256_only),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
