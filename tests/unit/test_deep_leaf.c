/* SPDX-License-Identifier: BSD-3-Clause */
/* test_deep_leaf.c - leaf and answer as bytes, the tree and its paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "measure/evidence/deep_leaf.h"
#include "tests/unit/deeptree.h"

/* The tree of the certificate transparency projects' own tests. */
static const struct {
	const char *data, *root; /* of this leaf and those before it */
} ct[] = {
	{ "", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01"
	      "d" },
	{ "00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c1"
		"25" },
	{ "10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e"
		"77" },
	{ "2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd952096"
		  "14b7" },
	{ "3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a862"
		  "64d4" },
	{ "40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a12"
		      "7f2087ef" },
	{ "5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b7"
			      "7e122c9594a74c8c" },
	{ "606162636465666768696a6b6c6d6e6f",
	    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff460432"
	    "8" },
};

static void
ct_leaf(size_t i, uint8_t out[SHA256_LEN])
{
	uint8_t buf[33] = { 0 };
	size_t len = 0;

	assert_int_equal(hex_decode(ct[i].data, buf + 1, 32, &len), VT_OK);
	assert_int_equal(digest_buf(ALG_SHA256, buf, len + 1, out), VT_OK);
}

static void
roots_are_those_of_rfc_6962(void **state)
{
	uint8_t leaves[8][SHA256_LEN], got[SHA256_LEN];
	char hex[65];
	size_t i;

	(void)state;
	for (i = 0; i < 8; i++) {
		ct_leaf(i, leaves[i]);
		assert_int_equal(
		    deep_root((const void *)leaves, i + 1, got), VT_OK);
		hex_encode(got, sizeof(got), hex);
		assert_string_equal(hex, ct[i].root);
	}
	assert_int_equal(deep_root((const void *)leaves, 0, got), VT_E_RANGE);
}

static void
make_leaves(uint8_t (*leaves)[SHA256_LEN], size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		uint8_t b[3] = { 0, (uint8_t)(i >> 8), (uint8_t)i };

		assert_int_equal(
		    digest_buf(ALG_SHA256, b, sizeof(b), leaves[i]), VT_OK);
	}
}

/* Every leaf of every tree up to 70; and at no other place, in no other
 * tree, with no node more or less. */
static void
a_path_fits_its_own_leaf_place_and_tree_only(void **state)
{
	uint8_t leaves[70][SHA256_LEN], path[DEEP_PATH_MAX + 1][SHA256_LEN];
	uint8_t root[SHA256_LEN];
	size_t n, i, j, m;

	(void)state;
	make_leaves(leaves, 70);
	memset(path, 0, sizeof(path));
	for (n = 1; n <= 70; n++) {
		assert_int_equal(
		    deep_root((const void *)leaves, n, root), VT_OK);
		for (i = 0; i < n; i++) {
			assert_int_equal(
			    deep_path((const void *)leaves, n, i, path, &m),
			    VT_OK);
			assert_int_equal(deep_path_check(leaves[i], i, n,
					     (const void *)path, m, root),
			    VT_OK);
			for (j = 0; j < n; j++)
				if (j != i)
					assert_int_equal(
					    deep_path_check(leaves[i], j, n,
						(const void *)path, m, root),
					    VT_E_AUTH);
			if (m > 0)
				assert_int_equal(
				    deep_path_check(leaves[i], i, n,
					(const void *)path, m - 1, root),
				    VT_E_AUTH);
			assert_int_equal(deep_path_check(leaves[i], i, n,
					     (const void *)path, m + 1, root),
			    VT_E_AUTH);
			if (m > 0) {
				path[m - 1][31] ^= 1;
				assert_int_equal(
				    deep_path_check(leaves[i], i, n,
					(const void *)path, m, root),
				    VT_E_AUTH);
			}
		}
		assert_int_equal(
		    deep_path((const void *)leaves, n, n, path, &m),
		    VT_E_RANGE);
	}
}

/* An inner node given as a leaf of a smaller tree must not pass. */
static void
a_node_is_no_leaf(void **state)
{
	uint8_t leaves[4][SHA256_LEN], root[SHA256_LEN], pair[64];
	uint8_t as_leaf[SHA256_LEN], buf[65], path[1][SHA256_LEN];

	(void)state;
	make_leaves(leaves, 4);
	assert_int_equal(deep_root((const void *)leaves, 4, root), VT_OK);
	assert_int_equal(
	    deep_root((const void *)(leaves + 2), 2, path[0]), VT_OK);
	memcpy(pair, leaves[0], 32);
	memcpy(pair + 32, leaves[1], 32);
	/* Whoever could have this hashed as leaf data gets 00 before it. */
	buf[0] = 0;
	memcpy(buf + 1, pair, 64);
	assert_int_equal(
	    digest_buf(ALG_SHA256, buf, sizeof(buf), as_leaf), VT_OK);
	assert_int_equal(
	    deep_path_check(as_leaf, 0, 2, (const void *)path, 1, root),
	    VT_E_AUTH);
	buf[0] = 1; /* the node itself, as a control */
	assert_int_equal(
	    digest_buf(ALG_SHA256, buf, sizeof(buf), as_leaf), VT_OK);
	assert_int_equal(
	    deep_path_check(as_leaf, 0, 2, (const void *)path, 1, root), VT_OK);
	/* deep_leaf_hash() gives no way to it: data of 64 bytes is no leaf. */
	{
		struct deep_leaf l;

		assert_int_not_equal(deep_leaf_get(pair, 64, &l), VT_OK);
	}
}

static void
fill(struct deep_answer *a)
{
	struct deep_leaf *l = &a->leaf;

	memset(a, 0, sizeof(*a));
	memset(l->uuid, 0x11, sizeof(l->uuid));
	l->group = 7;
	memset(l->ek_name, 0x22, l->ek_name_len = 34);
	memset(l->ak_name, 0x33, l->ak_name_len = 34);
	memset(l->quote, 0x44, sizeof(l->quote));
	memset(l->nonce, 0x55, l->nonce_len = 20);
	memset(l->channel_key, 0x66, sizeof(l->channel_key));
	memset(l->launch, 0x77, sizeof(l->launch));
	memset(l->journal, 0x88, sizeof(l->journal));
	l->flags = DEEP_F_LAUNCHED | DEEP_F_RECOVERED;
	l->generation = UINT64_C(0x0102030405060708);
	l->version = 9;
	a->index = 5;
	a->count = 12;
	a->path_len = 4;
	memset(a->path, 0x99, 4 * SHA256_LEN);
	a->policy_sequence = 3;
	memset(a->attest, 0xaa, a->attest_len = 145);
	memset(a->sig, 0xbb, a->sig_len = 72);
	memset(a->ak_cert, 0xcc, a->ak_cert_len = 700);
}

static void
answers_survive_and_every_prefix_is_truncated(void **state)
{
	uint8_t buf[DEEP_ANSWER_MAX], *copy;
	struct deep_answer a, b;
	struct wr w;
	size_t i;

	(void)state;
	fill(&a);
	wr_init(&w, buf, sizeof(buf));
	deep_answer_put(&w, &a);
	assert_int_equal(wr_err(&w), VT_OK);
	memset(&b, 0, sizeof(b));
	assert_int_equal(deep_answer_get(buf, w.len, &b), VT_OK);
	assert_memory_equal(&a, &b, sizeof(a));
	for (i = 0; i < w.len; i++) {
		copy = malloc(i > 0 ? i : 1);
		assert_non_null(copy);
		memcpy(copy, buf, i);
		assert_int_equal(deep_answer_get(copy, i, &b), VT_E_TRUNC);
		free(copy);
	}
	buf[w.len] = 0;
	assert_int_equal(deep_answer_get(buf, w.len + 1, &b), VT_E_FORMAT);
}

static void
every_field_of_the_leaf_counts(void **state)
{
	uint8_t buf[512], one[SHA256_LEN], two[SHA256_LEN], *copy;
	struct deep_answer a;
	struct deep_leaf l;
	struct wr w;
	size_t i, parsed = 0;

	(void)state;
	fill(&a);
	wr_init(&w, buf, sizeof(buf));
	deep_leaf_put(&w, &a.leaf);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_memory_equal(buf, DEEP_LEAF_LABEL, 15);
	assert_int_equal(deep_leaf_hash(&a.leaf, one), VT_OK);
	for (i = 0; i < w.len; i++) {
		buf[i] ^= 1;
		if (deep_leaf_get(buf, w.len, &l) == VT_OK) {
			assert_int_equal(deep_leaf_hash(&l, two), VT_OK);
			assert_memory_not_equal(one, two, sizeof(one));
			parsed++;
		}
		buf[i] ^= 1;
	}
	assert_true(parsed > 250);
	for (i = 0; i < w.len; i++) {
		copy = malloc(i > 0 ? i : 1);
		assert_non_null(copy);
		memcpy(copy, buf, i);
		assert_int_equal(deep_leaf_get(copy, i, &l), VT_E_TRUNC);
		free(copy);
	}
}

static void
largest_tree_fits_into_an_answer(void **state)
{
	uint8_t buf[DEEP_ANSWER_MAX + 200];
	struct deep_answer a;
	struct wr w;

	(void)state;
	fill(&a);
	a.leaf.ek_name_len = a.leaf.ak_name_len = DEEP_NAME_MAX;
	a.leaf.nonce_len = DEEP_NONCE_MAX;
	a.count = UINT64_C(1) << 20;
	a.index = a.count - 1;
	a.path_len = 20;
	a.attest_len = 250;
	a.sig_len = 6 + 384;
	a.ak_cert_len = DEEP_CERT_MAX;
	wr_init(&w, buf, sizeof(buf));
	deep_answer_put(&w, &a);
	assert_int_equal(wr_err(&w), VT_OK);
	assert_true(w.len <= DEEP_ANSWER_MAX);
	a.attest_len = a.sig_len = 512; /* all at their most: too much */
	wr_init(&w, buf, sizeof(buf));
	deep_answer_put(&w, &a);
	assert_int_equal(wr_err(&w), VT_E_RANGE);
}

static void
bad_answers_are_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char *what;
		size_t off;
		uint8_t val;
		int want;
	} cases[] = {
		{ "magic",		0,	'X',	VT_E_FORMAT },
		{ "version",		5,	2,	VT_E_UNSUPPORTED },
		{ "leaf label",		8,	'X',	VT_E_FORMAT },
		{ "leaf version",	24,	9,	VT_E_UNSUPPORTED },
		{ "unknown flag",	267,	1,	VT_E_RANGE },
	};
	/* clang-format on */
	uint8_t buf[DEEP_ANSWER_MAX];
	struct deep_answer a, b;
	struct wr w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fill(&a);
		wr_init(&w, buf, sizeof(buf));
		deep_answer_put(&w, &a);
		assert_int_equal(wr_err(&w), VT_OK);
		buf[cases[i].off] = cases[i].val;
		assert_int_equal(
		    deep_answer_get(buf, w.len, &b), cases[i].want);
	}
	a.index = a.count; /* the writer does not make it either */
	wr_init(&w, buf, sizeof(buf));
	deep_answer_put(&w, &a);
	assert_int_equal(wr_err(&w), VT_E_RANGE);
}

static void
the_root_is_bound_to_the_sequence(void **state)
{
	uint8_t root[SHA256_LEN] = { 1 }, a[SHA256_LEN], b[SHA256_LEN];

	(void)state;
	assert_int_equal(deep_qualify(root, 1, a), VT_OK);
	assert_int_equal(deep_qualify(root, 2, b), VT_OK);
	assert_memory_not_equal(a, b, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_are_those_of_rfc_6962),
		cmocka_unit_test(a_path_fits_its_own_leaf_place_and_tree_only),
		cmocka_unit_test(a_node_is_no_leaf),
		cmocka_unit_test(answers_survive_and_every_prefix_is_truncated),
		cmocka_unit_test(every_field_of_the_leaf_counts),
		cmocka_unit_test(largest_tree_fits_into_an_answer),
		cmocka_unit_test(bad_answers_are_refused),
		cmocka_unit_test(the_root_is_bound_to_the_sequence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
