/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_seal_policy.c - policy digests and keys are those of the TPM.
 *
 * Vectors: tests/vectors/seal/make.sh, which has stock tpm2-tools compute them
 * on stock swtpm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/host/approval.h"
#include "tools/seal/seal_key.h"
#include "tools/seal/seal_policy.h"

static void
assert_hex(const uint8_t *p, size_t len, const char *want)
{
	char hex[2 * 66 + 1];

	hex_encode(p, len, hex);
	assert_string_equal(hex, want);
}

static void
zero_pcr_16(struct pcr_sel *sel, struct pcr_set *set)
{
	static const uint16_t alg = ALG_SHA256;
	uint8_t val[SHA256_LEN] = { 0 };

	assert_int_equal(pcr_sel_parse("sha256:16", sel), VT_OK);
	assert_int_equal(pcr_set_init(set, &alg, 1), VT_OK);
	assert_int_equal(pcr_put(set, alg, 16, val), VT_OK);
}

/* tpm2_policypcr, then tpm2_policynv ... ule over a counter made by us. */
static void
an_approved_state_is_what_the_tpm_says(void **state)
{
	uint8_t d[SHA256_LEN], other[SHA256_LEN];
	struct pcr_sel sel;
	struct pcr_set set;

	(void)state;
	zero_pcr_16(&sel, &set);
	assert_int_equal(
	    seal_policy_state(&sel, &set, 0x0180ec01, 2, d), VT_OK);
	assert_hex(d, sizeof(d),
	    "bed860ff40c5eeb8ef9e08f0a7bea61c"
	    "7d4be7509beeac01ca6f15c9bd30d8f9");
	assert_int_equal(
	    seal_policy_state(&sel, &set, 0x0180ec01, 3, other), VT_OK);
	assert_memory_not_equal(d, other, sizeof(d));
	assert_int_equal(
	    seal_policy_state(&sel, &set, 0x0180ec02, 2, other), VT_OK);
	assert_memory_not_equal(d, other, sizeof(d));
}

static void
the_passphrase_branch_is_what_the_tpm_says(void **state)
{
	uint8_t d[SHA256_LEN] = { 0 };

	(void)state;
	assert_int_equal(seal_policy_auth_value(d), VT_OK);
	assert_hex(d, sizeof(d),
	    "8fcd2169ab92694e0c633f1ab772842b"
	    "8241bbc20288981fc7ac1eddc1fddb0e");
}

/* The host's approvals use PolicyAuthorize, too, and open on real TPMs. */
static void
authorize_is_that_of_host_approvals(void **state)
{
	uint8_t point[APPROVAL_KEY_LEN], pub[128], want[SHA256_LEN];
	uint8_t d[SHA256_LEN] = { 0x55 }, *pem = NULL;
	struct tpm_name name;
	size_t len = 0, n = 0;

	(void)state;
	assert_int_equal(read_file("tests/vectors/seal/recovery.pub",
			     SEAL_PEM_MAX, &pem, &len),
	    VT_OK);
	assert_int_equal(approval_key_read(pem, len, point), VT_OK);
	assert_int_equal(
	    approval_key_public(point, pub, sizeof(pub), &n), VT_OK);
	assert_int_equal(tpm_name_of(ALG_SHA256, pub + 2, n - 2, &name), VT_OK);
	assert_int_equal(approval_auth_policy(point, 0, want), VT_OK);
	/* d is not zero: PolicyAuthorize forgets what was before */
	assert_int_equal(seal_policy_authorize(d, &name, APPROVAL_REF), VT_OK);
	assert_memory_equal(d, want, sizeof(d));
	free(pem);
}

static void
or_takes_two_to_eight(void **state)
{
	uint8_t b[SEAL_OR_MAX + 1][SHA256_LEN] = { { 1 }, { 2 } };
	const uint8_t(*in)[SHA256_LEN] = (const uint8_t(*)[SHA256_LEN])b;
	uint8_t d[SHA256_LEN] = { 9 }, was[SHA256_LEN] = { 9 };

	(void)state;
	assert_int_equal(seal_policy_or(d, in, 1), VT_E_RANGE);
	assert_int_equal(seal_policy_or(d, in, SEAL_OR_MAX + 1), VT_E_RANGE);
	assert_memory_equal(d, was, sizeof(d));
	assert_int_equal(seal_policy_or(d, in, 2), VT_OK);
	assert_memory_not_equal(d, was, sizeof(d));
}

/* --- keys -------------------------------------------------------------------
 */

static void
a_key_has_the_name_that_stock_tools_give_it(void **state)
{
	uint8_t *pem = NULL, *name = NULL;
	struct seal_key k, again;
	size_t len = 0, n = 0;

	(void)state;
	assert_int_equal(read_file("tests/vectors/seal/recovery.pub",
			     SEAL_PEM_MAX, &pem, &len),
	    VT_OK);
	assert_int_equal(
	    read_file("tests/vectors/seal/recovery.name", 100, &name, &n),
	    VT_OK);
	name[68] = '\0';
	assert_int_equal(seal_key_read(pem, len, &k), VT_OK);
	assert_hex(k.name.b, k.name.len, (char *)name);
	assert_int_equal(seal_key_get(k.pub, k.pub_len, &again), VT_OK);
	assert_true(tpm_name_equal(&again.name, &k.name));
	assert_memory_equal(again.print, k.print, sizeof(k.print));
	free(pem);
	free(name);
}

/* Every prefix of a public area is refused, and every bit of it counts. */
static void
public_areas_have_one_form(void **state)
{
	uint8_t *pem = NULL, *p;
	struct seal_key k, other;
	size_t len = 0, i;
	int rc;

	(void)state;
	assert_int_equal(read_file("tests/vectors/seal/recovery.pub",
			     SEAL_PEM_MAX, &pem, &len),
	    VT_OK);
	assert_int_equal(seal_key_read(pem, len, &k), VT_OK);
	for (i = 0; i < k.pub_len; i++) {
		p = malloc(i > 0 ? i : 1);
		assert_non_null(p);
		memcpy(p, k.pub, i);
		assert_int_not_equal(seal_key_get(p, i, &other), VT_OK);
		free(p);
	}
	for (i = 0; i < 8 * k.pub_len; i++) {
		k.pub[i / 8] ^= 1u << (i % 8);
		rc = seal_key_get(k.pub, k.pub_len, &other);
		k.pub[i / 8] ^= 1u << (i % 8);
		assert_true(
		    rc != VT_OK || !tpm_name_equal(&k.name, &other.name));
	}
	for (i = 0; i < len; i++) /* PEM, cut short */
		if (seal_key_read(pem, i, &other) == VT_OK)
			assert_true(tpm_name_equal(&k.name, &other.name));
	free(pem);
}

static void
signatures_verify_by_their_key_alone(void **state)
{
	static const char *const files[] = { "tests/vectors/seal/authority.pem",
		"tests/vectors/seal/recovery.pem" };
	uint8_t sig[2][SEAL_SIG_MAX], tpm[SEAL_SIG_MAX + 16], *pem[2];
	size_t len[2], n[2], tn = 0, i;
	struct seal_key k[2];

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(
		    read_file(files[i], SEAL_PEM_MAX, &pem[i], &len[i]), VT_OK);
		assert_int_equal(
		    seal_key_sign(pem[i], len[i], (const uint8_t *)"msg", 3,
			&k[i], sig[i], &n[i]),
		    VT_OK);
		assert_int_equal(seal_key_verify(&k[i], (const uint8_t *)"msg",
				     3, sig[i], n[i]),
		    VT_OK);
		assert_int_equal(seal_key_verify(&k[i], (const uint8_t *)"msh",
				     3, sig[i], n[i]),
		    VT_E_AUTH);
		assert_int_equal(seal_key_tpm_sig(&k[i], sig[i], n[i], tpm,
				     sizeof(tpm), &tn),
		    VT_OK);
		assert_int_equal(be16_get(tpm), i == 0 ? TA_RSASSA : TA_ECDSA);
		free(pem[i]);
	}
	assert_int_equal(
	    seal_key_verify(&k[0], (const uint8_t *)"msg", 3, sig[1], n[1]),
	    VT_E_AUTH);
	assert_int_equal(
	    seal_key_tpm_sig(&k[1], sig[0], n[0], tpm, sizeof(tpm), &tn),
	    VT_E_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_approved_state_is_what_the_tpm_says),
		cmocka_unit_test(the_passphrase_branch_is_what_the_tpm_says),
		cmocka_unit_test(authorize_is_that_of_host_approvals),
		cmocka_unit_test(or_takes_two_to_eight),
		cmocka_unit_test(a_key_has_the_name_that_stock_tools_give_it),
		cmocka_unit_test(public_areas_have_one_form),
		cmocka_unit_test(signatures_verify_by_their_key_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
