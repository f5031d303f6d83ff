/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "measure/log/trail_describe.h"
#include "measure/appraise/policy_diff.h"
#include "tests/unit/boots.h"
#include "tests/unit/replay.h"

static char trail_err[TRAIL_ERR_MAX];

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
	assert_int_equal(el_replay(&b.pcrs, b.log.p, b.log.len), VT_OK);
	return b;
}

#define H_A "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
#define H_B "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"
#define H_C "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6"

/* vtpm-measure diff says the same without evidence. */
static bool
differs(const struct policy *p, const struct boot *b)
{
	char err[REPLAY_ERR_MAX];
	struct policy_diffs d = { 0 };
	struct replay *r = NULL;
	bool any;

	assert_int_equal(replay_make(b->log.p, b->log.len, &r, err), VT_OK);
	assert_int_equal(policy_diff(p, r, &d), VT_OK);
	any = d.n > 0;
	policy_diffs_done(&d);
	replay_free(r);
	return any;
}

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
		{ 3, "bab", AP_REFUSED },
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
		assert_int_equal(r->ndiffs > 0, r->verdict == AP_REFUSED);
		assert_int_equal(differs(p, &b), r->verdict == AP_REFUSED);
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
	    "PCR 8 event 5: missing: GRUB command \"boot\" (grub.cfg, grubenv "
	    "or a choice at the menu changed)");
	ap_report_free(r);
	boot_done(&b);
	policy_free(p);
}

/* --- merging -------------------------------------------------------------- */

static struct trail *
merged(const struct bytes *log, const struct journal *j)
{
	struct trail_in in = { .alg = ALG_SHA256, .journal = j };
	struct trail *t;

	in.logs[1].p = log->p;
	in.logs[1].len = log->len;
	assert_int_equal(trail_make(&in, &t, trail_err), VT_OK);
	return t;
}

static void
after_a_difference_the_log_gives_no_words(void **state)
{
	struct boot ref = reference(), bad = mangled(AT_LINUX, FLIP, NULL);
	struct journal *j = journal_of_log(&ref.log, &sha256, 1);
	struct trail *t = merged(&bad.log, j);
	uint32_t i;

	(void)state;
	assert_true(t->diff.differs);
	assert_int_equal(t->diff.pcr, 8);
	assert_int_equal(t->diff.pos, 2);
	assert_int_equal(t->diff.log_index, AT_LINUX);
	assert_int_equal(t->diff_mask, 1 << 8);
	for (i = 0; i < t->n; i++)
		assert_int_equal(
		    t->ev[i].log >= 0, t->ev[i].pcr != 8 || t->ev[i].pos < 2);
	trail_free(t);
	journal_free(j);
	boot_done(&ref);
	boot_done(&bad);
}

static void
an_event_that_the_tpm_never_saw_is_a_difference(void **state)
{
	struct boot ref = reference();
	struct boot more = mangled(EVENTS - 1, DOUBLE, NULL);
	struct journal *j = journal_of_log(&ref.log, &sha256, 1);
	struct trail *t = merged(&more.log, j);

	(void)state;
	assert_true(t->diff.differs);
	assert_int_equal(t->diff.pcr, 5);
	assert_int_equal(t->diff.pos, 4);
	assert_int_equal(t->diff.record, -1);
	trail_free(t);
	/* The other way round is none: userspace extends without a log. */
	journal_free(j);
	j = journal_of_log(&more.log, &sha256, 1);
	t = merged(&ref.log, j);
	assert_false(t->diff.differs);
	assert_int_equal(t->n, EVENTS + 1);
	assert_int_equal(t->ev[t->n - 1].log, -1);
	trail_free(t);
	journal_free(j);
	boot_done(&ref);
	boot_done(&more);
}

/* What a reset wiped is not in the trail, and the reset is remembered. */
static void
resets_are_followed_and_remembered(void **state)
{
	static const char json[] =
	    "{\"format\": \"vtpm-policy 1\", \"allow\":"
	    " {\"unmeasured-initrd\": \"test\"}, \"banks\": {\"sha256\":"
	    " {\"23\": {\"events\": [\"01%062d\"]}}}}";
	struct tpm_digest one = { .alg = ALG_SHA256, .len = 32, .val = { 1 } };
	struct trail_in in = { .alg = ALG_SHA256 };
	struct boot b = { 0 };
	struct journal *j;
	struct policy *p;
	char text[512];
	struct trail *t;

	(void)state;
	(void)snprintf(text, sizeof(text), json, 0);
	p = policy_of(text);
	assert_int_equal(journal_new(&sha256, 1, &j), VT_OK);
	assert_int_equal(journal_power_cycle(j), VT_OK);
	assert_int_equal(journal_add_startup(j, 0, true), VT_OK);
	assert_int_equal(
	    journal_add_extend(j, JR_EXTEND, 0, 23, &one, 1), VT_OK);
	assert_int_equal(journal_replay(j, &b.pcrs), VT_OK);
	set_journal(&b, j);
	expect(p, &b, JOURNAL, AP_ACCEPTED, AP_C_OK);
	/* The same value once more, but after a reset. */
	assert_int_equal(journal_add_reset(j, 0, 23, 0), VT_OK);
	assert_int_equal(
	    journal_add_extend(j, JR_EXTEND, 0, 23, &one, 1), VT_OK);
	set_journal(&b, j);
	expect(p, &b, JOURNAL, AP_REFUSED, AP_C_PCR_RESET);
	in.journal = j;
	assert_int_equal(trail_make(&in, &t, trail_err), VT_OK);
	assert_int_equal(t->n, 1);
	assert_int_equal(t->reset_mask, 1 << 23);
	trail_free(t);
	/* A second Startup wipes all. */
	assert_int_equal(journal_add_startup(j, 0, true), VT_OK);
	assert_int_equal(trail_make(&in, &t, trail_err), VT_OK);
	assert_int_equal(t->n, 0);
	trail_free(t);
	journal_free(j);
	boot_done(&b);
	policy_free(p);
}

/* --- words ---------------------------------------------------------------- */

static const uint8_t db_absent[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	14, 15, 16, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'd', 0, 'b',
	0 };
/* clang-format off */
static const struct {
	uint32_t	 pcr, type;
	const void	*measured;
	size_t		 mlen;
	const void	*data;
	size_t		 dlen;
	const char	*words;
} wordings[] = {
#define SAME(d, n) d, n, d, n
	{ 4, EV_SEPARATOR, SAME("\0\0\0\0", 4), "separator" },
	{ 4, EV_SEPARATOR, SAME("\1\0\0\0", 4), "error separator" },
	{ 7, EV_EFI_VARIABLE_DRIVER_CONFIG, SAME(db_absent, sizeof(db_absent)),
	    "EFI variable \"db\" (absent)" },
	{ 7, EV_EFI_VARIABLE_AUTHORITY, SAME(db_absent, sizeof(db_absent)),
	    "authority in EFI variable \"db\" (absent)" },
	{ 8, EV_IPL, "a\nb", 3, "grub_cmd: a\nb", 14,
	    "GRUB command \"a\\nb\"" },
	{ 8, EV_IPL, "", 0, "module_cmdline: ", 17,
	    "module command line \"\"" },
	{ 8, EV_IPL, "ls", 3, "grub_cmd ls", 12,
	    "GRUB string \"ls\"" },
	{ 9, EV_IPL, "file", 4, "/x\"\x80", 5, "file \"/x\\\"\\x80\"" },
	{ 12, EV_IPL, "x", 1, "q\0u\0\0", 6, "boot option \"qu\"" },
	{ 12, EV_IPL, "x", 1, "q\0uu", 4,
	    "boot option \"q\\x00uu\"" },
	{ 12, EV_IPL, "x", 1, "q\0u", 4, "boot option \"qu\"" },
	{ 9, EV_EVENT_TAG, "x", 1, "\xec\x22\x3b\x8f", 4,
	    "initrd, measured by the kernel's EFI stub" },
	{ 9, EV_EVENT_TAG, "x", 1, "\xed\x22\x3b\x8f", 4,
	    "kernel load options, measured by its EFI stub" },
	{ 9, EV_EVENT_TAG, "x", 1, "\x52\x4c\x54\x56", 4,
	    "tagged event" },
	{ 5, EV_EFI_ACTION, SAME("Exit", 4), "action \"Exit\"" },
	{ 0, EV_S_CRTM_VERSION, SAME("1\0.\0\0", 6),
	    "firmware version \"1.\"" },
	{ 0, EV_S_CRTM_VERSION, SAME("v1", 3),
	    "firmware version \"v1\"" },
	{ 0, EV_EFI_PLATFORM_FIRMWARE_BLOB, "x", 1,
	    "\0\0\1\0\0\0\0\0\2\0\0\0\0\0\0", 16,
	    "firmware volume at 0x10000, 2 bytes" },
	{ 0, EV_EFI_PLATFORM_FIRMWARE_BLOB2, "x", 1, "\1n", 2,
	    "firmware volume" },
	{ 5, EV_EFI_GPT_EVENT, SAME("g", 1), "partition table" },
	{ 4, EV_EFI_BOOT_SERVICES_APPLICATION, "x", 1, "short", 5,
	    "EFI application" },
	{ 2, 0x8401, "x", 1, "v", 1, "event of type 0x8401" },
	{ 4, EV_SEPARATOR, "x", 1, "\0\0\0\0", 4,
	    "event whose text does not fit its digest" },
};
/* clang-format on */

static void
events_are_put_into_words(void **state)
{
	struct trail_event ev;
	struct trail t = { .alg = ALG_SHA256, .len = 32 };
	char words[128], *tight;
	uint8_t *copy;
	size_t i, cap;

	(void)state;
	for (i = 0; i < VT_NELEM(wordings); i++) {
		memset(&ev, 0, sizeof(ev));
		ev.pcr = wordings[i].pcr;
		ev.type = wordings[i].type;
		copy = exact_copy(wordings[i].data, wordings[i].dlen);
		ev.data = copy;
		ev.datalen = (uint32_t)wordings[i].dlen;
		assert_int_equal(digest_buf(ALG_SHA256, wordings[i].measured,
				     wordings[i].mlen, ev.val),
		    VT_OK);
		trail_describe(&t, &ev, words, sizeof(words));
		assert_string_equal(words, wordings[i].words);
		for (cap = 1; cap < 12; cap++) { /* never past its buffer */
			tight = malloc(cap);
			assert_non_null(tight);
			trail_describe(&t, &ev, tight, cap);
			assert_true(strlen(tight) < cap);
			assert_memory_equal(tight, words, strlen(tight));
			free(tight);
		}
		free(copy);
	}
}

/* Exact heap copies, so that a sanitizer sees one byte too many. */
static void
no_prefix_of_an_event_is_read_past_its_end(void **state)
{
	struct trail t = { .alg = ALG_SHA256, .len = 32 };
	struct trail_event ev = { 0 };
	char words[128];
	uint8_t *copy;
	size_t i, len;

	(void)state;
	for (i = 0; i < VT_NELEM(wordings); i++)
		for (len = 0; len <= wordings[i].dlen; len++) {
			copy = exact_copy(wordings[i].data, len);
			ev.pcr = wordings[i].pcr;
			ev.type = wordings[i].type;
			ev.data = copy;
			ev.datalen = (uint32_t)len;
			trail_describe(&t, &ev, words, sizeof(words));
			assert_true(words[0] != '\0');
			free(copy);
		}
}

/* A digest that is right only with the byte behind the event. */
static void
bytes_behind_an_event_are_not_part_of_it(void **state)
{
	static const char data[] = "grub_cmd lsX";
	struct trail t = { .alg = ALG_SHA256, .len = 32 };
	struct trail_event ev = { .pcr = 8,
		.type = EV_IPL,
		.data = (const uint8_t *)data,
		.datalen = sizeof(data) - 2 };

	(void)state;
	assert_int_equal(digest_buf(ALG_SHA256, "lsX", 3, ev.val), VT_OK);
	assert_int_equal(trail_fit(&t, &ev), TF_LIE);
}

/* --- logs that lie -------------------------------------------------------- */

static struct boot
of_events(void (*add)(struct el_writer *))
{
	struct boot b = { 0 };
	struct el_writer *w;
	const uint8_t *p;

	assert_int_equal(el_writer_new(&sha256, 1, false, &w), VT_OK);
	add(w);
	assert_int_equal(el_writer_bytes(w, &p, &b.log.len), VT_OK);
	b.log.p = exact_copy(p, b.log.len);
	el_writer_free(w);
	assert_int_equal(pcr_set_init(&b.pcrs, &sha256, 1), VT_OK);
	pcr_set_reset(&b.pcrs, 0);
	return b;
}

static void
add_forged_separator(struct el_writer *w)
{
	el_add(w, 4, EV_SEPARATOR, "evil", 4, "\0\0\0\0", 4);
}

static void
add_forged_variable(struct el_writer *w)
{
	el_add(w, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, "evil", 4, "good", 4);
}

static void
add_two_dialects(struct el_writer *w)
{
	/* UEFI_VARIABLE_DATA: GUID, one character, one byte */
	static const uint8_t var[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
		13, 14, 15, 16, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
		'B', 0, 7 };

	el_add_data(w, 1, EV_EFI_VARIABLE_BOOT, var, sizeof(var));
	el_add(w, 1, EV_EFI_VARIABLE_BOOT, var + 34, 1, var, sizeof(var));
}

static void
add_no_action_with_digest(struct el_writer *w)
{
	struct tpm_digest d = { .alg = ALG_SHA256, .len = 32, .val = { 1 } };

	el_add_digests(w, 1, EV_NO_ACTION, &d, 1, "x", 1);
}

static void
logs_that_contradict_themselves_are_refused(void **state)
{
	static const struct {
		void (*add)(struct el_writer *);
		enum ap_code code;
	} cases[] = { { add_forged_separator, AP_C_LOG_LIES },
		{ add_forged_variable, AP_C_LOG_LIES },
		{ add_two_dialects, AP_C_LOG_LIES },
		{ add_no_action_with_digest, AP_C_LOG_BAD } };
	struct policy *p = reference_policy();
	struct boot b;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		b = of_events(cases[i].add);
		expect(p, &b, LOG, AP_REFUSED, cases[i].code);
		boot_done(&b);
	}
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
	assert_int_equal(el_replay(&b.pcrs, b.host.p, b.host.len), VT_OK);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_match_as_written),
		cmocka_unit_test(a_list_that_goes_on_says_what_is_missing),
		cmocka_unit_test(after_a_difference_the_log_gives_no_words),
		cmocka_unit_test(
		    an_event_that_the_tpm_never_saw_is_a_difference),
		cmocka_unit_test(resets_are_followed_and_remembered),
		cmocka_unit_test(events_are_put_into_words),
		cmocka_unit_test(no_prefix_of_an_event_is_read_past_its_end),
		cmocka_unit_test(bytes_behind_an_event_are_not_part_of_it),
		cmocka_unit_test(logs_that_contradict_themselves_are_refused),
		cmocka_unit_test(a_measured_launch_is_held_to_its_record),
		cmocka_unit_test(
		    configuration_and_files_of_a_launch_are_held_to_the_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
