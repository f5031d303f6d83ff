/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "measure/appraise.h"
#include "measure/launch.h"
#include "tests/unit/vector.h"

#define LINE "/vmlinuz console=ttyS0 panic=-1 quiet"
#define EVENTS 36
#define AT_LINUX 28 /* events of the log: the linuxefi command, */
#define AT_INITRDEFI 31
#define AT_INITRD 32 /* the file in PCR 9, */
#define AT_BOOT 33   /* GRUB's "boot" */

static const uint16_t sha256 = ALG_SHA256;

/* A boot: what a verifier gets to see of it. */
struct boot {
	struct bytes log, host, journal, record;
	struct pcr_set pcrs;
};

static void
boot_done(struct boot *b)
{
	free(b->log.p);
	free(b->host.p);
	free(b->journal.p);
	free(b->record.p);
	memset(b, 0, sizeof(*b));
}

static void
set_journal(struct boot *b, const struct journal *j)
{
	struct wr w;

	free(b->journal.p);
	wr_grow(&w, JOURNAL_MAX_LEN);
	journal_encode(j, &w);
	assert_int_equal(wr_err(&w), VT_OK);
	b->journal.p = exact_copy(w.buf, w.len);
	b->journal.len = w.len;
	wr_free(&w);
}

/* Log and PCRs of the reference boot, and the journal of it. */
static struct boot
reference(void)
{
	struct boot b = { .log = vector_log() };
	struct journal *j = journal_of_log(&b.log, &sha256, 1);

	vector_pcrs(&b.pcrs);
	pcr_fill(&b.pcrs, 10, 0);
	set_journal(&b, j);
	journal_free(j);
	return b;
}

/* What to do to event n of the reference boot. */
enum mangle { KEEP, RETEXT, FLIP, DROP, DOUBLE, SWAP, LIE };

static void
copy_event(struct el_writer *w, const struct el_event *ev, enum mangle m,
    const char *text)
{
	struct el_event e = *ev;
	char buf[256];
	int len;

	switch (m) {
	case RETEXT:
		len = snprintf(buf, sizeof(buf), "grub_cmd: %s", text);
		el_add(
		    w, e.pcr, e.type, text, strlen(text), buf, (size_t)len + 1);
		return;
	case FLIP:
		e.digests[1].val[5] ^= 0x10; /* SHA-256 is the second bank */
		break;
	case DROP:
		return;
	case LIE: /* the digest of one text, the words of another */
		el_add(w, e.pcr, e.type, text, strlen(text), e.data, e.datalen);
		return;
	case DOUBLE:
		el_add_digests(
		    w, e.pcr, e.type, e.digests, e.ndigests, e.data, e.datalen);
		break;
	default:
		break;
	}
	el_add_digests(
	    w, e.pcr, e.type, e.digests, e.ndigests, e.data, e.datalen);
}

/* Another boot, really measured: log, journal and PCRs agree. */
static struct boot
mangled(uint32_t at, enum mangle m, const char *text)
{
	struct bytes ref = vector_log();
	struct boot b = { 0 };
	struct el_event ev, held;
	struct el_writer *w;
	struct journal *j;
	struct el_log *log;
	const uint8_t *p;
	bool holding = false;

	assert_int_equal(el_open(ref.p, ref.len, &log), VT_OK);
	assert_int_equal(
	    el_writer_new(el_spec(log)->algs, el_spec(log)->nbanks, false, &w),
	    VT_OK);
	while (el_next(log, &ev) == 1) {
		if (ev.index == at && m == SWAP) {
			held = ev;
			holding = true;
			continue;
		}
		copy_event(w, &ev, ev.index == at ? m : KEEP, text);
		if (holding && ev.pcr == held.pcr) {
			copy_event(w, &held, KEEP, NULL);
			holding = false;
		}
	}
	assert_int_equal(el_writer_bytes(w, &p, &b.log.len), VT_OK);
	b.log.p = exact_copy(p, b.log.len);
	el_writer_free(w);
	el_close(log);
	assert_int_equal(pcr_set_init(&b.pcrs, &sha256, 1), VT_OK);
	assert_int_equal(pcr_replay_log(&b.pcrs, b.log.p, b.log.len), VT_OK);
	j = journal_of_log(&b.log, &sha256, 1);
	set_journal(&b, j);
	journal_free(j);
	free(ref.p);
	return b;
}

static struct policy *
policy_of(const char *json)
{
	char err[POLICY_ERR_MAX];
	struct policy *p = NULL;

	if (policy_parse(json, strlen(json), &p, err) != VT_OK)
		fail_msg("%s", err);
	return p;
}

/* A policy from the reference boot; words: known from its log. */
static struct policy *
reference_policy(void)
{
	struct bytes log = vector_log();
	struct policy_gen g = { .name = "reference" };
	char err[POLICY_ERR_MAX], *json;
	struct policy *p;

	g.logs[1].p = log.p;
	g.logs[1].len = log.len;
	if (policy_generate(&g, &json, err) != VT_OK)
		fail_msg("%s", err);
	p = policy_of(json);
	p->need_log = false; /* the journal alone will do in these tests */
	free(json);
	free(log.p);
	return p;
}

enum { LOG = 1, JOURNAL = 2, HOST = 4, RECORD = 8 };

static struct ap_report *
judge(const struct policy *p, const struct boot *b, int what)
{
	struct ap_in in = { .policy = p, .pcrs = &b->pcrs };
	struct ap_report *r;

	if (what & LOG) {
		in.logs[1].p = b->log.p;
		in.logs[1].len = b->log.len;
	}
	if (what & HOST) {
		in.logs[0].p = b->host.p;
		in.logs[0].len = b->host.len;
	}
	if (what & JOURNAL) {
		in.journal = b->journal.p;
		in.journal_len = b->journal.len;
	}
	if (what & RECORD) {
		in.record = b->record.p;
		in.record_len = b->record.len;
	}
	assert_int_equal(appraise(&in, &r), VT_OK);
	return r;
}

static void
expect(const struct policy *p, const struct boot *b, int what,
    enum ap_verdict verdict, enum ap_code code)
{
	struct ap_report *r = judge(p, b, what);

	if (r->n > 0)
		print_message("  %s\n", r->findings[0].words);
	assert_int_equal(r->verdict, verdict);
	if (code == AP_C_OK)
		assert_int_equal(r->n, 0);
	else
		assert_int_equal(r->findings[0].code, code);
	ap_report_free(r);
}

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
	    "PCR 8 event 2: GRUB command \"linuxefi " LINE " evil=1\" is not "
	    "in the reference, expected GRUB command \"linuxefi " LINE "\"");
	ap_report_free(r);
	/* Without the log's words the expectation is still named. */
	r = judge(p, &b, JOURNAL);
	assert_int_equal(r->findings[0].code, AP_C_EVENT_UNKNOWN);
	assert_non_null(strstr(r->findings[0].words, "expected GRUB command"));
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
	assert_non_null(strstr(r->findings[0].words,
	    "is in the reference, but not at this place"));
	ap_report_free(r);
	boot_done(&b);
	policy_free(p);
}

/* An attacker boots his own command line and keeps the log's old words. */
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
	for (i = 0; i < r->n; i++) /* the old words are not believed */
		assert_null(strstr(r->findings[i].words,
		    "GRUB command \"linuxefi " LINE "\" is not"));
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
	/* The old journal does not help him either. */
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
static struct boot
with_journal(void (*act)(struct journal *))
{
	struct boot b = reference();
	struct journal *j = journal_of_log(&b.log, &sha256, 1);

	act(j);
	set_journal(&b, j);
	assert_int_equal(journal_replay(j, &b.pcrs), VT_OK);
	journal_free(j);
	return b;
}

static void
act_cap(struct journal *j)
{
	assert_int_equal(journal_add_cap(j, PCR_ALL), VT_OK);
}

static void
act_restored(struct journal *j)
{
	assert_int_equal(journal_add_restored(j), VT_OK);
}

static void
act_late(struct journal *j)
{
	assert_int_equal(journal_add_note(j, JN_LATE), VT_OK);
}

static void
act_startup(struct journal *j)
{
	assert_int_equal(journal_add_startup(j, 0, true), VT_OK);
}

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
	boot_done(&b);
	policy_free(p);
}

static void
chained_pcrs_are_judged_by_value_only(void **state)
{
	struct boot b = reference();
	struct journal *j = journal_of_log(&b.log, &sha256, 1);
	struct el_digest d = { .alg = ALG_SHA256, .len = 32, .val = { 1 } };
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

/* --- lists with alternatives ---------------------------------------------- */

/* A boot whose PCR 8 was extended by H("a"), H("b"), ... */
static struct boot
letters(const char *s)
{
	struct boot b = { 0 };
	struct el_writer *w;
	const uint8_t *p;

	assert_int_equal(el_writer_new(&sha256, 1, false, &w), VT_OK);
	for (; *s != '\0'; s++)
		el_add(w, 8, EV_IPL, s, 1, s, 1);
	assert_int_equal(el_writer_bytes(w, &p, &b.log.len), VT_OK);
	b.log.p = exact_copy(p, b.log.len);
	el_writer_free(w);
	assert_int_equal(pcr_set_init(&b.pcrs, &sha256, 1), VT_OK);
	assert_int_equal(pcr_replay_log(&b.pcrs, b.log.p, b.log.len), VT_OK);
	return b;
}

#define H_A "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
#define H_B "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"
#define H_C "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6"

static void
lists_match_as_written(void **state)
{
	static const char head[] =
	    "{\"format\": \"vtpm-policy 1\", \"allow\":"
	    " {\"unmeasured-initrd\": \"test\"}, \"banks\": {\"sha256\":"
	    " {\"8\": {\"events\": [";
	/* a, then b or c, c may follow, b may repeat at the end */
	static const char *const lists[] = {
		"\"" H_A "\", {\"any\": [\"" H_B "\", \"" H_C "\"]}]}}}}",
		"{\"digest\": \"" H_A "\", \"optional\": true},"
		" {\"digest\": \"" H_B "\", \"repeat\": true},"
		" {\"digest\": \"" H_C "\", \"optional\": true,"
		" \"repeat\": true}]}}}}",
		"\"" H_A "\", \"" H_B "\"], \"unknown\":"
		" {\"after\": \"x\"}}}}}",
		"\"" H_A "\", \"" H_B "\"], \"unknown\":"
		" {\"anywhere\": \"x\"}}}}}",
		/* two ways to read one event: both are followed */
		"{\"digest\": \"" H_A "\", \"optional\": true}, \"" H_A
		"\", \"" H_B "\"]}}}}",
	};
	static const struct {
		int list;
		const char *boot;
		enum ap_verdict want;
	} cases[] = {
		{ 0, "ab", AP_ACCEPTED },
		{ 0, "ac", AP_ACCEPTED },
		{ 0, "a", AP_REFUSED },
		{ 0, "b", AP_REFUSED },
		{ 0, "abc", AP_REFUSED },
		{ 0, "ba", AP_REFUSED },
		{ 1, "ab", AP_ACCEPTED },
		{ 1, "b", AP_ACCEPTED },
		{ 1, "bbb", AP_ACCEPTED },
		{ 1, "abbcc", AP_ACCEPTED },
		{ 1, "aab", AP_REFUSED },
		{ 1, "a", AP_REFUSED },
		{ 1, "bcb", AP_REFUSED },
		{ 1, "c", AP_REFUSED },
		{ 2, "ab", AP_ACCEPTED },
		{ 2, "abxyz", AP_ACCEPTED },
		{ 2, "abab", AP_ACCEPTED },
		{ 2, "axb", AP_REFUSED },
		{ 2, "a", AP_REFUSED },
		{ 3, "xaxbx", AP_ACCEPTED },
		{ 3, "ab", AP_ACCEPTED },
		{ 3, "ba", AP_REFUSED },
		{ 3, "xa", AP_REFUSED },
		{ 4, "ab", AP_ACCEPTED },
		{ 4, "aab", AP_ACCEPTED },
		{ 4, "aaab", AP_REFUSED },
		{ 4, "b", AP_REFUSED },
	};
	char json[2048];
	struct ap_report *r;
	struct policy *p;
	struct boot b;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		(void)snprintf(
		    json, sizeof(json), "%s%s", head, lists[cases[i].list]);
		p = policy_of(json);
		b = letters(cases[i].boot);
		r = judge(p, &b, LOG);
		print_message("  list %d, %s\n", cases[i].list, cases[i].boot);
		assert_int_equal(r->verdict, cases[i].want);
		ap_report_free(r);
		boot_done(&b);
		policy_free(p);
	}
}

static void
a_list_that_goes_on_says_what_is_missing(void **state)
{
	struct policy *p = reference_policy();
	struct boot b = mangled(AT_BOOT, DROP, NULL);
	struct ap_report *r = judge(p, &b, LOG);

	(void)state;
	assert_int_equal(r->findings[0].code, AP_C_EVENT_MISSING);
	assert_string_equal(r->findings[0].words,
	    "PCR 8 ends after event 4, but the reference goes on with GRUB "
	    "command \"boot\"");
	ap_report_free(r);
	boot_done(&b);
	policy_free(p);
}

/* --- measured launch ------------------------------------------------------ */

static struct boot
direct_boot(const char *cmdline)
{
	struct launch_record *rec;
	struct boot b = { 0 };
	struct wr w;

	assert_int_equal(launch_new(&rec), VT_OK);
	rec->mode = LAUNCH_M_DIRECT;
	memset(rec->config_digest, 0x22, 32);
	assert_int_equal(
	    launch_measure(rec, LR_KERNEL, "/k", "kernel", 6, &sha256, 1),
	    VT_OK);
	assert_int_equal(
	    launch_measure(rec, LR_INITRD, "/i", "initrd", 6, &sha256, 1),
	    VT_OK);
	assert_int_equal(
	    launch_measure(rec, LR_CMDLINE, cmdline, NULL, 0, &sha256, 1),
	    VT_OK);
	wr_grow(&w, LAUNCH_MAX_LEN);
	launch_encode(rec, &w);
	b.record.p = exact_copy(w.buf, w.len);
	b.record.len = w.len;
	assert_int_equal(launch_make_log(b.record.p, b.record.len, &sha256, 1,
			     &b.host.p, &b.host.len),
	    VT_OK);
	assert_int_equal(pcr_set_init(&b.pcrs, &sha256, 1), VT_OK);
	assert_int_equal(pcr_replay_log(&b.pcrs, b.host.p, b.host.len), VT_OK);
	wr_free(&w);
	launch_free(rec);
	return b;
}

/* As a worker does it: its own Startup, the D-RTM, the log's events. */
static void
journal_of_launch(struct boot *b)
{
	struct el_event ev;
	struct journal *j;
	struct el_log *log;

	assert_int_equal(journal_new(&sha256, 1, &j), VT_OK);
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_add_startup(j, 0, true), VT_OK);
	assert_int_equal(journal_add_drtm_start(j), VT_OK);
	assert_int_equal(el_open(b->host.p, b->host.len, &log), VT_OK);
	while (el_next(log, &ev) == 1)
		if (ev.pcr == PCR_DRTM)
			assert_int_equal(
			    journal_add_drtm_end(j, ev.digests, ev.ndigests),
			    VT_OK);
		else
			assert_int_equal(
			    journal_add_extend(j, JR_HOST_EXTEND, 0, ev.pcr,
				ev.digests, ev.ndigests),
			    VT_OK);
	el_close(log);
	set_journal(b, j);
	journal_free(j);
}

static struct policy *
launch_policy(const struct boot *b)
{
	struct policy_gen g = { .record = b->record.p,
		.record_len = b->record.len };
	char err[POLICY_ERR_MAX], *json;
	struct policy *p;

	g.logs[0].p = b->host.p;
	g.logs[0].len = b->host.len;
	if (policy_generate(&g, &json, err) != VT_OK)
		fail_msg("%s", err);
	p = policy_of(json);
	free(json);
	return p;
}

static void
a_measured_launch_is_held_to_its_record(void **state)
{
	struct boot b = direct_boot("quiet"), other = direct_boot("quiet x");
	struct policy *p = launch_policy(&b);
	const int all = HOST | JOURNAL | RECORD;

	(void)state;
	assert_true(p->need_launch);
	assert_int_equal(p->ninitrds, 1);
	journal_of_launch(&b);
	journal_of_launch(&other);
	expect(p, &b, all, AP_ACCEPTED, AP_C_OK);
	expect(p, &b, HOST | RECORD, AP_ACCEPTED, AP_C_OK);
	expect(p, &b, JOURNAL | RECORD, AP_ACCEPTED, AP_C_OK);
	expect(p, &b, HOST | JOURNAL, AP_REFUSED, AP_C_LAUNCH_MISSING);
	expect(p, &other, all, AP_REFUSED, AP_C_EVENT_UNKNOWN);
	/* A record of another launch does not explain this PCR 17. */
	free(b.record.p);
	b.record = other.record;
	memset(&other.record, 0, sizeof(other.record));
	expect(p, &b, all, AP_REFUSED, AP_C_LAUNCH_DIFFERS);
	boot_done(&b);
	boot_done(&other);
	policy_free(p);
}

static void
configuration_and_files_of_a_launch_are_held_to_the_policy(void **state)
{
	static const char form[] =
	    "{\"format\": \"vtpm-policy 1\", \"allow\":"
	    " {\"unmeasured-initrd\": \"test\"}, \"launch\": {\"configs\":"
	    " [\"%s\"], \"files\": {\"%s\": {\"sha256\": [\"%s\"]}}},"
	    " \"banks\": {\"sha256\": {\"2\": {\"values\":"
	    " ["
	    "\"3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969"
	    "\"]}, \"0\": {\"ignore\": \"t\"}, \"1\": {\"ignore\": \"t\"},"
	    " \"3\": {\"ignore\": \"t\"}, \"4\": {\"ignore\": \"t\"},"
	    " \"5\": {\"ignore\": \"t\"}, \"6\": {\"ignore\": \"t\"},"
	    " \"7\": {\"ignore\": \"t\"}, \"8\": {\"ignore\": \"t\"},"
	    " \"9\": {\"ignore\": \"t\"}}}}";
	struct boot b = direct_boot("quiet");
	char json[2048], conf[65], bad[65], kernel[65];
	uint8_t d[32];
	struct policy *p;

	(void)state;
	memset(d, 0x22, 32);
	hex_encode(d, 32, conf);
	memset(d, 0x23, 32);
	hex_encode(d, 32, bad);
	assert_int_equal(digest_buf(ALG_SHA256, "kernel", 6, d), VT_OK);
	hex_encode(d, 32, kernel);
	(void)snprintf(json, sizeof(json), form, conf, "kernel", kernel);
	p = policy_of(json);
	expect(p, &b, HOST | RECORD, AP_ACCEPTED, AP_C_OK);
	policy_free(p);
	(void)snprintf(json, sizeof(json), form, bad, "kernel", kernel);
	p = policy_of(json);
	expect(p, &b, HOST | RECORD, AP_REFUSED, AP_C_LAUNCH_DIFFERS);
	policy_free(p);
	(void)snprintf(json, sizeof(json), form, conf, "kernel", bad);
	p = policy_of(json);
	expect(p, &b, HOST | RECORD, AP_REFUSED, AP_C_LAUNCH_DIFFERS);
	policy_free(p);
	(void)snprintf(json, sizeof(json), form, conf, "firmware", kernel);
	p = policy_of(json);
	expect(p, &b, HOST | RECORD, AP_REFUSED, AP_C_LAUNCH_DIFFERS);
	/* The quote must cover PCR 17 to prove a record. */
	b.pcrs.banks[0].valid &= ~(1u << 17);
	expect(p, &b, HOST | RECORD, AP_UNDECIDED, AP_C_PCR_MISSING);
	policy_free(p);
	boot_done(&b);
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
		cmocka_unit_test(chained_pcrs_are_judged_by_value_only),
		cmocka_unit_test(an_initrd_must_be_measured_and_allowed),
		cmocka_unit_test(lists_match_as_written),
		cmocka_unit_test(a_list_that_goes_on_says_what_is_missing),
		cmocka_unit_test(a_measured_launch_is_held_to_its_record),
		cmocka_unit_test(
		    configuration_and_files_of_a_launch_are_held_to_the_policy),
		cmocka_unit_test(a_report_reads_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
