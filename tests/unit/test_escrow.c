/* SPDX-License-Identifier: BSD-3-Clause */
/* test_escrow.c - a key in shares, sealed to operators, and back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/util.h"
#include "measure/host/escrow.h"

static const uint8_t master[ESCROW_KEY_LEN] = { 1, 2, 3, 0, 255, 7 };

/* Worked out by another program, with FIPS 197's multiplication. */
static void
shares_are_the_polynomial(void **state)
{
	static const uint8_t coef[3][4] = { { 0x53, 0xca, 0x00, 0xff },
		{ 0x01, 0x02, 0x03, 0x04 }, { 0xf0, 0x0d, 0xbe, 0xef } };
	static const uint8_t want[5][4] = { { 0xa2, 0xc5, 0xbd, 0x14 },
		{ 0xbc, 0xfa, 0xc8, 0x66 }, { 0x4d, 0xf5, 0x75, 0x8d },
		{ 0xce, 0x12, 0x19, 0x9d }, { 0x3f, 0x1d, 0xa4, 0x76 } };
	uint8_t got[5][4];

	(void)state;
	assert_int_equal(shamir_split(&coef[0][0], 3, 5, 4, &got[0][0]), VT_OK);
	assert_memory_equal(got, want, sizeof(got));
}

static void
every_subset_of_m_gives_the_secret(void **state)
{
	unsigned int m, n, bits, i, k;
	uint8_t coef[6 * 8], rows[6 * 8], pick[6 * 8], xs[6], got[8];

	(void)state;
	assert_int_equal(random_bytes(coef, sizeof(coef)), VT_OK);
	for (n = 1; n <= 6; n++)
		for (m = 1; m <= n; m++) {
			assert_int_equal(
			    shamir_split(coef, m, n, 8, rows), VT_OK);
			for (bits = 0; bits < 1u << n; bits++) {
				for (i = k = 0; i < n; i++)
					if (bits >> i & 1) {
						xs[k] = (uint8_t)(i + 1);
						memcpy(pick + 8 * k++,
						    rows + 8 * i, 8);
					}
				if (k == 0)
					continue;
				assert_int_equal(
				    shamir_join(xs, pick, k, 8, got), VT_OK);
				if (k >= m)
					assert_memory_equal(got, coef, 8);
				else
					assert_memory_not_equal(got, coef, 8);
			}
		}
}

static void
wrong_counts_are_refused(void **state)
{
	uint8_t b[64] = { 0 }, out[64 * 17], xs[3] = { 1, 2, 1 };

	(void)state;
	assert_int_equal(shamir_split(b, 0, 1, 1, out), VT_E_RANGE);
	assert_int_equal(shamir_split(b, 3, 2, 1, out), VT_E_RANGE);
	assert_int_equal(shamir_split(b, 2, 17, 1, out), VT_E_RANGE);
	assert_int_equal(shamir_join(xs, b, 3, 1, out), VT_E_RANGE);
	xs[2] = 0;
	assert_int_equal(shamir_join(xs, b, 3, 1, out), VT_E_RANGE);
	assert_int_equal(shamir_join(xs, b, 0, 1, out), VT_E_RANGE);
}

/* --- escrow ---------------------------------------------------------------
 */

static void
make(unsigned int m, unsigned int n, struct escrow_share *s)
{
	assert_int_equal(escrow_split(master, "node-7", 5, m, n, s), VT_OK);
}

static void
any_m_shares_bring_the_key_back(void **state)
{
	struct escrow_share s[5], pick[5];
	uint8_t got[ESCROW_KEY_LEN];
	char text[ESCROW_TEXT_MAX];
	unsigned int bits, i, k;

	(void)state;
	make(3, 5, s);
	for (bits = 1; bits < 32; bits++) {
		for (i = k = 0; i < 5; i++)
			if (bits >> i & 1)
				pick[k++] = s[i];
		memset(got, 0, sizeof(got));
		if (k < 3) {
			assert_int_equal(
			    escrow_join(pick, k, got, text), VT_E_RANGE);
			assert_non_null(strstr(text, "3 of the 5 shares"));
			continue;
		}
		assert_int_equal(escrow_join(pick, k, got, text), VT_OK);
		assert_memory_equal(got, master, sizeof(got));
	}
}

static void
a_changed_share_is_named(void **state)
{
	struct escrow_share s[4];
	uint8_t got[ESCROW_KEY_LEN];
	char text[ESCROW_TEXT_MAX];

	(void)state;
	make(2, 3, s);
	s[1].share[9] ^= 1;
	assert_int_equal(escrow_join(s, 3, got, text), VT_E_AUTH);
	assert_non_null(strstr(text, "share 2 is not"));
	make(2, 3, s);
	s[2] = s[0];
	assert_int_equal(escrow_join(s, 3, got, text), VT_E_POLICY);
	assert_non_null(strstr(text, "twice"));
	make(2, 3, s);
	make(2, 3, s + 1); /* of another set, made later */
	assert_int_equal(escrow_join(s, 2, got, text), VT_E_POLICY);
	assert_non_null(strstr(text, "not of one set"));
}

static size_t
encode(const struct escrow_share *s, uint8_t *buf, size_t cap)
{
	struct wr w;

	wr_init(&w, buf, cap);
	escrow_put(&w, s);
	assert_int_equal(wr_err(&w), VT_OK);
	return w.len;
}

static int
get_copy(const uint8_t *p, size_t len, struct escrow_share *ret)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int rc;

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, p, len);
	rc = escrow_get(copy, len, ret);
	free(copy);
	return rc;
}

static void
every_prefix_and_every_changed_byte_is_refused(void **state)
{
	uint8_t buf[ESCROW_SHARE_MAX];
	struct escrow_share s[16], got;
	size_t len, i;

	(void)state;
	make(16, 16, s);
	len = encode(&s[15], buf, sizeof(buf));
	assert_int_equal(get_copy(buf, len, &got), VT_OK);
	assert_memory_equal(&got, &s[15], sizeof(got));
	for (i = 0; i < len; i++)
		assert_int_equal(get_copy(buf, i, &got), VT_E_TRUNC);
	for (i = 0; i < len; i++) {
		buf[i] ^= 0x20;
		assert_int_not_equal(get_copy(buf, len, &got), VT_OK);
		buf[i] ^= 0x20;
	}
	buf[len] = 0;
	assert_int_equal(get_copy(buf, len + 1, &got), VT_E_FORMAT);
}

static void
wrong_thresholds_are_refused(void **state)
{
	struct escrow_share s[SHAMIR_MAX_SHARES + 1];
	char name[ESCROW_HOST_MAX + 2];

	(void)state;
	assert_int_equal(escrow_split(master, "h", 1, 1, 3, s), VT_E_RANGE);
	assert_int_equal(escrow_split(master, "h", 1, 4, 3, s), VT_E_RANGE);
	assert_int_equal(escrow_split(master, "h", 1, 2, 17, s), VT_E_RANGE);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(escrow_split(master, name, 1, 2, 3, s), VT_E_RANGE);
}

static char *
pem_of(EVP_PKEY *key, bool secret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p, *text;
	long n;

	assert_int_equal(secret ? PEM_write_bio_PrivateKey(
				      bio, key, NULL, NULL, 0, NULL, NULL)
				: PEM_write_bio_PUBKEY(bio, key),
	    1);
	n = BIO_get_mem_data(bio, &p);
	text = calloc(1, (size_t)n + 1);
	assert_non_null(text);
	memcpy(text, p, (size_t)n);
	BIO_free(bio);
	return text;
}

static void
an_operator_opens_his_own_share_only(void **state)
{
	EVP_PKEY *keys[3] = { EVP_RSA_gen(2048), EVP_EC_gen("P-256"),
		EVP_EC_gen("P-384") };
	struct escrow_share s[3], got;
	char *pub, *own, *other, *cms;
	unsigned int i;

	(void)state;
	make(2, 3, s);
	for (i = 0; i < 3; i++) {
		pub = pem_of(keys[i], false);
		own = pem_of(keys[i], true);
		other = pem_of(keys[(i + 1) % 3], true);
		assert_int_equal(
		    escrow_seal(&s[i], pub, strlen(pub), &cms), VT_OK);
		assert_non_null(strstr(cms, "BEGIN CMS"));
		assert_int_equal(
		    escrow_open(cms, strlen(cms), own, strlen(own), &got),
		    VT_OK);
		assert_memory_equal(&got, &s[i], sizeof(got));
		assert_int_equal(
		    escrow_open(cms, strlen(cms), other, strlen(other), &got),
		    VT_E_AUTH);
		/* Base64 near the end: the tag or the last block. */
		cms[strlen(cms) - 40] ^= 1;
		assert_int_not_equal(
		    escrow_open(cms, strlen(cms), own, strlen(own), &got),
		    VT_OK);
		free(cms);
		free(pub);
		free(own);
		free(other);
	}
	for (i = 0; i < 3; i++)
		EVP_PKEY_free(keys[i]);
}

static void
weak_and_other_keys_are_refused(void **state)
{
	EVP_PKEY *rsa = EVP_RSA_gen(1024),
		 *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct escrow_share s[2], got;
	char *pem, *cms = NULL;

	(void)state;
	make(2, 2, s);
	pem = pem_of(rsa, false);
	assert_int_equal(
	    escrow_seal(&s[0], pem, strlen(pem), &cms), VT_E_UNSUPPORTED);
	free(pem);
	pem = pem_of(ed, false);
	assert_int_equal(
	    escrow_seal(&s[0], pem, strlen(pem), &cms), VT_E_UNSUPPORTED);
	assert_int_equal(escrow_seal(&s[0], "x", 1, &cms), VT_E_FORMAT);
	assert_int_equal(
	    escrow_open("x", 1, pem, strlen(pem), &got), VT_E_FORMAT);
	assert_null(cms);
	free(pem);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_the_polynomial),
		cmocka_unit_test(every_subset_of_m_gives_the_secret),
		cmocka_unit_test(wrong_counts_are_refused),
		cmocka_unit_test(any_m_shares_bring_the_key_back),
		cmocka_unit_test(a_changed_share_is_named),
		cmocka_unit_test(
		    every_prefix_and_every_changed_byte_is_refused),
		cmocka_unit_test(wrong_thresholds_are_refused),
		cmocka_unit_test(an_operator_opens_his_own_share_only),
		cmocka_unit_test(weak_and_other_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
