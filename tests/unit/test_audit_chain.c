/* SPDX-License-Identifier: BSD-3-Clause */
/* test_audit_chain.c - no record of the chain can be changed, moved or left
 * out. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "vtpm_manager/store/audit_chain.h"

#define N 8

static struct audit_chain chain;
static struct audit_rec recs[N];

static int
setup(void **state)
{
	int i;

	(void)state;
	memset(&chain, 0, sizeof(chain));
	for (i = 0; i < N; i++)
		assert_int_equal(audit_chain_append(&chain, 1000 + (uint64_t)i,
				     "uid 0 (admin)", i % 2 ? "start" : "stop",
				     "web", "ok", "", &recs[i]),
		    VT_OK);
	return 0;
}

/* Walk n records as a reader would; text holds the complaint. */
static int
walk(const struct audit_rec *v, size_t n, char *text)
{
	struct audit_chain at = { .cut = chain.cut, .seq = chain.cut };
	size_t i;
	int rc;

	text[0] = '\0';
	memcpy(at.head, chain.base, sizeof(at.head));
	for (i = 0; i < n; i++)
		if ((rc = audit_chain_follow(&at, &v[i], text)) != VT_OK)
			return rc;
	return audit_chain_ends(&at, &chain, text);
}

static void
an_untouched_chain_is_good(void **state)
{
	char text[TEXT_MAX_LEN + 1];

	(void)state;
	assert_int_equal(walk(recs, N, text), VT_OK);
	assert_int_equal(chain.seq, N);
	assert_string_equal(text, "");
}

static void
every_field_is_under_the_hash(void **state)
{
	char text[TEXT_MAX_LEN + 1];
	struct audit_rec bad[N];
	int f;

	(void)state;
	for (f = 0; f < 7; f++) {
		struct audit_rec *r = &bad[3];

		memcpy(bad, recs, sizeof(bad));
		switch (f) {
		case 0:
			r->wall_ms++;
			break;
		case 1:
			r->who[0] = 'U';
			break;
		case 2:
			r->action[0] ^= 1;
			break;
		case 3:
			r->object[2] = '\0';
			break;
		case 4:
			r->result[0] = 'x';
			break;
		case 5:
			strcpy(r->detail, "x");
			break;
		case 6:
			r->hash[31] ^= 1;
			break;
		}
		assert_int_equal(walk(bad, N, text), VT_E_CORRUPT);
		assert_non_null(strstr(text, "record 4"));
	}
}

/* Bytes moved from one text to the next are another record. */
static void
texts_do_not_run_into_each_other(void **state)
{
	struct audit_chain a = { 0 }, b = { 0 };
	struct audit_rec ra, rb;

	(void)state;
	assert_int_equal(
	    audit_chain_append(&a, 1, "ab", "c", "", "", "", &ra), VT_OK);
	assert_int_equal(
	    audit_chain_append(&b, 1, "a", "bc", "", "", "", &rb), VT_OK);
	assert_memory_not_equal(ra.hash, rb.hash, SHA256_LEN);
}

static void
a_missing_record_is_named(void **state)
{
	char text[TEXT_MAX_LEN + 1];
	struct audit_rec bad[N];

	(void)state;
	memcpy(bad, recs, sizeof(bad));
	memmove(&bad[2], &bad[3], (N - 3) * sizeof(bad[0]));
	assert_int_equal(walk(bad, N - 1, text), VT_E_CORRUPT);
	assert_non_null(strstr(text, "record 3 is missing"));
	assert_int_equal(walk(recs + 1, N - 1, text), VT_E_CORRUPT);
	assert_non_null(strstr(text, "record 1 is missing"));
}

static void
a_cut_end_is_seen(void **state)
{
	char text[TEXT_MAX_LEN + 1];
	size_t n;

	(void)state;
	for (n = 0; n < N; n++) {
		assert_int_equal(walk(recs, n, text), VT_E_CORRUPT);
		assert_non_null(strstr(text, "the last one written is 8"));
	}
}

static void
a_forged_end_is_seen(void **state)
{
	char text[TEXT_MAX_LEN + 1];
	struct audit_rec bad[N + 1];
	struct audit_chain c;

	(void)state;
	/* one more, well linked, that the head does not know */
	memcpy(bad, recs, sizeof(recs));
	c = chain;
	assert_int_equal(
	    audit_chain_append(&c, 9, "x", "y", "z", "ok", "", &bad[N]), VT_OK);
	assert_int_equal(walk(bad, N + 1, text), VT_E_CORRUPT);
	/* the last one made again */
	c.seq = N - 1;
	memcpy(c.head, bad[N - 2].hash, SHA256_LEN);
	assert_int_equal(
	    audit_chain_append(&c, 9, "x", "y", "z", "ok", "", &bad[N - 1]),
	    VT_OK);
	assert_int_equal(walk(bad, N, text), VT_E_CORRUPT);
}

static void
what_was_given_up_needs_no_records(void **state)
{
	char text[TEXT_MAX_LEN + 1];

	(void)state;
	chain.cut = 5;
	memcpy(chain.base, recs[4].hash, SHA256_LEN);
	assert_int_equal(walk(recs + 5, N - 5, text), VT_OK);
	assert_int_equal(walk(recs + 6, N - 6, text), VT_E_CORRUPT);
}

static void
texts_are_cut_and_cleaned(void **state)
{
	struct audit_chain c = { 0 };
	struct audit_rec r;
	char longtext[1000];

	(void)state;
	memset(longtext, 'x', sizeof(longtext) - 1);
	longtext[sizeof(longtext) - 1] = '\0';
	assert_int_equal(audit_chain_append(&c, 1, longtext, "a\x1b[2Jb\n",
			     NULL, "ok", longtext, &r),
	    VT_OK);
	assert_int_equal(strlen(r.who), sizeof(r.who) - 1);
	assert_int_equal(strlen(r.detail), TEXT_MAX_LEN);
	assert_string_equal(r.action, "a?[2Jb?");
	assert_string_equal(r.object, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_untouched_chain_is_good, setup),
		cmocka_unit_test_setup(every_field_is_under_the_hash, setup),
		cmocka_unit_test(texts_do_not_run_into_each_other),
		cmocka_unit_test_setup(a_missing_record_is_named, setup),
		cmocka_unit_test_setup(a_cut_end_is_seen, setup),
		cmocka_unit_test_setup(a_forged_end_is_seen, setup),
		cmocka_unit_test_setup(
		    what_was_given_up_needs_no_records, setup),
		cmocka_unit_test(texts_are_cut_and_cleaned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
