/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/boots.h"

static void
the_reference_boot_is_accepted_from_log_journal_and_both(void **state)
{
	struct policy *p = reference_policy();
	struct boot b = reference();

	(void)state;
	expect(p, &b, LOG, AP_ACCEPTED, AP_C_OK);
	expect(p, &b, JOURNAL, AP_ACCEPTED, AP_C_OK);
	expect(p, &b, LOG | JOURNAL, AP_ACCEPTED, AP_C_OK);
	boot_done(&b);
	policy_free(p);
}

static void
one_word_more_on_the_command_line_is_named(void **state)
{
	struct boot b = mangled(AT_LINUX, RETEXT, "linuxefi " LINE " evil=1");
	struct policy *p = reference_policy();
	struct ap_report *r;

	(void)state;
	r = judge(p, &b, LOG | JOURNAL);
	assert_int_equal(r->verdict, AP_REFUSED);
	assert_int_equal(r->n, 1);
	assert_int_equal(r->findings[0].code, AP_C_EVENT_UNKNOWN);
	assert_int_equal(r->findings[0].pcr, 8);
	assert_int_equal(r->findings[0].index, 2);
	assert_string_equal(r->findings[0].words,
	    "PCR 8 event 2: added \"evil=1\": GRUB command \"linuxefi " LINE
	    " evil=1\" (the kernel or its command line in grub.cfg changed)");
	assert_int_equal(r->ndiffs, 1);
	assert_string_equal(
	    r->diffs[0].was, "GRUB command \"linuxefi " LINE "\"");
	assert_string_equal(
	    r->diffs[0].now, "GRUB command \"linuxefi " LINE " evil=1\"");
	ap_report_free(r);
	/* Without the log's words the expectation is still named. */
	r = judge(p, &b, JOURNAL);
	assert_int_equal(r->findings[0].code, AP_C_EVENT_UNKNOWN);
	assert_non_null(strstr(
	    r->findings[0].words, "other content of: GRUB command \"linuxefi"));
	ap_report_free(r);
	boot_done(&b);
	policy_free(p);
}

/* Whatever happens to any one event, the boot is refused. */
static void
no_event_can_be_changed_dropped_or_doubled(void **state)
{
	static const enum mangle ways[] = { FLIP, DROP, DOUBLE };
	static const int seen[] = { LOG, JOURNAL, LOG | JOURNAL };
	struct policy *p = reference_policy();
	struct ap_report *r;
	struct boot b;
	uint32_t at;
	size_t m, s;

	(void)state;
	for (at = 0; at < EVENTS; at++)
		for (m = 0; m < VT_NELEM(ways); m++) {
			b = mangled(at, ways[m], NULL);
			for (s = 0; s < VT_NELEM(seen); s++) {
				r = judge(p, &b, seen[s]);
				assert_int_equal(r->verdict, AP_REFUSED);
				ap_report_free(r);
			}
			boot_done(&b);
		}
	b = mangled(EVENTS, KEEP, NULL); /* the mangler itself is sound */
	expect(p, &b, LOG | JOURNAL, AP_ACCEPTED, AP_C_OK);
	boot_done(&b);
	policy_free(p);
}

static void
events_out_of_order_are_called_so(void **state)
{
	struct policy *p = reference_policy();
	struct boot b = mangled(AT_LINUX, SWAP, NULL);
	struct ap_report *r = judge(p, &b, LOG);

	(void)state;
	assert_int_equal(r->verdict, AP_REFUSED);
	assert_non_null(strstr(
	    r->findings[0].words, "PCR 8 event 2: added: kernel command line"));
	assert_int_equal(r->ndiffs, 2);
	assert_null(r->diffs[0].was);
	assert_null(r->diffs[1].now);
	assert_string_equal(r->diffs[0].now, r->diffs[1].was);
	ap_report_free(r);
	boot_done(&b);
	policy_free(p);
}

/* An attacker boots another command line and keeps the log's old text. */
static void
a_log_whose_words_lie_is_refused(void **state)
{
	struct policy *p = reference_policy();
	struct boot b =
	    mangled(AT_LINUX, LIE, "linuxefi " LINE " init=/bin/sh");
	struct ap_report *r = judge(p, &b, LOG | JOURNAL);
	uint32_t i;

	(void)state;
	assert_int_equal(r->verdict, AP_REFUSED);
	assert_int_equal(r->findings[0].code, AP_C_LOG_LIES);
	for (i = 0; i < r->ndiffs; i++) /* the old words are not believed */
		assert_string_not_equal(r->diffs[i].now, r->diffs[i].was);
	assert_int_equal(r->ndiffs, 1);
	assert_int_equal(r->diffs[0].text, EXPLAIN_LIES);
	ap_report_free(r);
	boot_done(&b);
	policy_free(p);
}

/* ... or hands over the old log with the new PCRs. */
static void
an_old_log_does_not_explain_new_pcrs(void **state)
{
	struct policy *p = reference_policy();
	struct boot b =
	    mangled(AT_LINUX, RETEXT, "linuxefi " LINE " init=/bin/sh");
	struct boot old = reference();

	(void)state;
	free(b.log.p);
	b.log = old.log;
	memset(&old.log, 0, sizeof(old.log));
	expect(p, &b, LOG, AP_REFUSED, AP_C_LOG_REPLAY);
	expect(p, &b, LOG | JOURNAL, AP_REFUSED, AP_C_LOG_VS_JOURNAL);
	/* The old journal does not help either. */
	free(b.journal.p);
	b.journal = old.journal;
	memset(&old.journal, 0, sizeof(old.journal));
	expect(p, &b, LOG | JOURNAL, AP_REFUSED, AP_C_LOG_REPLAY);
	boot_done(&b);
	boot_done(&old);
	policy_free(p);
}

static void
log_and_journal_that_differ_are_named(void **state)
{
	struct policy *p = reference_policy();
	struct boot b = reference();
	struct boot other = mangled(AT_INITRDEFI, FLIP, NULL);
	struct ap_report *r;

	(void)state;
	free(b.log.p);
	b.log = other.log;
	memset(&other.log, 0, sizeof(other.log));
	r = judge(p, &b, LOG | JOURNAL);
	assert_int_equal(r->verdict, AP_REFUSED);
	assert_int_equal(r->findings[0].code, AP_C_LOG_VS_JOURNAL);
	assert_non_null(strstr(r->findings[0].words,
	    "differ first at PCR 8 event 4: the TPM was given another"));
	ap_report_free(r);
	boot_done(&b);
	boot_done(&other);
	policy_free(p);
}

static void
missing_evidence_is_refused(void **state)
{
	struct policy *p = reference_policy();
	struct boot b = reference();

	(void)state;
	expect(p, &b, 0, AP_REFUSED, AP_C_LOG_MISSING);
	p->need_log = true;
	expect(p, &b, JOURNAL, AP_REFUSED, AP_C_LOG_MISSING);
	p->need_log = false;
	p->need_journal = true;
	expect(p, &b, LOG, AP_REFUSED, AP_C_JOURNAL_MISSING);
	p->need_journal = false;
	p->need_launch = true;
	expect(p, &b, LOG, AP_REFUSED, AP_C_LAUNCH_MISSING);
	p->need_launch = false;
	b.log.len /= 2;
	expect(p, &b, LOG, AP_REFUSED, AP_C_LOG_BAD);
	b.journal.len--;
	expect(p, &b, JOURNAL, AP_REFUSED, AP_C_LOG_BAD);
	boot_done(&b);
	policy_free(p);
}

static void
pcrs_that_prove_nothing_are_refused(void **state)
{
	struct policy *p = reference_policy();
	struct boot b = reference();

	(void)state;
	pcr_fill(&b.pcrs, 4, 0x00);
	expect(p, &b, LOG, AP_REFUSED, AP_C_PCR_EXTREME);
	pcr_fill(&b.pcrs, 4, 0xff);
	expect(p, &b, LOG, AP_REFUSED, AP_C_PCR_EXTREME);
	b.pcrs.banks[0].valid &= ~(1u << 4);
	expect(p, &b, LOG, AP_UNDECIDED, AP_C_PCR_MISSING);
	boot_done(&b);
	/* A PCR that the policy does not name. */
	b = reference();
	memset(b.pcrs.banks[0].val[14], 0x55, 32);
	expect(p, &b, LOG, AP_REFUSED, AP_C_PCR_UNMENTIONED);
	pcr_fill(&b.pcrs, 14, 0);
	b.pcrs.banks[0].valid &= ~(1u << 14);
	expect(p, &b, LOG, AP_UNDECIDED, AP_C_PCR_MISSING);
	boot_done(&b);
	policy_free(p);
}

/* --- what the journal knows ----------------------------------------------- */

/* The reference boot after which something is done to its journal. */

static void
worker_restart_restore_and_late_attach_are_refused(void **state)
{
	static const struct {
		void (*act)(struct journal *);
		enum ap_code code;
	} cases[] = { { act_cap, AP_C_CAPPED }, { act_restored, AP_C_RESTORED },
		{ act_late, AP_C_LATE }, { act_startup, AP_C_PCR_RESET } };
	struct policy *p = reference_policy();
	struct ap_report *r;
	struct boot b;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		b = with_journal(cases[i].act);
		expect(p, &b, LOG | JOURNAL, AP_REFUSED, cases[i].code);
		boot_done(&b);
	}
	p->restored_reason = strdup("live migration");
	b = with_journal(act_restored);
	r = judge(p, &b, LOG | JOURNAL);
	assert_int_equal(r->verdict, AP_ACCEPTED);
	assert_int_equal(r->findings[0].severity, AP_NOTE);
	ap_report_free(r);
	boot_done(&b);
	policy_free(p);
}

/* A journal that begins in the middle: the vTPM was not there at power-on. */
static void
a_journal_without_power_on_is_late(void **state)
{
	struct policy *p = reference_policy();
	struct boot b = reference();
	struct journal *j;

	(void)state;
	assert_int_equal(journal_new(&sha256, 1, &j), VT_OK);
	assert_int_equal(journal_add_startup(j, 0, true), VT_OK);
	set_journal(&b, j);
	expect(p, &b, JOURNAL, AP_REFUSED, AP_C_LATE);
	journal_free(j);
	/* Powered, but no firmware ever started it. */
	assert_int_equal(journal_new(&sha256, 1, &j), VT_OK);
	assert_int_equal(journal_power_cycle(j), VT_OK);
	set_journal(&b, j);
	expect(p, &b, JOURNAL, AP_REFUSED, AP_C_LATE);
	journal_free(j);
	boot_done(&b);
	policy_free(p);
}

/* The flags in the header can be wiped, the record cannot. */
static void
a_wiped_flag_hides_no_restart(void **state)
{
	struct policy *p = reference_policy();
	struct boot b = with_journal(act_cap);

	(void)state;
	assert_int_equal(b.journal.p[17], JF_CAPPED);
	b.journal.p[17] = 0;
	expect(p, &b, LOG | JOURNAL, AP_REFUSED, AP_C_CAPPED);
	boot_done(&b);
	policy_free(p);
}

static void
chained_pcrs_are_judged_by_value_only(void **state)
{
	struct boot b = reference();
	struct journal *j = journal_of_log(&b.log, &sha256, 1);
	struct tpm_digest d = { .alg = ALG_SHA256, .len = 32, .val = { 1 } };
	struct policy *p = reference_policy();
	int i;

	(void)state;
	for (i = 0; i < JOURNAL_MAX; i++)
		assert_int_equal(
		    journal_add_extend(j, JR_EXTEND, 0, 8, &d, 1), VT_OK);
	set_journal(&b, j);
	assert_int_equal(journal_replay(j, &b.pcrs), VT_OK);
	expect(p, &b, JOURNAL, AP_REFUSED, AP_C_CHAINED);
	/* Fixed by value it is fine: replay stays exact. */
	p->banks[0].pcrs[8].kind = POL_VALUES;
	p->banks[0].pcrs[8].nvalues = 1;
	p->banks[0].pcrs[8].values = calloc(1, sizeof(struct pol_digest));
	assert_non_null(p->banks[0].pcrs[8].values);
	memcpy(p->banks[0].pcrs[8].values[0].val,
	    pcr_get(&b.pcrs, ALG_SHA256, 8), 32);
	p->banks[0].pcrs[8].values[0].what = strdup("");
	expect(p, &b, JOURNAL, AP_ACCEPTED, AP_C_OK);
	journal_free(j);
	boot_done(&b);
	policy_free(p);
}

/* --- initrd --------------------------------------------------------------- */

static void
an_initrd_must_be_measured_and_allowed(void **state)
{
	struct policy *p = reference_policy();
	struct boot b = reference();
	struct boot without = mangled(AT_INITRD, DROP, NULL);

	(void)state;
	/* Even where PCR 9's other events are not held to a list. */
	p->banks[0].pcrs[9].kind = POL_IGNORE;
	expect(p, &b, LOG, AP_ACCEPTED, AP_C_OK);
	expect(p, &without, LOG, AP_REFUSED, AP_C_INITRD);
	expect(p, &without, JOURNAL, AP_REFUSED, AP_C_INITRD);
	p->initrds[0].val[0] ^= 1;
	expect(p, &b, LOG, AP_REFUSED, AP_C_INITRD);
	p->initrds[0].val[0] ^= 1;
	b.pcrs.banks[0].valid &= ~(1u << 9);
	expect(p, &b, LOG, AP_REFUSED, AP_C_INITRD);
	boot_done(&b);
	boot_done(&without);
	policy_free(p);
}

static void
a_report_reads_as_json(void **state)
{
	struct policy *p = reference_policy();
	struct boot b = mangled(AT_LINUX, RETEXT, "linuxefi " LINE " evil=1");
	struct ap_report *r = judge(p, &b, LOG);
	char *text = ap_report_json(r);
	int c;

	(void)state;
	assert_non_null(text);
	assert_non_null(strstr(text, "\"verdict\": \"refused\""));
	assert_non_null(strstr(text, "\"code\": \"event-unknown\""));
	assert_non_null(strstr(text, "evil=1"));
	assert_int_equal(r->nevents, EVENTS);
	free(text);
	ap_report_free(r);
	ap_report_free(NULL);
	boot_done(&b);
	policy_free(p);
	for (c = 0; c < AP_C_NCODES; c++)
		assert_string_not_equal(
		    ap_code_name((enum ap_code)c), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_reference_boot_is_accepted_from_log_journal_and_both),
		cmocka_unit_test(one_word_more_on_the_command_line_is_named),
		cmocka_unit_test(no_event_can_be_changed_dropped_or_doubled),
		cmocka_unit_test(events_out_of_order_are_called_so),
		cmocka_unit_test(a_log_whose_words_lie_is_refused),
		cmocka_unit_test(an_old_log_does_not_explain_new_pcrs),
		cmocka_unit_test(log_and_journal_that_differ_are_named),
		cmocka_unit_test(missing_evidence_is_refused),
		cmocka_unit_test(pcrs_that_prove_nothing_are_refused),
		cmocka_unit_test(
		    worker_restart_restore_and_late_attach_are_refused),
		cmocka_unit_test(a_journal_without_power_on_is_late),
		cmocka_unit_test(a_wiped_flag_hides_no_restart),
		cmocka_unit_test(chained_pcrs_are_judged_by_value_only),
		cmocka_unit_test(an_initrd_must_be_measured_and_allowed),
		cmocka_unit_test(a_report_reads_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
