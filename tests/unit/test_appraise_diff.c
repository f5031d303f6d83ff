/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_appraise_diff.c - what a report and vtpm-measure diff say of a boot that
 * differs from its policy: which events, in which order, in which characters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/crypto.h"
#include "base/util.h"
#include "measure/appraise/policy_diff.h"
#include "measure/log/align.h"
#include "tests/unit/boots.h"

static const uint16_t algs[] = { ALG_SHA256, ALG_SHA384 };

/* A boot of such events: "4a8b" extends PCR 4 by H("a"), PCR 8 by H("b"). */
static struct boot
boot_of(const char *s)
{
	struct boot b = { 0 };
	struct el_writer *w;
	const uint8_t *p;

	assert_int_equal(el_writer_new(algs, 2, false, &w), VT_OK);
	for (; *s != '\0'; s += 2)
		el_add(w, (uint32_t)(s[0] - '0'), EV_IPL, s + 1, 1, s + 1, 1);
	assert_int_equal(el_writer_bytes(w, &p, &b.log.len), VT_OK);
	b.log.p = exact_copy(p, b.log.len);
	el_writer_free(w);
	assert_int_equal(pcr_set_init(&b.pcrs, algs, 2), VT_OK);
	assert_int_equal(el_replay(&b.pcrs, b.log.p, b.log.len), VT_OK);
	return b;
}

/* --- policies: as JSON, so that a test can change them -------------------- */

static json_t *
json_step(uint16_t alg, const char *text, const char *what)
{
	char hex[2 * DIGEST_MAX + 1];
	uint8_t val[DIGEST_MAX];

	assert_int_equal(digest_buf(alg, text, 1, val), VT_OK);
	hex_encode(val, digest_len(alg), hex);
	return json_pack("{s:s, s:s}", "digest", hex, "what", what);
}

/* The rules of a bank; the text of each event is what. */
static json_t *
json_bank(uint16_t alg, const char *s, const char *what)
{
	json_t *bank = json_object(), *list;
	char pcr[2] = "";

	for (; *s != '\0'; s += 2) {
		pcr[0] = s[0];
		if (json_object_get(bank, pcr) == NULL)
			assert_int_equal(json_object_set_new(bank, pcr,
					     json_pack("{s:[]}", "events")),
			    0);
		list = json_object_get(json_object_get(bank, pcr), "events");
		assert_int_equal(
		    json_array_append_new(list, json_step(alg, s + 1, what)),
		    0);
	}
	return bank;
}

static json_t *
json_policy(json_t *sha256_bank)
{
	return json_pack("{s:s, s:{s:s}, s:{s:o}}", "format", "vtpm-policy 1",
	    "allow", "unmeasured-initrd", "test", "banks", "sha256",
	    sha256_bank);
}

/* Takes over o. */
static struct policy *
parsed(json_t *o)
{
	char *text = json_dumps(o, 0);
	struct policy *p;

	assert_non_null(text);
	p = policy_of(text);
	free(text);
	json_decref(o);
	return p;
}

static struct policy *
policy_like(const char *s)
{
	return parsed(json_policy(json_bank(ALG_SHA256, s, "")));
}

/* --- both reports of differences ------------------------------------------ */

/* Each difference as "PCR-" (missing), "PCR+" (added) or "PCR!" (other). */
static void
list_report(const struct policy *p, const struct boot *b, char *out, size_t cap)
{
	struct ap_report *r = judge(p, b, LOG);
	size_t used = 0;
	uint32_t i;

	out[0] = '\0';
	for (i = 0; i < r->ndiffs; i++)
		used += (size_t)snprintf(out + used, cap - used, "%u%s ",
		    r->diffs[i].pcr,
		    r->diffs[i].now == NULL   ? "-"
		    : r->diffs[i].was == NULL ? "+"
					      : "!");
	ap_report_free(r);
}

static void
list_diff(const struct policy *p, const struct boot *b, char *out, size_t cap)
{
	char err[REPLAY_ERR_MAX];
	struct policy_diffs d = { 0 };
	struct replay *r = NULL;
	size_t used = 0;
	uint32_t i;

	assert_int_equal(replay_make(b->log.p, b->log.len, &r, err), VT_OK);
	assert_int_equal(policy_diff(p, r, &d), VT_OK);
	out[0] = '\0';
	for (i = 0; i < d.n; i++)
		used += (size_t)snprintf(out + used, cap - used, "%u%s ",
		    d.list[i].pcr,
		    d.list[i].now == NULL   ? "-"
		    : d.list[i].was == NULL ? "+"
					    : "!");
	policy_diffs_done(&d);
	replay_free(r);
}

/* --- order ---------------------------------------------------------------- */

static void
both_name_the_same_events_in_the_order_of_the_boot(void **state)
{
	static const struct {
		const char *policy, *boot, *out;
	} cases[] = {
		{ "4a8b", "4a8b", "" },
		{ "4a8b", "4x8y", "4! 8! " },
		{ "8b4a", "8y4x", "8! 4! " },
		{ "4a4b8c", "4b8x", "4- 8! " }, /* its first event */
		{ "4a4b8c", "8x4a", "8! 4- " }, /* its last */
		{ "4a4b4c8d", "4a4c8x", "4- 8! " },
		{ "8a8b4c", "4x8b", "8- 4! " }, /* before the first of all */
		{ "4a8b", "4a8b8c", "8+ " },
	};
	char out[256];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		struct policy *p = policy_like(cases[i].policy);
		struct boot b = boot_of(cases[i].boot);

		print_message("  %s, %s\n", cases[i].policy, cases[i].boot);
		list_report(p, &b, out, sizeof(out));
		assert_string_equal(out, cases[i].out);
		list_diff(p, &b, out, sizeof(out));
		assert_string_equal(out, cases[i].out);
		boot_done(&b);
		policy_free(p);
	}
}

/* A second bank differs likewise, and has nothing to add. */
static void
a_second_bank_hides_no_explanation(void **state)
{
	json_t *o = json_policy(json_bank(ALG_SHA256, "4a8b", "file \"x\""));
	struct boot b = boot_of("4a8y");
	struct ap_report *r;
	struct policy *p;

	(void)state;
	assert_int_equal(
	    json_object_set_new(json_object_get(o, "banks"), "sha384",
		json_bank(ALG_SHA384, "4a8b", "file \"x\"")),
	    0);
	p = parsed(o);
	r = judge(p, &b, LOG);
	assert_int_equal(r->verdict, AP_REFUSED);
	assert_int_equal(r->n, 2);
	assert_int_equal(r->findings[0].alg, ALG_SHA256);
	assert_int_equal(r->findings[0].index, 1);
	assert_non_null(strstr(r->findings[0].words, "file \"x\""));
	assert_int_equal(r->findings[1].alg, ALG_SHA384);
	ap_report_free(r);
	boot_done(&b);
	policy_free(p);
}

/* More events differ in PCR 4 than are listed: those of PCR 8 are not. */
static void
a_full_list_hides_no_explanation(void **state)
{
	struct policy *p = policy_like("4a8b");
	char text[2 * (AP_MAX_DIFFS + 9) + 3] = "";
	struct ap_report *r;
	struct boot b;
	size_t i;

	(void)state;
	for (i = 0; i < AP_MAX_DIFFS + 9; i++)
		memcpy(text + 2 * i, "4x", 2);
	memcpy(text + 2 * i, "8y", 3);
	b = boot_of(text);
	r = judge(p, &b, LOG);
	assert_int_equal(r->ndiffs, AP_MAX_DIFFS);
	assert_int_equal(r->more_diffs, 10);
	assert_int_equal(r->n, 2);
	assert_int_equal(r->findings[0].pcr, 4);
	assert_int_equal(r->findings[0].index, 1);
	ap_report_free(r);
	boot_done(&b);
	policy_free(p);
}

/* However many unlisted events a rule allows in a row. */
static void
what_is_allowed_anywhere_is_not_blamed(void **state)
{
	static const uint32_t rows[] = { 1, ALIGN_LOOKAHEAD,
		ALIGN_LOOKAHEAD + 1, 4 * ALIGN_LOOKAHEAD };
	json_t *bank, *o;
	char text[8 * ALIGN_LOOKAHEAD + 9], out[256];
	struct policy *p;
	struct boot b;
	size_t i, k;

	(void)state;
	bank = json_bank(ALG_SHA256, "8a8b8c", "");
	o = json_pack("{s:s}", "anywhere", "test");
	assert_int_equal(
	    json_object_set_new(json_object_get(bank, "8"), "unknown", o), 0);
	p = parsed(json_policy(bank));
	for (i = 0; i < VT_NELEM(rows); i++) {
		memcpy(text, "8a", 2);
		for (k = 1; k <= rows[i]; k++)
			memcpy(text + 2 * k, "8x", 2);
		(void)snprintf(text + 2 * k, 5, "8c"); /* without b */
		b = boot_of(text);
		print_message("  %u\n", rows[i]);
		list_report(p, &b, out, sizeof(out));
		/* One may be in its place. */
		assert_string_equal(out, rows[i] == 1 ? "8! " : "8- ");
		list_diff(p, &b, out, sizeof(out));
		assert_string_equal(out, rows[i] == 1 ? "8! " : "8- ");
		boot_done(&b);
	}
	policy_free(p);
}

/* --- characters ----------------------------------------------------------- */

/* A policy's text may be any UTF-8: here escape sequences, and two bytes for
 * each letter, so that every second cut is inside one. */
#define SHIFTS 2

static char *
wild_text(size_t shift)
{
	static char text[POLICY_MAX_TEXT];
	size_t i, len = 2000;

	memset(text, 'x', shift);
	memcpy(text + shift, "\x1b[31m\n", 7);
	for (i = shift + 6; i + 2 < len; i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	return text;
}

static void
expect_one_clean(struct policy *p, const struct boot *b)
{
	struct ap_report *r = judge(p, b, LOG);
	char err[REPLAY_ERR_MAX], *text;
	struct policy_diffs d = { 0 };
	struct replay *now = NULL;
	json_t *o;
	uint32_t i;

	for (i = 0; i < r->n; i++)
		assert_true(text_is_clean(r->findings[i].words));
	for (i = 0; i < r->ndiffs; i++)
		assert_true(text_is_clean(r->diffs[i].was));
	assert_non_null(text = ap_report_json(r));
	assert_non_null(o = json_loads(text, 0, NULL));
	assert_int_equal(
	    json_array_size(json_object_get(o, "differences")), r->ndiffs);
	assert_int_equal(json_array_size(json_object_get(o, "findings")), r->n);
	json_decref(o);
	free(text);
	ap_report_free(r);

	assert_int_equal(replay_make(b->log.p, b->log.len, &now, err), VT_OK);
	assert_int_equal(policy_diff(p, now, &d), VT_OK);
	assert_int_equal(d.n, 1);
	assert_true(text_is_clean(d.list[0].was));
	policy_diffs_done(&d);
	replay_free(now);
	policy_free(p);
}

static void
a_policys_texts_reach_no_terminal(void **state)
{
	struct boot b = boot_of("4a8y");
	json_t *bank;
	size_t i;

	(void)state;
	for (i = 0; i < SHIFTS; i++) {
		bank = json_bank(ALG_SHA256, "4a8b", wild_text(i));
		expect_one_clean(parsed(json_policy(bank)), &b);
		bank = json_bank(ALG_SHA256, "4a", "");
		assert_int_equal(
		    json_object_set_new(bank, "8",
			json_pack("{s:[o]}", "values",
			    json_step(ALG_SHA256, "b", wild_text(i)))),
		    0);
		expect_one_clean(parsed(json_policy(bank)), &b);
	}
	boot_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    both_name_the_same_events_in_the_order_of_the_boot),
		cmocka_unit_test(a_second_bank_hides_no_explanation),
		cmocka_unit_test(a_full_list_hides_no_explanation),
		cmocka_unit_test(what_is_allowed_anywhere_is_not_blamed),
		cmocka_unit_test(a_policys_texts_reach_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
