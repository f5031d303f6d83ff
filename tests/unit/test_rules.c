/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_rules.c - what doc/FORMATS.md and vtpm-policy(5) say of evidence and
 * policies, rule by rule, by evidence that breaks just that rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "measure/host/host_identity.h"
#include "measure/log/eventlog.h"
#include "tests/unit/replay.h"
#include "tests/unit/sample.h"

static const struct report_check *
find(const struct report *r, const char *id, enum report_outcome o)
{
	uint32_t i;

	for (i = 0; i < r->n; i++)
		if (strcmp(r->checks[i].id, id) == 0 &&
		    r->checks[i].outcome == o)
			return &r->checks[i];
	return NULL;
}

/* The verdict is v, and a check named id has outcome o. */
static void
expect(
    struct sample *b, enum ap_verdict v, const char *id, enum report_outcome o)
{
	struct report *r;
	uint32_t i;

	sample_quote(b);
	r = sample_verify(b);
	for (i = 0; i < r->n; i++)
		if (r->verdict != v || find(r, id, o) == NULL)
			print_message("    %-14s %-16s %s\n",
			    report_outcome_name(r->checks[i].outcome),
			    r->checks[i].id, r->checks[i].words);
	assert_int_equal(r->verdict, v);
	assert_non_null(find(r, id, o));
	report_free(r);
}

/* The policy of s with the rule of one PCR replaced (NULL: taken out), and
 * without its launch if asked. */
static void
edit_policy(struct sample *b, const char *pcr, const char *rule, bool no_launch)
{
	json_t *root = json_loads(b->policy_json, 0, NULL), *bank;
	char err[POLICY_ERR_MAX], *text;

	assert_non_null(root);
	bank = json_object_get(json_object_get(root, "banks"), "sha256");
	assert_non_null(bank);
	(void)json_object_del(bank, pcr);
	if (rule != NULL)
		assert_int_equal(
		    json_object_set_new(bank, pcr, json_loads(rule, 0, NULL)),
		    0);
	if (no_launch) {
		(void)json_object_del(root, "launch");
		(void)json_object_del(
		    json_object_get(root, "require"), "launch");
	}
	assert_non_null(text = json_dumps(root, 0));
	json_decref(root);
	policy_free(b->policy);
	if (policy_parse(text, strlen(text), &b->policy, err) != VT_OK)
		fail_msg("%s", err);
	free(b->policy_json);
	b->policy_json = text;
}

/* --- PCRs that no rule names ---------------------------------------------- */

static void
a_measured_launch_without_a_rule_is_refused(void **state)
{
	struct sample b;

	(void)state;
	sample_init(&b);
	edit_policy(&b, "17", NULL, false); /* its "launch" names PCR 17 */
	expect(&b, AP_ACCEPTED, "boot", REPORT_PASS);
	edit_policy(&b, "17", NULL, true);
	expect(&b, AP_REFUSED, "pcr-unmentioned", REPORT_FAIL);
	sample_pcrs(&b, "sha256:0-9"); /* not quoted: the journal has it */
	expect(&b, AP_REFUSED, "pcr-unmentioned", REPORT_FAIL);
	edit_policy(&b, "17", "{\"ignore\": \"any host will do\"}", false);
	expect(&b, AP_ACCEPTED, "boot", REPORT_PASS);
	sample_done(&b);
}

static void
extend(struct sample *b, uint32_t pcr)
{
	struct tpm_digest d = { .alg = ALG_SHA256, .len = 32, .val = { 7 } };

	assert_int_equal(
	    journal_add_extend(b->journal, JR_EXTEND, 0, pcr, &d, 1), VT_OK);
	sample_put_journal(b);
}

static void
an_extended_pcr_that_is_neither_named_nor_quoted_is_refused(void **state)
{
	static const uint32_t pcrs[] = { 16, 18, 20, 23 };
	char key[4];
	struct sample b;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(pcrs); i++) {
		sample_init(&b);
		(void)snprintf(key, sizeof(key), "%u", pcrs[i]);
		edit_policy(&b, key, NULL, false);
		expect(&b, AP_ACCEPTED, "boot", REPORT_PASS);
		extend(&b, pcrs[i]);
		expect(&b, AP_REFUSED, "pcr-unmentioned", REPORT_FAIL);
		edit_policy(&b, key, "{\"ignore\": \"a test\"}", false);
		expect(&b, AP_ACCEPTED, "boot", REPORT_PASS);
		sample_done(&b);
	}
}

/* Extended, then reset: its value shows nothing. */
static void
a_reset_does_not_undo_an_extend(void **state)
{
	struct sample b;

	(void)state;
	sample_init(&b);
	edit_policy(&b, "23", NULL, false);
	extend(&b, 23);
	assert_int_equal(journal_add_reset(b.journal, 0, 23, 0), VT_OK);
	sample_put_journal(&b);
	sample_pcrs(&b, "sha256:0-9,17,23");
	expect(&b, AP_REFUSED, "pcr-unmentioned", REPORT_FAIL);
	sample_done(&b);
}

static void
a_value_behind_a_reset_is_refused(void **state)
{
	char rule[128], hex[65];
	struct sample b;

	(void)state;
	sample_init(&b);
	extend(&b, 23);
	sample_pcrs(&b, "sha256:0-9,17,23");
	hex_encode(pcr_get(&b.ev->pcrs, ALG_SHA256, 23), 32, hex);
	(void)snprintf(rule, sizeof(rule), "{\"values\": [\"%s\"]}", hex);
	edit_policy(&b, "23", rule, false);
	expect(&b, AP_ACCEPTED, "boot", REPORT_PASS);
	assert_int_equal(journal_add_reset(b.journal, 0, 23, 0), VT_OK);
	extend(&b, 23); /* the same value once more */
	expect(&b, AP_REFUSED, "pcr-reset", REPORT_FAIL);
	sample_done(&b);
}

/* --- texts, flags, fields --------------------------------------------------
 */

static void
text_is_utf8(void **state)
{
	struct sample b;

	(void)state;
	sample_init(&b);
	(void)snprintf(b.info.build, sizeof(b.info.build), "\xc3\xa9 0.1");
	sample_put_info(&b);
	expect(&b, AP_ACCEPTED, "info-instance", REPORT_PASS);
	(void)snprintf(b.info.build, sizeof(b.info.build), "\xc3( 0.1");
	sample_put_info(&b);
	expect(&b, AP_REFUSED, "info", REPORT_FAIL);
	sample_done(&b);
}

static void
a_launch_record_whose_text_is_not_utf8_is_refused(void **state)
{
	struct launch_record *rec = NULL;
	struct bundle_blob *part;
	struct sample b;
	uint8_t *name;

	(void)state;
	sample_init(&b);
	part = &b.ev->part[BUNDLE_LAUNCH];
	assert_int_equal(launch_decode(part->p, part->len, &rec), VT_OK);
	launch_free(rec);
	assert_non_null(name = memmem(part->p, part->len, "alice", 5));
	name[4] = 0xff;
	assert_int_equal(launch_decode(part->p, part->len, &rec), VT_E_FORMAT);
	sample_done(&b);
}

static void
a_reset_that_the_host_did_not_see_is_noted(void **state)
{
	struct sample b;

	(void)state;
	sample_init(&b);
	b.info.flags |= BUNDLE_F_UNSEEN;
	sample_put_info(&b);
	expect(&b, AP_ACCEPTED, "unseen-reset", REPORT_NOTE);
	b.info.flags |= 32; /* no such flag */
	sample_put_info(&b);
	expect(&b, AP_REFUSED, "info", REPORT_FAIL);
	sample_done(&b);
}

/* --- locality ------------------------------------------------------------- */

/* A log of one event of PCR 0, "StartupLocality" before or behind it. */
static void
put_locality_log(struct sample *b, int before, int behind)
{
	uint8_t data[] = "StartupLocality\0x";
	struct el_writer *w;
	const uint8_t *p;
	size_t len;

	assert_int_equal(el_writer_new(&sample_alg, 1, false, &w), VT_OK);
	data[16] = (uint8_t)before;
	if (before >= 0)
		add_no_action(w, 0, data, 17);
	el_add_data(w, 0, EV_S_CRTM_VERSION, "v", 2);
	data[16] = (uint8_t)behind;
	if (behind >= 0)
		add_no_action(w, 0, data, 17);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_OK);
	assert_int_equal(bundle_set(b->ev, BUNDLE_LOG, p, len), VT_OK);
	el_writer_free(w);
}

static void
startup_locality_is_the_journals_and_comes_first(void **state)
{
	struct tpm_digest d = { .alg = ALG_SHA256, .len = 32 };
	struct sample b;

	(void)state;
	sample_init(&b);
	journal_free(b.journal);
	assert_int_equal(journal_new(&sample_alg, 1, &b.journal), VT_OK);
	assert_int_equal(journal_power_cycle(b.journal), VT_OK);
	assert_int_equal(journal_add_startup(b.journal, 3, true), VT_OK);
	assert_int_equal(digest_buf(ALG_SHA256, "v", 2, d.val), VT_OK);
	assert_int_equal(
	    journal_add_extend(b.journal, JR_EXTEND, 0, 0, &d, 1), VT_OK);
	sample_put_launch(&b);
	sample_put_journal(&b);
	sample_pcrs(&b, "sha256:0-9,17");
	put_locality_log(&b, 3, -1);
	policy_free(b.policy);
	{
		struct policy_gen g = { .no_initrd_reason = "none" };
		const struct bundle_blob *p = b.ev->part;
		char err[POLICY_ERR_MAX];

		g.logs[1].p = p[BUNDLE_LOG].p;
		g.logs[1].len = p[BUNDLE_LOG].len;
		g.logs[0].p = p[BUNDLE_HOST_LOG].p;
		g.logs[0].len = p[BUNDLE_HOST_LOG].len;
		g.record = p[BUNDLE_LAUNCH].p;
		g.record_len = p[BUNDLE_LAUNCH].len;
		g.journal = b.journal;
		g.pcrs = &b.ev->pcrs;
		g.allow_software_root = true;
		free(b.policy_json);
		if (policy_generate(&g, &b.policy_json, err) != VT_OK)
			fail_msg("%s", err);
		assert_int_equal(policy_parse(b.policy_json,
				     strlen(b.policy_json), &b.policy, err),
		    VT_OK);
	}
	expect(&b, AP_ACCEPTED, "boot", REPORT_PASS);
	put_locality_log(&b, 0, -1);
	expect(&b, AP_REFUSED, "log-vs-journal", REPORT_FAIL);
	put_locality_log(&b, -1, 3);
	expect(&b, AP_REFUSED, "log-bad", REPORT_FAIL);
	put_locality_log(&b, 3, 3);
	expect(&b, AP_REFUSED, "log-bad", REPORT_FAIL);
	sample_done(&b);
}

/* --- a worker that restarted, a firmware that failed ---------------------- */

static void
error_separator(struct sample *b, uint32_t pcr)
{
	struct tpm_digest d;

	assert_int_equal(journal_cap_digest(ALG_SHA256, &d), VT_OK);
	assert_int_equal(
	    journal_add_extend(b->journal, JR_EXTEND, 0, pcr, &d, 1), VT_OK);
}

/* Without a log: the boot of a firmware that gave up. */
static void
an_error_separator_is_no_restart(void **state)
{
	struct report *r;
	struct sample b;
	uint32_t i;

	(void)state;
	sample_init(&b);
	journal_free(b.journal);
	assert_int_equal(journal_new(&sample_alg, 1, &b.journal), VT_OK);
	assert_int_equal(journal_power_cycle(b.journal), VT_OK);
	assert_int_equal(journal_add_startup(b.journal, 0, true), VT_OK);
	for (i = 0; i < 8; i++)
		error_separator(&b, i);
	sample_put_launch(&b);
	sample_put_journal(&b);
	sample_pcrs(&b, "sha256:0-9,17");
	sample_quote(&b);
	r = sample_verify(&b);
	assert_int_equal(r->verdict, AP_REFUSED); /* not the reference boot */
	assert_false(r->worker_restarted);
	assert_null(find(r, "worker-restarted", REPORT_FAIL));
	report_free(r);
	/* No firmware puts one into PCR 8: a journal that says so hides a
	 * restart. */
	error_separator(&b, 8);
	sample_put_journal(&b);
	sample_pcrs(&b, "sha256:0-9,17");
	expect(&b, AP_REFUSED, "worker-restarted", REPORT_FAIL);
	sample_done(&b);
}

/* --- banks ------------------------------------------------------------------
 */

static void
add_sha384(struct sample *b)
{
	static const uint16_t algs[] = { ALG_SHA256, ALG_SHA384 };
	struct pcr_set old = b->ev->pcrs;
	uint8_t val[DIGEST_MAX] = { 9 };
	uint32_t i;

	assert_int_equal(pcr_set_init(&b->ev->pcrs, algs, 2), VT_OK);
	b->ev->pcrs.banks[0] = old.banks[0];
	for (i = 0; i < 10; i++)
		assert_int_equal(
		    pcr_put(&b->ev->pcrs, ALG_SHA384, i, val), VT_OK);
	bundle_selection(b->ev, &b->f.sel);
}

static void
a_quoted_bank_that_nothing_accounts_for_is_judged(void **state)
{
	struct bundle_blob *j;
	struct sample b;

	(void)state;
	sample_init(&b);
	add_sha384(&b);
	expect(&b, AP_REFUSED, "journal-replay", REPORT_FAIL);
	j = &b.ev->part[BUNDLE_JOURNAL];
	free(j->p);
	j->p = NULL;
	b.policy->need_journal = false;
	expect(&b, AP_UNDECIDED, "log-replay", REPORT_CANNOT);
	b.policy->no_log_reason = strdup("a test");
	expect(&b, AP_ACCEPTED, "log-replay", REPORT_NOTE);
	sample_done(&b);
}

/* --- whose evidence ---------------------------------------------------------
 */

static void
a_verdict_for_any_vtpm_says_so(void **state)
{
	struct verify_want w = { .nonce = sample_nonce,
		.nonce_len = sizeof(sample_nonce),
		.now = TC_NOW };
	struct report *r;
	struct sample b;

	(void)state;
	sample_init(&b);
	expect(&b, AP_ACCEPTED, "relay", REPORT_NOTE);
	w.policy = b.policy;
	w.ca = b.ca.der;
	w.ca_len = b.ca.len;
	w.uuid = b.inst.uuid;
	assert_int_equal(verify_bundle(b.ev, &w, &r), VT_OK);
	assert_int_equal(r->verdict, AP_ACCEPTED);
	assert_null(find(r, "relay", REPORT_NOTE));
	report_free(r);
	sample_done(&b);
}

/* --- host records --------------------------------------------------------- */

static void
keys_that_may_be_missing_may_be_null(void **state)
{
	static const struct {
		enum host_identity_kind kind;
		const char *key;
		int want;
	} cases[] = {
		{ HOST_IDENTITY_RECORD, "chain", VT_OK },
		{ HOST_IDENTITY_RECORD, "enrolled", VT_OK },
		{ HOST_IDENTITY_RECORD, "ek_certificate", VT_E_FORMAT },
		{ HOST_IDENTITY_RECORD, "host", VT_E_FORMAT },
		{ HOST_IDENTITY_IDENTITY, "ek_certificate", VT_OK },
		{ HOST_IDENTITY_IDENTITY, "ca_public", VT_E_FORMAT },
	};
	struct host_identity *h, *back;
	char err[HOST_IDENTITY_ERR_MAX], *text;
	json_t *root;
	size_t i;
	int p, rc;

	(void)state;
	assert_int_equal(host_identity_new(&h), VT_OK);
	(void)snprintf(h->host, sizeof(h->host), "h");
	for (p = 0; p < HI_NPARTS; p++)
		assert_int_equal(
		    host_identity_set(h, (enum host_identity_part)p, "x", 1),
		    VT_OK);
	for (i = 0; i < VT_NELEM(cases); i++) {
		assert_int_equal(
		    host_identity_format(h, cases[i].kind, &text), VT_OK);
		assert_non_null(root = json_loads(text, 0, NULL));
		free(text);
		assert_int_equal(
		    json_object_set_new(root, cases[i].key, json_null()), 0);
		assert_non_null(text = json_dumps(root, 0));
		rc = host_identity_parse(
		    text, strlen(text), cases[i].kind, &back, err);
		assert_int_equal(rc, cases[i].want);
		if (rc == VT_OK)
			host_identity_free(back);
		free(text);
		json_decref(root);
	}
	host_identity_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_measured_launch_without_a_rule_is_refused),
		cmocka_unit_test(
		    an_extended_pcr_that_is_neither_named_nor_quoted_is_refused),
		cmocka_unit_test(a_reset_does_not_undo_an_extend),
		cmocka_unit_test(a_value_behind_a_reset_is_refused),
		cmocka_unit_test(text_is_utf8),
		cmocka_unit_test(
		    a_launch_record_whose_text_is_not_utf8_is_refused),
		cmocka_unit_test(a_reset_that_the_host_did_not_see_is_noted),
		cmocka_unit_test(
		    startup_locality_is_the_journals_and_comes_first),
		cmocka_unit_test(an_error_separator_is_no_restart),
		cmocka_unit_test(
		    a_quoted_bank_that_nothing_accounts_for_is_judged),
		cmocka_unit_test(a_verdict_for_any_vtpm_says_so),
		cmocka_unit_test(keys_that_may_be_missing_may_be_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
