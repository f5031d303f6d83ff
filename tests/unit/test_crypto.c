/* SPDX-License-Identifier: BSD-3-Clause */
/* Published vectors: FIPS 180-4 examples, RFC 4231, RFC 5869, and test case
 * 16 of "The Galois/Counter Mode of Operation" (McGrew and Viega). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "base/util.h"

static void
hex_is(const uint8_t *p, size_t len, const char *want)
{
	char hex[512];

	assert_true(len < sizeof(hex) / 2);
	hex_encode(p, len, hex);
	assert_string_equal(hex, want);
}

static size_t
unhex(const char *text, uint8_t *out, size_t cap)
{
	size_t len;

	assert_int_equal(hex_decode(text, out, cap, &len), VT_OK);
	return len;
}

static void
digests_are_those_of_the_standard(void **state)
{
	static const struct {
		uint16_t alg;
		size_t len;
		const char *name, *abc;
	} cases[] = {
		{ ALG_SHA1, 20, "sha1",
		    "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ ALG_SHA256, 32, "sha256",
		    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f"
		    "20015ad" },
		{ ALG_SHA384, 48, "sha384",
		    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a4"
		    "3ff5bed8086072ba1e7cc2358baeca134c825a7" },
		{ ALG_SHA512, 64, "sha512",
		    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64"
		    "b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a"
		    "9ac94fa54ca49f" },
	};
	struct iov_part parts[3] = { { "a", 1 }, { "", 0 }, { "bc", 2 } };
	uint8_t out[DIGEST_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		assert_int_equal(digest_len(cases[i].alg), cases[i].len);
		assert_string_equal(digest_name(cases[i].alg), cases[i].name);
		assert_int_equal(digest_alg(cases[i].name), cases[i].alg);
		assert_int_equal(
		    digest_buf(cases[i].alg, "abc", 3, out), VT_OK);
		hex_is(out, cases[i].len, cases[i].abc);
		assert_int_equal(
		    digest_parts(cases[i].alg, parts, 3, out), VT_OK);
		hex_is(out, cases[i].len, cases[i].abc);
	}
	assert_int_equal(digest_len(0x12), 0);
	assert_null(digest_name(0x12));
	assert_int_equal(digest_alg("md5"), 0);
	assert_int_equal(digest_buf(0x12, "", 0, out), VT_E_UNSUPPORTED);
}

static void
a_digest_made_in_pieces_is_the_same(void **state)
{
	uint8_t buf[1000], want[DIGEST_MAX], got[DIGEST_MAX];
	struct digest_ctx *c, *other;
	size_t cut;

	(void)state;
	memset(buf, 0x5a, sizeof(buf));
	assert_int_equal(digest_buf(ALG_SHA384, buf, 1000, want), VT_OK);
	for (cut = 0; cut <= 1000; cut += 125) {
		assert_int_equal(digest_begin(ALG_SHA384, &c), VT_OK);
		assert_int_equal(digest_begin(ALG_SHA384, &other), VT_OK);
		assert_int_equal(digest_add(c, buf, cut), VT_OK);
		assert_int_equal(digest_add(other, "x", 1), VT_OK);
		assert_int_equal(digest_add(c, buf + cut, 1000 - cut), VT_OK);
		assert_int_equal(digest_end(c, got), VT_OK);
		assert_memory_equal(got, want, 48);
		digest_drop(other);
	}
	digest_drop(NULL);
	assert_int_equal(digest_begin(0x12, &c), VT_E_UNSUPPORTED);
}

/* The value of a PCR that saw one separator, as public logs have it. */
static void
extend_is_hash_of_old_and_digest(void **state)
{
	uint8_t pcr[32] = { 0 }, d[32];

	(void)state;
	assert_int_equal(digest_buf(ALG_SHA256, "\0\0\0\0", 4, d), VT_OK);
	assert_int_equal(digest_extend(ALG_SHA256, pcr, d), VT_OK);
	hex_is(pcr, 32,
	    "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969");
	assert_int_equal(digest_extend(0x12, pcr, d), VT_E_UNSUPPORTED);
}

/* RFC 4231, test cases 1, 2 and 6 (a key longer than a block). */
static void
hmac_is_that_of_the_rfc(void **state)
{
	uint8_t key[131], out[SHA256_LEN];
	struct iov_part parts[2] = { { "what do ya want ", 16 },
		{ "for nothing?", 12 } };
	struct iov_part hi = { "Hi There", 8 };
	struct iov_part large = {
		"Test Using Larger Than Block-Size Key - Hash Key First", 54
	};

	(void)state;
	memset(key, 0x0b, 20);
	assert_int_equal(hmac_sha256_parts(key, 20, &hi, 1, out), VT_OK);
	hex_is(out, 32,
	    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	assert_int_equal(
	    hmac_sha256_parts((const uint8_t *)"Jefe", 4, parts, 2, out),
	    VT_OK);
	hex_is(out, 32,
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, 131);
	assert_int_equal(hmac_sha256_parts(key, 131, &large, 1, out), VT_OK);
	hex_is(out, 32,
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 5869, test case 3: no salt, no info. */
static void
hkdf_is_that_of_the_rfc(void **state)
{
	uint8_t ikm[22], out[42], other[42];

	(void)state;
	memset(ikm, 0x0b, sizeof(ikm));
	assert_int_equal(
	    hkdf_sha256(ikm, sizeof(ikm), "", 0, out, sizeof(out)), VT_OK);
	hex_is(out, 42,
	    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
	    "9d201395faa4b61a96c8");
	assert_int_equal(
	    hkdf_sha256(ikm, sizeof(ikm), "x", 1, other, sizeof(other)), VT_OK);
	assert_memory_not_equal(out, other, sizeof(out));
}

static void
gcm_is_that_of_its_authors(void **state)
{
	uint8_t key[32], iv[12], ad[20], p[60], want[60], c[60], tag[16];
	uint8_t back[60];

	(void)state;
	unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f94673083"
	      "08",
	    key, 32);
	unhex("cafebabefacedbaddecaf888", iv, 12);
	unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2", ad, 20);
	unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a"
	      "721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	    p, 60);
	unhex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1"
	      "aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
	    want, 60);
	assert_int_equal(gcm_seal(key, iv, ad, 20, p, 60, c, tag), VT_OK);
	assert_memory_equal(c, want, 60);
	hex_is(tag, 16, "76fc6ece0f4e1768cddf8853bb2d551b");
	assert_int_equal(gcm_open(key, iv, ad, 20, c, 60, tag, back), VT_OK);
	assert_memory_equal(back, p, 60);
	/* In place, as the sealer does it. */
	assert_int_equal(gcm_open(key, iv, ad, 20, c, 60, tag, c), VT_OK);
	assert_memory_equal(c, p, 60);
}

/* Every single bit: of the tag, of the data, of what goes with them. */
static void
a_flipped_bit_does_not_open(void **state)
{
	uint8_t key[32] = { 1 }, iv[12] = { 2 }, ad[5] = "head";
	uint8_t p[7] = "secret", c[7], tag[16], back[7];
	uint8_t *parts[5] = { key, iv, ad, c, tag };
	size_t lens[5] = { 32, 12, 5, 7, 16 }, i, bit;

	(void)state;
	assert_int_equal(gcm_seal(key, iv, ad, 5, p, 7, c, tag), VT_OK);
	for (i = 0; i < 5; i++)
		for (bit = 0; bit < 8 * lens[i]; bit++) {
			parts[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
			memset(back, 0x77, sizeof(back));
			assert_int_equal(
			    gcm_open(key, iv, ad, 5, c, 7, tag, back),
			    VT_E_AUTH);
			assert_memory_equal(back, "\0\0\0\0\0\0\0", 7);
			parts[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	assert_int_equal(gcm_open(key, iv, ad, 5, c, 7, tag, back), VT_OK);
	assert_string_equal((char *)back, "secret");
	/* Nothing to seal is sealed too. */
	assert_int_equal(gcm_seal(key, iv, ad, 5, p, 0, c, tag), VT_OK);
	assert_int_equal(gcm_open(key, iv, ad, 5, c, 0, tag, back), VT_OK);
	tag[0] ^= 1;
	assert_int_equal(gcm_open(key, iv, ad, 5, c, 0, tag, back), VT_E_AUTH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_those_of_the_standard),
		cmocka_unit_test(a_digest_made_in_pieces_is_the_same),
		cmocka_unit_test(extend_is_hash_of_old_and_digest),
		cmocka_unit_test(hmac_is_that_of_the_rfc),
		cmocka_unit_test(hkdf_is_that_of_the_rfc),
		cmocka_unit_test(gcm_is_that_of_its_authors),
		cmocka_unit_test(a_flipped_bit_does_not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
