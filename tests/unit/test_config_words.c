/* SPDX-License-Identifier: BSD-3-Clause */
/* test_config_words.c - two machines' texts: a verdict names what differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "measure/appraise/appraise.h"
#include "measure/appraise/appraise_config.h"
#include "measure/appraise/appraise_report.h"
#include "measure/appraise/policy.h"
#include "measure/appraise/policy_gen.h"
#include "measure/log/launch_record.h"
#include "measure/tpm/pcr.h"
#include "tests/unit/boots.h"
#include "tests/unit/replay.h"

static void
differences_are_named(void **state)
{
	/* clang-format off */
	static const struct {
		const char *now, *want, *words;
	} cases[] = {
		{ "a=1\nb=2\n", "a=1\nb=2\n", "" },
		{ "", "", "" },
		{ "a=1\nb=3\n", "a=1\nb=2\n", "b is 3, not 2" },
		{ "a=1\nb=2\n", "a=1\n", "b is 2, not nothing" },
		{ "a=1\n", "a=1\nb=2\n", "b is nothing, not 2" },
		{ "a=1", "a=2", "a is 1, not 2" },
		{ "ab=1\n", "a=1\n", "ab is 1, not nothing; a is nothing, not 1" },
		{ "a=1\nb=1\nc=1\nd=1\ne=1\n", "a=2\nb=2\nc=2\nd=2\n",
		  "a is 1, not 2; b is 1, not 2; c is 1, not 2; and 2 more" },
		{ "a=\x1b[31m\x80\n", "a=\n", "a is ?[31m?, not " },
		{ "no line at all", "a=1\n", "a is nothing, not 1" },
		{ "\n\n=\n", "", " is , not nothing" },
	};
	/* clang-format on */
	char out[400];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		ap_config_words(cases[i].now, cases[i].want, out, sizeof(out));
		assert_string_equal(out, cases[i].words);
	}
}

static void
words_stay_within_their_room(void **state)
{
	char now[600], want[600], *out;
	size_t cap;

	(void)state;
	memset(now, 'x', sizeof(now));
	memset(want, 'y', sizeof(want));
	now[300] = want[300] = '=';
	now[599] = want[599] = '\0';
	for (cap = 1; cap < 400; cap += 7) {
		out = malloc(cap);
		assert_non_null(out);
		ap_config_words(now, want, out, cap);
		assert_true(strlen(out) < cap);
		free(out);
	}
}

/* --- in a verdict -----------------------------------------------------------
 */

/* text: the record's; digested: what the configuration digest is over. */
static struct boot
launched(const char *text, const char *digested)
{
	struct launch_record *rec;
	struct boot b = { 0 };
	struct wr w;

	assert_int_equal(launch_new(&rec), VT_OK);
	rec->mode = LAUNCH_M_DIRECT;
	assert_int_equal(digest_buf(ALG_SHA256, digested, strlen(digested),
			     rec->config_digest),
	    VT_OK);
	assert_int_equal(launch_measure(rec, LR_CONFIG, text, text,
			     strlen(text), &sha256, 1),
	    VT_OK);
	assert_int_equal(
	    launch_measure(rec, LR_KERNEL, "/k", "k", 1, &sha256, 1), VT_OK);
	assert_int_equal(
	    launch_measure(rec, LR_INITRD, "/i", "i", 1, &sha256, 1), VT_OK);
	assert_int_equal(
	    launch_measure(rec, LR_CMDLINE, "c", NULL, 0, &sha256, 1), VT_OK);
	wr_grow(&w, LAUNCH_MAX_LEN);
	launch_encode(rec, &w);
	b.record.p = exact_copy(w.buf, w.len);
	b.record.len = w.len;
	assert_int_equal(launch_make_log(b.record.p, b.record.len, &sha256, 1,
			     &b.host.p, &b.host.len),
	    VT_OK);
	assert_int_equal(pcr_set_init(&b.pcrs, &sha256, 1), VT_OK);
	assert_int_equal(el_replay(&b.pcrs, b.host.p, b.host.len), VT_OK);
	wr_free(&w);
	launch_free(rec);
	return b;
}

static struct policy *
policy_of_boot(const struct boot *b)
{
	struct policy_gen in = { .name = "test", .alg = ALG_SHA256 };
	char err[POLICY_ERR_MAX], *json;
	struct policy *p;

	in.logs[0].p = b->host.p;
	in.logs[0].len = b->host.len;
	in.pcrs = &b->pcrs;
	in.record = b->record.p;
	in.record_len = b->record.len;
	if (policy_generate(&in, &json, err) != VT_OK ||
	    policy_parse(json, strlen(json), &p, err) != VT_OK)
		fail_msg("%s", err);
	free(json);
	return p;
}

static bool
verdict_says(const struct policy *p, const struct boot *b, const char *words)
{
	struct ap_report *r = judge(p, b, HOST | RECORD);
	bool found = false;
	size_t i;

	assert_int_equal(r->verdict, AP_REFUSED);
	for (i = 0; i < r->n; i++) {
		print_message("  %s\n", r->findings[i].words);
		found |= strstr(r->findings[i].words, words) != NULL;
	}
	ap_report_free(r);
	return found;
}

static void
a_verdict_names_the_machine_that_differs(void **state)
{
	struct boot good = launched("m=1\nmem=200\n", "m=1\nmem=200\n");
	struct boot more = launched("m=1\nmem=204\n", "m=1\nmem=204\n");
	struct boot cut = launched("m=1\n...", "m=1\nmem=204\n");
	struct policy *p = policy_of_boot(&good), *q = policy_of_boot(&cut);

	(void)state;
	assert_string_equal(p->configs[0].what, "m=1\nmem=200\n");
	expect(p, &good, HOST | RECORD, AP_ACCEPTED, AP_C_OK);
	assert_true(verdict_says(
	    p, &more, "mem is 204, not 200 (a machine with other memory)"));
	/* A text that its digest does not cover is not repeated. */
	assert_string_equal(q->configs[0].what, "");
	assert_false(verdict_says(p, &cut, "mem is"));
	assert_false(verdict_says(q, &good, "mem is"));
	policy_free(p);
	policy_free(q);
	boot_done(&good);
	boot_done(&more);
	boot_done(&cut);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences_are_named),
		cmocka_unit_test(words_stay_within_their_room),
		cmocka_unit_test(a_verdict_names_the_machine_that_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
