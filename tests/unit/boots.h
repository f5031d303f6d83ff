/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * boots.h - boots, good and tampered, and a verifier that judges them; needs
 * cmocka.h before it.
 */
#ifndef TESTS_BOOTS_H
#define TESTS_BOOTS_H

#include "measure/appraise/appraise.h"
#include "measure/appraise/appraise_report.h"
#include "measure/appraise/policy.h"
#include "measure/appraise/policy_gen.h"
#include "measure/log/eventlog.h"
#include "measure/log/journal.h"
#include "measure/log/journal_codec.h"
#include "measure/log/launch_record.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "tests/unit/replay.h"
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

static inline void
boot_done(struct boot *b)
{
	free(b->log.p);
	free(b->host.p);
	free(b->journal.p);
	free(b->record.p);
	memset(b, 0, sizeof(*b));
}

static inline void
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
static inline struct boot
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

static inline void
copy_event(struct el_writer *w, const struct el_event *ev, enum mangle m,
    const char *text)
{
	struct el_event e = *ev;
	char buf[256];
	int len;

	if (text == NULL)
		text = "";
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
static inline struct boot
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
	assert_int_equal(el_replay(&b.pcrs, b.log.p, b.log.len), VT_OK);
	j = journal_of_log(&b.log, &sha256, 1);
	set_journal(&b, j);
	journal_free(j);
	free(ref.p);
	return b;
}

static inline struct policy *
policy_of(const char *json)
{
	char err[POLICY_ERR_MAX];
	struct policy *p = NULL;

	if (policy_parse(json, strlen(json), &p, err) != VT_OK)
		fail_msg("%s", err);
	return p;
}

/* A policy from the reference boot; words: known from its log. */
static inline struct policy *
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

static inline struct ap_report *
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

static inline void
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

static inline struct boot
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

static inline void
act_cap(struct journal *j)
{
	assert_int_equal(journal_add_cap(j, PCR_ALL), VT_OK);
}

static inline void
act_restored(struct journal *j)
{
	assert_int_equal(journal_add_restored(j), VT_OK);
}

static inline void
act_late(struct journal *j)
{
	assert_int_equal(journal_add_note(j, JN_LATE), VT_OK);
}

static inline void
act_startup(struct journal *j)
{
	assert_int_equal(journal_add_startup(j, 0, true), VT_OK);
}

#endif
