/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_seal_blob.c - the sealed blob: one form, and no misleading one; what
 * may not be sealed to.  Blobs of version 1 stay readable.
 *
 * Vector: tests/vectors/seal/direct.blob, made by vtpm-seal on stock swtpm
 * to the boot of tests/vectors (make.sh there), before there was a version 2;
 * authority.blob by the first vtpm-seal that wrote that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tools/seal/seal_blob.h"

static struct {
	uint8_t *p;
	size_t len;
} direct, bulk, auth;

static int
setup(void **state)
{
	(void)state;
	if (read_file("tests/vectors/seal/direct.blob", SB_FILE_MAX, &direct.p,
		&direct.len) != VT_OK ||
	    read_file("tests/vectors/seal/bulk.blob", SB_FILE_MAX, &bulk.p,
		&bulk.len) != VT_OK ||
	    read_file("tests/vectors/seal/authority.blob", SB_FILE_MAX, &auth.p,
		&auth.len) != VT_OK)
		return -1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(direct.p);
	free(bulk.p);
	free(auth.p);
	return 0;
}

static int
get(const uint8_t *p, size_t len, struct seal_blob *ret)
{
	static uint8_t *copy; /* lives until the next call: ret borrows it */

	free(copy);
	copy = malloc(len > 0 ? len : 1);
	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, p, len);
	if (p == NULL)
		return 0;
	return seal_blob_get(copy, len, ret);
}

static void
done(void)
{
	(void)get(NULL, 0, NULL);
}

/* What tpm2_policypcr said of a zero PCR 16 (tests/vectors/seal/make.sh). */
static void
policy_digest_is_that_of_the_tpm(void **state)
{
	static const uint16_t alg = ALG_SHA256;
	static const char want[] =
	    "bff2d58e9813f97cefc14f72ad8133bc7092d652b7c877959254af140c841f36";
	uint8_t val[SHA256_LEN] = { 0 }, got[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];
	struct pcr_sel sel;
	struct pcr_set set;

	(void)state;
	assert_int_equal(pcr_sel_parse("sha256:16", &sel), VT_OK);
	assert_int_equal(pcr_set_init(&set, &alg, 1), VT_OK);
	assert_int_equal(seal_policy_digest(&sel, &set, got), VT_E_NOTFOUND);
	assert_int_equal(pcr_put(&set, alg, 16, val), VT_OK);
	assert_int_equal(seal_policy_digest(&sel, &set, got), VT_OK);
	hex_encode(got, sizeof(got), hex);
	assert_string_equal(hex, want);
}

static void
blobs_of_a_real_tpm_are_read(void **state)
{
	struct seal_blob b;
	struct wr w;

	(void)state;
	assert_int_equal(get(direct.p, direct.len, &b), VT_OK);
	assert_int_equal(b.flags, 0);
	assert_int_equal(b.srk_handle, 0);
	assert_int_equal(b.srk_name.len, 34);
	assert_int_equal(b.sel.n, 1);
	assert_int_equal(b.sel.banks[0].mask, 0x395);
	/* ... and written the same. */
	wr_grow(&w, SB_FILE_MAX);
	seal_blob_head(&w, &b);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(w.len, direct.len);
	assert_memory_equal(w.buf, direct.p, w.len);
	wr_free(&w);

	assert_int_equal(get(bulk.p, bulk.len, &b), VT_OK);
	assert_int_equal(b.flags, SB_BULK);
	assert_int_equal(b.bulk_len, 300);
	assert_int_equal(
	    b.ad_len + GCM_IV_LEN + 4 + 300 + GCM_TAG_LEN, bulk.len);
	done();
}

static void
a_blob_with_an_authority_is_read(void **state)
{
	struct seal_blob b;
	struct wr w;

	(void)state;
	assert_int_equal(get(auth.p, auth.len, &b), VT_OK);
	assert_int_equal(be16_get(auth.p + 4), 2);
	assert_int_equal(
	    b.flags, SB_AUTHORITY | SB_PASSPHRASE | SB_RECOVERY_KEY);
	assert_int_equal(b.authority.type, TA_RSA);
	assert_int_equal(b.recovery.type, TA_ECC);
	assert_string_equal(b.ref, "6ba7b810-9dad-41d1-80b4-00c04fd430c8:root");
	assert_int_equal(b.epoch_index, 0x0180ec01);
	assert_int_equal(seal_blob_attrs(&b),
	    TO_FIXED_TPM | TO_FIXED_PARENT | TO_ADMIN_POLICY);
	wr_grow(&w, SB_FILE_MAX);
	seal_blob_head(&w, &b);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_int_equal(w.len, auth.len);
	assert_memory_equal(w.buf, auth.p, w.len);
	wr_free(&w);
	done();
}

/* Version 1 says what version 2 must not, and the other way round. */
static void
each_thing_has_one_version(void **state)
{
	uint8_t *p = malloc(auth.len);
	struct seal_blob b;

	(void)state;
	assert_non_null(p);
	memcpy(p, auth.p, auth.len);
	p[5] = 1;
	assert_int_equal(get(p, auth.len, &b), VT_E_UNSUPPORTED);
	p[5] = 3;
	assert_int_equal(get(p, auth.len, &b), VT_E_UNSUPPORTED);
	p[5] = 2;
	p[7] |= 16;
	assert_int_equal(get(p, auth.len, &b), VT_E_UNSUPPORTED);
	free(p);
	done();
}

/* Which key, which ref, which recovery: the object's policy says the same. */
static void
what_it_is_sealed_to_cannot_be_changed(void **state)
{
	static const uint16_t flags[] = { SB_BULK, SB_AUTHORITY, SB_PASSPHRASE,
		SB_RECOVERY_KEY };
	uint8_t *p = malloc(auth.len);
	struct seal_blob b, good;
	size_t i, to, ref;

	(void)state;
	assert_non_null(p);
	assert_int_equal(get(auth.p, auth.len, &good), VT_OK);
	memcpy(p, auth.p, auth.len);
	for (i = 0; i < VT_NELEM(flags); i++) {
		p[7] ^= flags[i];
		assert_int_not_equal(get(p, auth.len, &b), VT_OK);
		p[7] ^= flags[i];
	}
	/* the authority's key and the ref, up to the epoch's index */
	ref = 14 + 34 + 2 + good.authority.pub_len;
	for (i = 14 + 34; i < ref + 2 + strlen(good.ref); i++) {
		p[i] ^= 1u << (i % 8);
		assert_int_not_equal(get(p, auth.len, &b), VT_OK);
		p[i] ^= 1u << (i % 8);
	}
	/* the recovery key, and the public area up to its policy's end */
	i = ref + 2 + strlen(good.ref) + 4 + SB_SALT_LEN + 1;
	to = i + 2 + good.recovery.pub_len + 2 + 10 + 32;
	for (; i < to; i++) {
		p[i] ^= 1u << (i % 8);
		assert_int_not_equal(get(p, auth.len, &b), VT_OK);
		p[i] ^= 1u << (i % 8);
	}
	free(p);
	done();
}

static void
refs_are_a_uuid_and_a_role(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*ref;
		int		 want;
	} cases[] = {
		{ "6ba7b810-9dad-41d1-80b4-00c04fd430c8:root",	VT_OK },
		{ "6ba7b810-9dad-41d1-80b4-00c04fd430c8:A.b_c-9", VT_OK },
		{ "6ba7b810-9dad-41d1-80b4-00c04fd430c8:"
		  "123456789012345678901234567",	VT_OK },
		{ "6ba7b810-9dad-41d1-80b4-00c04fd430c8:"
		  "1234567890123456789012345678",	VT_E_FORMAT },
		{ "6ba7b810-9dad-41d1-80b4-00c04fd430c8:",	VT_E_FORMAT },
		{ "6ba7b810-9dad-41d1-80b4-00c04fd430c8",	VT_E_FORMAT },
		{ "6BA7b810-9dad-41d1-80b4-00c04fd430c8:root",	VT_E_FORMAT },
		{ "6ba7b810-9dad-41d1-80b4-00c04fd430c8:a b",	VT_E_FORMAT },
		{ "6ba7b810-9dad-41d1-80b4-00c04fd430c8:a:b",	VT_E_FORMAT },
		{ "6ba7b810-9dad-41d1-80b4-00c04fd430cg:root",	VT_E_FORMAT },
		{ "VTPM host state",				VT_E_FORMAT },
		{ "",						VT_E_FORMAT },
	};
	/* clang-format on */
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++)
		assert_int_equal(seal_ref_check(cases[i].ref), cases[i].want);
}

/* scrypt's cost is bounded, and the value never ends in a zero byte. */
static void
passphrases_are_stretched(void **state)
{
	uint8_t one[SHA256_LEN], two[SHA256_LEN];
	struct seal_blob b;

	(void)state;
	assert_int_equal(get(auth.p, auth.len, &b), VT_OK);
	assert_in_range(b.cost, SB_COST_MIN, SB_COST_MAX);
	assert_int_equal(seal_stretch(&b, "words", 5, one), VT_OK);
	assert_int_equal(one[SHA256_LEN - 1] & 1, 1);
	b.salt[0] ^= 1;
	assert_int_equal(seal_stretch(&b, "words", 5, two), VT_OK);
	assert_memory_not_equal(one, two, sizeof(one));
	done();
}

static void
every_proper_prefix_is_truncated(void **state)
{
	struct seal_blob b;
	size_t n;

	(void)state;
	for (n = 0; n < direct.len; n++)
		assert_int_equal(get(direct.p, n, &b), VT_E_TRUNC);
	for (n = 0; n < bulk.len; n++)
		assert_int_equal(get(bulk.p, n, &b), VT_E_TRUNC);
	for (n = 0; n < auth.len; n++)
		assert_int_equal(get(auth.p, n, &b), VT_E_TRUNC);
	done();
}

static void
trailing_bytes_are_refused(void **state)
{
	uint8_t *p = calloc(1, direct.len + 1);
	struct seal_blob b;

	(void)state;
	assert_non_null(p);
	memcpy(p, direct.p, direct.len);
	assert_int_equal(get(p, direct.len + 1, &b), VT_E_FORMAT);
	free(p);
	done();
}

static void
changed_fields_are_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char	*what;
		size_t		 off;
		uint8_t		 val;
		int		 want;
	} cases[] = {
		{ "magic",		0, 'X',	VT_E_FORMAT },
		{ "version",		5, 2,	VT_E_UNSUPPORTED },
		{ "unknown flag",	7, 2,	VT_E_UNSUPPORTED },
		{ "name's algorithm",	15, 4,	VT_E_FORMAT },
		{ "bank",		53, 4,	VT_E_CORRUPT },
		{ "a PCR more",		55, 0x97, VT_E_CORRUPT },
		{ "a PCR value",	60, 0,	VT_E_CORRUPT },
	};
	/* clang-format on */
	uint8_t *p = malloc(direct.len);
	struct seal_blob b;
	size_t i;

	(void)state;
	assert_non_null(p);
	for (i = 0; i < VT_NELEM(cases); i++) {
		int rc;

		memcpy(p, direct.p, direct.len);
		assert_int_not_equal(p[cases[i].off], cases[i].val);
		p[cases[i].off] = cases[i].val;
		print_message("  %s\n", cases[i].what);
		rc = get(p, direct.len, &b);
		if (cases[i].want == VT_E_CORRUPT) /* sizes shift: any error */
			assert_true(rc != VT_OK);
		else
			assert_int_equal(rc, cases[i].want);
	}
	free(p);
	done();
}

/* Not one bit before the TPM's private part can change unnoticed. */
static void
every_bit_up_to_the_policy_counts(void **state)
{
	uint8_t *p = malloc(direct.len);
	struct seal_blob b, good;
	size_t i, from, to;

	(void)state;
	assert_non_null(p);
	assert_int_equal(get(direct.p, direct.len, &good), VT_OK);
	memcpy(p, direct.p, direct.len);
	/* selection and values, public area up to its policy's end */
	from = 14 + 34;
	to = direct.len - good.priv_len - 2 - good.pub_len + 2 + 2 + 4 + 2 + 32;
	for (i = from; i < to; i++) {
		p[i] ^= 1u << (i % 8);
		assert_int_not_equal(get(p, direct.len, &b), VT_OK);
		p[i] ^= 1u << (i % 8);
	}
	free(p);
	done();
}

/* An object that its owner's password opens too is not sealed to PCRs. */
static void
object_with_another_way_in_is_refused(void **state)
{
	uint8_t *p = malloc(direct.len);
	struct seal_blob b, good;
	size_t attrs;

	(void)state;
	assert_non_null(p);
	assert_int_equal(get(direct.p, direct.len, &good), VT_OK);
	attrs = direct.len - good.priv_len - 2 - good.pub_len + 4;
	memcpy(p, direct.p, direct.len);
	assert_int_equal(be32_get(p + attrs),
	    TO_FIXED_TPM | TO_FIXED_PARENT | TO_ADMIN_POLICY | TO_NO_DA);
	be32_put(p + attrs, be32_get(p + attrs) | TO_USER_WITH_AUTH);
	assert_int_equal(get(p, direct.len, &b), VT_E_CORRUPT);
	be32_put(p + attrs, TO_ADMIN_POLICY | TO_NO_DA);
	assert_int_equal(get(p, direct.len, &b), VT_E_CORRUPT);
	free(p);
	done();
}

/* DESIGN 7: each refusal says what to do. */
static void
unsafe_selections_are_refused_in_words(void **state)
{
	static const uint16_t alg = ALG_SHA256;
	uint8_t zero[SHA256_LEN] = { 0 }, ones[SHA256_LEN], good[SHA256_LEN];
	struct pcr_sel sel = { 0 };
	struct pcr_set set;
	char why[512];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	memset(good, 0x42, sizeof(good));
	assert_int_equal(seal_check_sel(&sel, why, sizeof(why)), VT_E_POLICY);
	assert_non_null(strstr(why, "no PCR is selected"));
	assert_int_equal(pcr_sel_parse("sha1:0", &sel), VT_OK);
	assert_int_equal(seal_check_sel(&sel, why, sizeof(why)), VT_E_POLICY);
	assert_non_null(strstr(why, "SHA-1"));
	assert_int_equal(pcr_sel_parse("sha256:0+sha1:7", &sel), VT_OK);
	assert_int_equal(seal_check_sel(&sel, why, sizeof(why)), VT_E_POLICY);
	assert_int_equal(pcr_sel_parse("sha256:0", &sel), VT_OK);
	sel.banks[1].alg = ALG_SHA384; /* a bank with no PCR */
	sel.n = 2;
	assert_int_equal(seal_check_sel(&sel, why, sizeof(why)), VT_E_POLICY);

	assert_int_equal(pcr_sel_parse("sha256:4,17", &sel), VT_OK);
	assert_int_equal(pcr_set_init(&set, &alg, 1), VT_OK);
	assert_int_equal(pcr_put(&set, alg, 4, good), VT_OK);
	assert_int_equal(
	    seal_check_pcrs(&sel, &set, why, sizeof(why)), VT_E_POLICY);
	assert_int_equal(pcr_put(&set, alg, 17, ones), VT_OK);
	assert_int_equal(
	    seal_check_pcrs(&sel, &set, why, sizeof(why)), VT_E_POLICY);
	assert_non_null(strstr(why, "PCR 17 is all FF"));
	assert_int_equal(pcr_put(&set, alg, 17, good), VT_OK);
	assert_int_equal(pcr_put(&set, alg, 4, zero), VT_OK);
	assert_int_equal(
	    seal_check_pcrs(&sel, &set, why, sizeof(why)), VT_E_POLICY);
	assert_non_null(strstr(why, "PCR 4 is all 00"));
	zero[31] = 3; /* only the locality in it: something was started */
	assert_int_equal(pcr_put(&set, alg, 4, zero), VT_OK);
	assert_int_equal(seal_check_pcrs(&sel, &set, why, sizeof(why)), VT_OK);
}

static void
differing_pcrs_are_named(void **state)
{
	struct seal_blob b;
	struct pcr_set now;
	char words[512], tiny[8];

	(void)state;
	assert_int_equal(get(direct.p, direct.len, &b), VT_OK);
	now = b.pcrs;
	assert_int_equal(
	    seal_differs(&b.sel, &b.pcrs, &now, words, sizeof(words)), 0);
	assert_string_equal(words, "");
	now.banks[0].val[8][5] ^= 1;
	assert_int_equal(
	    seal_differs(&b.sel, &b.pcrs, &now, words, sizeof(words)), 1);
	assert_non_null(strstr(words, "sha256 PCR 8 (boot loader commands"));
	now.banks[0].valid &= ~(1u << 4);
	assert_int_equal(
	    seal_differs(&b.sel, &b.pcrs, &now, words, sizeof(words)), 2);
	assert_non_null(strstr(words, "PCR 4 "));
	assert_int_equal(
	    seal_differs(&b.sel, &b.pcrs, &now, tiny, sizeof(tiny)), 2);
	assert_true(strlen(tiny) < sizeof(tiny));
	now.banks[0].val[1][0] ^= 1; /* not selected */
	assert_int_equal(
	    seal_differs(&b.sel, &b.pcrs, &now, words, sizeof(words)), 2);
	done();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_digest_is_that_of_the_tpm),
		cmocka_unit_test(blobs_of_a_real_tpm_are_read),
		cmocka_unit_test(a_blob_with_an_authority_is_read),
		cmocka_unit_test(each_thing_has_one_version),
		cmocka_unit_test(what_it_is_sealed_to_cannot_be_changed),
		cmocka_unit_test(refs_are_a_uuid_and_a_role),
		cmocka_unit_test(passphrases_are_stretched),
		cmocka_unit_test(every_proper_prefix_is_truncated),
		cmocka_unit_test(trailing_bytes_are_refused),
		cmocka_unit_test(changed_fields_are_refused),
		cmocka_unit_test(every_bit_up_to_the_policy_counts),
		cmocka_unit_test(object_with_another_way_in_is_refused),
		cmocka_unit_test(unsafe_selections_are_refused_in_words),
		cmocka_unit_test(differing_pcrs_are_named),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
