/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tenant_config.c - what a tenant signs for its group. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/util.h"
#include "measure/host/tenant_config.h"
#include "vtpm_manager/tenant/tenant.h"

static char pem[2][1024];
static uint8_t key[2][APPROVAL_KEY_LEN];

static void
make_pem(const char *curve, char out[1024])
{
	EVP_PKEY *k = EVP_EC_gen(curve);
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	assert_non_null(k);
	assert_int_equal(
	    PEM_write_bio_PrivateKey(bio, k, NULL, NULL, 0, NULL, NULL), 1);
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
		make_pem("P-256", pem[i]);
		assert_int_equal(
		    approval_key_read(pem[i], strlen(pem[i]), key[i]), VT_OK);
	}
	return 0;
}

static void
fill(struct tenant_config *c)
{
	memset(c, 0, sizeof(*c));
	c->group = 7;
	c->sequence = 3;
	c->made_s = 1900000000;
	c->bank = ALG_SHA256;
	c->pcrs = 0x93;
	c->npolicies = 2;
	(void)strcpy(c->policies[0], "web-2026");
	(void)strcpy(c->policies[1], "db");
	c->nadmins = 2;
	(void)strcpy(c->admins[0], "alice");
	(void)strcpy(c->admins[1], "1007");
}

static size_t
encode(const struct tenant_config *c, uint8_t buf[TENANT_CONFIG_MAX])
{
	struct wr w;

	wr_init(&w, buf, TENANT_CONFIG_MAX);
	tenant_config_put(&w, c);
	assert_int_equal(wr_err(&w), VT_OK);
	return w.len;
}

static void
configurations_survive_and_every_prefix_is_truncated(void **state)
{
	uint8_t buf[TENANT_CONFIG_MAX], *copy;
	struct tenant_config a, b;
	size_t len, i;

	(void)state;
	fill(&a);
	assert_int_equal(tenant_config_sign(&a, pem[0], strlen(pem[0])), VT_OK);
	len = encode(&a, buf);
	memset(&b, 0, sizeof(b));
	assert_int_equal(tenant_config_get(buf, len, &b), VT_OK);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(tenant_config_verify(&b, key[0]), VT_OK);
	for (i = 0; i < len; i++) {
		copy = malloc(i > 0 ? i : 1);
		assert_non_null(copy);
		memcpy(copy, buf, i);
		assert_int_equal(tenant_config_get(copy, i, &b), VT_E_TRUNC);
		free(copy);
	}
	buf[len] = 0;
	assert_int_equal(tenant_config_get(buf, len + 1, &b), VT_E_FORMAT);
}

static void
every_bit_is_signed(void **state)
{
	uint8_t buf[TENANT_CONFIG_MAX];
	struct tenant_config a, b;
	size_t len, i, parsed = 0;
	int bit;

	(void)state;
	fill(&a);
	assert_int_equal(tenant_config_sign(&a, pem[0], strlen(pem[0])), VT_OK);
	len = encode(&a, buf);
	for (i = 0; i < len; i++)
		for (bit = 0; bit < 8; bit++) {
			buf[i] ^= (uint8_t)(1 << bit);
			if (tenant_config_get(buf, len, &b) == VT_OK) {
				assert_int_not_equal(
				    tenant_config_verify(&b, key[0]), VT_OK);
				parsed++;
			}
			buf[i] ^= (uint8_t)(1 << bit);
		}
	assert_true(parsed > 500);
}

static void
another_key_or_no_signature_counts_nothing(void **state)
{
	struct tenant_config a;
	char other[1024];

	(void)state;
	fill(&a);
	assert_int_equal(tenant_config_verify(&a, key[0]), VT_E_AUTH);
	assert_int_equal(tenant_config_sign(&a, pem[1], strlen(pem[1])), VT_OK);
	assert_int_equal(tenant_config_verify(&a, key[0]), VT_E_AUTH);
	assert_int_equal(tenant_config_verify(&a, key[1]), VT_OK);
	make_pem("P-384", other);
	assert_int_equal(
	    tenant_config_sign(&a, other, strlen(other)), VT_E_UNSUPPORTED);
	assert_int_equal(tenant_config_sign(&a, "x", 1), VT_E_FORMAT);
}

static void
break_group(struct tenant_config *c)
{
	c->group = 0;
}

static void
break_sequence(struct tenant_config *c)
{
	c->sequence = 0;
}

static void
break_bank(struct tenant_config *c)
{
	c->bank = ALG_SHA1;
}

static void
break_no_pcr(struct tenant_config *c)
{
	c->pcrs = 0;
}

static void
break_pcr24(struct tenant_config *c)
{
	c->pcrs = 1u << 24;
}

static void
break_blank(struct tenant_config *c)
{
	(void)strcpy(c->policies[1], "a b");
}

static void
break_empty_admin(struct tenant_config *c)
{
	c->admins[1][0] = '\0';
}

static void
break_twice(struct tenant_config *c)
{
	(void)strcpy(c->admins[1], c->admins[0]);
}

static void
what_nobody_may_sign_is_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char *words;
		void (*spoil)(struct tenant_config *c);
	} cases[] = {
		{ "host operator",	break_group },
		{ "begin with 1",	break_sequence },
		{ "SHA-1",		break_bank },
		{ "no PCR",		break_no_pcr },
		{ "no PCR",		break_pcr24 },
		{ "blank",		break_blank },
		{ "administrator",	break_empty_admin },
		{ "twice",		break_twice },
	};
	/* clang-format on */
	struct tenant_config c;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		fill(&c);
		assert_int_equal(
		    tenant_config_check(&c, text, sizeof(text)), VT_OK);
		cases[i].spoil(&c);
		assert_int_equal(
		    tenant_config_check(&c, text, sizeof(text)), VT_E_POLICY);
		assert_non_null(strstr(text, cases[i].words));
		assert_int_equal(
		    tenant_config_sign(&c, pem[0], strlen(pem[0])), VT_E_RANGE);
	}
}

static void
the_largest_configuration_fits(void **state)
{
	uint8_t buf[TENANT_CONFIG_MAX];
	struct tenant_config c, d;
	uint32_t i;
	size_t len;

	(void)state;
	fill(&c);
	c.npolicies = TENANT_POLICIES_MAX;
	c.nadmins = TENANT_ADMINS_MAX;
	for (i = 0; i < c.npolicies; i++)
		(void)snprintf(
		    c.policies[i], sizeof(c.policies[i]), "%063u", (unsigned)i);
	for (i = 0; i < c.nadmins; i++)
		(void)snprintf(
		    c.admins[i], sizeof(c.admins[i]), "%032u", (unsigned)i);
	assert_int_equal(tenant_config_sign(&c, pem[0], strlen(pem[0])), VT_OK);
	len = encode(&c, buf);
	assert_int_equal(tenant_config_get(buf, len, &d), VT_OK);
	assert_int_equal(tenant_config_verify(&d, key[0]), VT_OK);
}

static void
administrators_are_known_by_name_or_number(void **state)
{
	struct tenant_config c;

	(void)state;
	fill(&c);
	assert_true(tenant_config_admin(&c, 5, "alice"));
	assert_true(tenant_config_admin(&c, 1007, NULL));
	assert_true(tenant_config_admin(&c, 1007, "bob"));
	assert_false(tenant_config_admin(&c, 100, NULL));
	assert_false(tenant_config_admin(&c, 5, "alic"));
	assert_false(tenant_config_admin(&c, 5, NULL));
	c.nadmins = 0;
	assert_false(tenant_config_admin(&c, 1007, "alice"));
}

static void
launch_policies_are_those_listed_or_any(void **state)
{
	struct tenant_config c;

	(void)state;
	fill(&c);
	assert_true(tenant_config_policy(&c, "db"));
	assert_false(tenant_config_policy(&c, "d"));
	assert_false(tenant_config_policy(&c, ""));
	c.npolicies = 0;
	assert_true(tenant_config_policy(&c, ""));
}

static void
a_quote_is_bound_to_group_sequence_and_nonce(void **state)
{
	uint8_t nonce[TENANT_NONCE_MAX + 1] = { 1 }, d[5][SHA256_LEN];
	size_t i, k;

	(void)state;
	assert_int_equal(tenant_qualify(1, 2, nonce, 16, d[0]), VT_OK);
	assert_int_equal(tenant_qualify(2, 2, nonce, 16, d[1]), VT_OK);
	assert_int_equal(tenant_qualify(1, 3, nonce, 16, d[2]), VT_OK);
	assert_int_equal(tenant_qualify(1, 2, nonce, 17, d[3]), VT_OK);
	nonce[0] = 2;
	assert_int_equal(tenant_qualify(1, 2, nonce, 16, d[4]), VT_OK);
	for (i = 0; i < 5; i++)
		for (k = 0; k < i; k++)
			assert_memory_not_equal(d[i], d[k], SHA256_LEN);
	assert_int_equal(tenant_qualify(1, 2, nonce, 7, d[0]), VT_E_RANGE);
	assert_int_equal(tenant_qualify(1, 2, nonce, 65, d[0]), VT_E_RANGE);
}

static void
quotes_survive_and_every_prefix_is_truncated(void **state)
{
	uint8_t buf[TENANT_QUOTE_MAX], *copy;
	struct tenant_quote a, b;
	struct wr w;
	size_t i;

	(void)state;
	memset(&a, 0, sizeof(a));
	a.group = 7;
	a.sequence = 3;
	a.nonce_len = 16;
	a.attest_len = 140;
	a.sig_len = 72;
	a.ak_cert_len = 600;
	memset(a.attest, 0xaa, a.attest_len);
	wr_init(&w, buf, sizeof(buf));
	tenant_quote_put(&w, &a);
	assert_int_equal(wr_err(&w), VT_OK);
	memset(&b, 0, sizeof(b));
	assert_int_equal(tenant_quote_get(buf, w.len, &b), VT_OK);
	assert_memory_equal(&a, &b, sizeof(a));
	for (i = 0; i < w.len; i++) {
		copy = malloc(i > 0 ? i : 1);
		assert_non_null(copy);
		memcpy(copy, buf, i);
		assert_int_equal(tenant_quote_get(copy, i, &b), VT_E_TRUNC);
		free(copy);
	}
	buf[w.len] = 0;
	assert_int_equal(tenant_quote_get(buf, w.len + 1, &b), VT_E_FORMAT);
	buf[0] = 'X';
	assert_int_equal(tenant_quote_get(buf, w.len, &b), VT_E_FORMAT);
}

static void
fill_rec(struct tenant_rec *r)
{
	memset(r, 0, sizeof(*r));
	r->number = 7;
	(void)strcpy(r->name, "red");
	memcpy(r->key, key[0], sizeof(r->key));
	r->quota.vtpms = 3;
	r->quota.bytes = UINT64_C(1) << 40;
	r->quota.hw_ms = 60000;
	r->created_ms = 1;
	r->config_len = 100;
	r->ak_len = 300;
	r->ak_pub_len = 90;
	memset(r->ak, 0x55, r->ak_len);
}

static void
records_survive_and_every_prefix_is_truncated(void **state)
{
	static uint8_t buf[TENANT_REC_MAX];
	struct tenant_rec a, b;
	uint8_t *copy;
	struct wr w;
	size_t i;

	(void)state;
	fill_rec(&a);
	wr_init(&w, buf, sizeof(buf));
	tenant_rec_put(&w, &a);
	assert_int_equal(wr_err(&w), VT_OK);
	memset(&b, 0, sizeof(b));
	assert_int_equal(tenant_rec_get(buf, w.len, &b), VT_OK);
	assert_memory_equal(&a, &b, sizeof(a));
	for (i = 0; i < w.len; i++) {
		copy = malloc(i > 0 ? i : 1);
		assert_non_null(copy);
		memcpy(copy, buf, i);
		assert_int_equal(tenant_rec_get(copy, i, &b), VT_E_TRUNC);
		free(copy);
	}
	buf[w.len] = 0;
	assert_int_equal(tenant_rec_get(buf, w.len + 1, &b), VT_E_FORMAT);
	a.quota.hw_ms++;
	wr_init(&w, buf, sizeof(buf));
	tenant_rec_put(&w, &a);
	assert_int_equal(tenant_rec_get(buf, w.len, &b), VT_E_RANGE);
}

static void
the_list_is_ascending_and_below_the_next(void **state)
{
	/* clang-format off */
	static const struct {
		struct tenant_index x;
		int want;
	} cases[] = {
		{ { 1, 0, { 0 } },		VT_OK },
		{ { 8, 3, { 1, 2, 7 } },	VT_OK },
		{ { 8, 3, { 1, 7, 7 } },	VT_E_FORMAT },
		{ { 8, 3, { 2, 1, 7 } },	VT_E_FORMAT },
		{ { 7, 3, { 1, 2, 7 } },	VT_E_FORMAT },
		{ { 7, 1, { 0 } },		VT_E_FORMAT },
	};
	/* clang-format on */
	uint8_t buf[64];
	struct tenant_index x;
	struct wr w;
	size_t i, n;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		wr_init(&w, buf, sizeof(buf));
		tenant_index_put(&w, &cases[i].x);
		assert_int_equal(wr_err(&w), VT_OK);
		assert_int_equal(
		    tenant_index_get(buf, w.len, &x), cases[i].want);
		for (n = 0; cases[i].want == VT_OK && n < w.len; n++)
			assert_int_equal(
			    tenant_index_get(buf, n, &x), VT_E_TRUNC);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    configurations_survive_and_every_prefix_is_truncated),
		cmocka_unit_test(every_bit_is_signed),
		cmocka_unit_test(another_key_or_no_signature_counts_nothing),
		cmocka_unit_test(what_nobody_may_sign_is_refused),
		cmocka_unit_test(the_largest_configuration_fits),
		cmocka_unit_test(administrators_are_known_by_name_or_number),
		cmocka_unit_test(launch_policies_are_those_listed_or_any),
		cmocka_unit_test(a_quote_is_bound_to_group_sequence_and_nonce),
		cmocka_unit_test(quotes_survive_and_every_prefix_is_truncated),
		cmocka_unit_test(records_survive_and_every_prefix_is_truncated),
		cmocka_unit_test(the_list_is_ascending_and_below_the_next),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
