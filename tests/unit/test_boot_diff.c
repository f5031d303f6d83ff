/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_boot_diff.c - the first event that differs is named, with the word and
 * the cause.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"
#include "base/util.h"
#include "measure/log/boot_diff.h"
#include "measure/log/eventlog.h"
#include "tests/unit/vector.h"

#define RECORDED "tests/vectors/ovmf-grub-linux-6.1.eventlog"
#define CMDLINE "kernel_cmdline: /vmlinuz console=ttyS0 panic=-1 quiet"

static struct replay *
replayed(const uint8_t *p, size_t len)
{
	char err[REPLAY_ERR_MAX];
	struct replay *r = NULL;

	if (replay_make(p, len, &r, err) != VT_OK)
		fail_msg("%s", err);
	return r;
}

/* What to do to the recorded boot: event number at (in the log with its
 * NO_ACTION events) is dropped, doubled, or measured anew from text. */
struct tamper {
	const char *what;
	uint32_t pcr, pos; /* the event */
	enum { DROP, TWICE, TEXT, CONTENT } how;
	const char *text;
	const char *line, *cause;
};

static void
write_event(
    struct el_writer *w, const struct el_event *ev, const struct tamper *t)
{
	static const uint8_t other[] = "another file";

	if (t->how == TEXT) {
		/* GRUB measures what follows the prefix. */
		const char *m = strchr(t->text, ' ') + 1;

		el_add(w, ev->pcr, ev->type, m, strlen(m), t->text,
		    strlen(t->text) + 1);
		return;
	}
	if (t->how == CONTENT)
		el_add(w, ev->pcr, ev->type, other, sizeof(other), ev->data,
		    ev->datalen);
	for (int n = t->how == TWICE ? 2 : 0; n > 0; n--)
		el_add_digests(w, ev->pcr, ev->type, ev->digests, ev->ndigests,
		    ev->data, ev->datalen);
}

static struct replay *
tampered(const struct bytes *b, const struct tamper *t)
{
	uint16_t algs[] = { ALG_SHA256 };
	struct el_writer *w = NULL;
	struct el_log *log = NULL;
	struct el_event ev;
	struct replay *r;
	const uint8_t *p;
	uint32_t pos = 0;
	size_t len;

	assert_int_equal(el_writer_new(algs, 1, false, &w), VT_OK);
	assert_int_equal(el_open(b->p, b->len, &log), VT_OK);
	while (el_next(log, &ev) == 1) {
		if (!el_extends(&ev))
			continue;
		pos += t != NULL && ev.pcr == t->pcr;
		if (t != NULL && ev.pcr == t->pcr && pos == t->pos)
			write_event(w, &ev, t);
		else
			el_add_digests(w, ev.pcr, ev.type, ev.digests,
			    ev.ndigests, ev.data, ev.datalen);
	}
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_OK);
	r = replayed(p, len);
	el_close(log);
	el_writer_free(w);
	return r;
}

static void
the_event_the_word_and_the_cause_are_named(void **state)
{
	/* clang-format off */
	static const struct tamper cases[] = {
		{ "a word added", 8, 3, TEXT, CMDLINE " init=/bin/sh",
		  "PCR 8 event 3: added \"init=/bin/sh\"", "command line" },
		{ "a word removed", 8, 3, TEXT,
		  "kernel_cmdline: /vmlinuz console=ttyS0 quiet",
		  "PCR 8 event 3: removed \"panic=-1\"", "command line" },
		{ "a word changed", 8, 3, TEXT,
		  "kernel_cmdline: /vmlinuz console=ttyS0 panic=-2 quiet",
		  "PCR 8 event 3: \"panic=-2\" instead of \"panic=-1\"",
		  "command line" },
		{ "a GRUB word", 8, 1, TEXT, "grub_cmd: set timeout=9",
		  "PCR 8 event 1: \"timeout=9\" instead of \"timeout=0\"",
		  "grub.cfg" },
		{ "kernel", 9, 1, CONTENT, NULL,
		  "PCR 9 event 1: other content of: file \"(hd0)/vmlinuz\"",
		  "kernel update" },
		{ "initrd", 9, 4, CONTENT, NULL,
		  "PCR 9 event 4: other content of: file \"/initrd.gz\"",
		  "initrd" },
		{ "Secure Boot", 7, 1, CONTENT, NULL,
		  "PCR 7 event 1: other content of: EFI variable "
		  "\"SecureBoot\"", "Secure Boot was switched" },
		{ "dbx", 7, 5, CONTENT, NULL, "PCR 7 event 5: ", "dbx" },
		{ "firmware", 0, 2, CONTENT, NULL, "PCR 0 event 2: ",
		  "other firmware" },
		{ "boot order", 1, 1, CONTENT, NULL, "PCR 1 event 1: ",
		  "boot order" },
		{ "dropped", 8, 4, DROP, NULL, "PCR 8 event 4: missing: GRUB "
		  "command \"initrdefi /initrd.gz\"", "grub.cfg" },
		{ "doubled", 9, 2, TWICE, NULL, "PCR 9 event 3: added: file "
		  "\"(hd0)/grub.cfg\"", "configuration" },
	};
	/* clang-format on */
	char line[EXPLAIN_LINE];
	struct boot_diffs d = { 0 };
	struct bytes b = { 0 };
	struct replay *good;
	struct explain e;
	size_t i;

	(void)state;
	assert_int_equal(read_file(RECORDED, 1 << 20, &b.p, &b.len), VT_OK);
	good = tampered(&b, NULL);
	assert_int_equal(boot_diff(good, good, &d), VT_OK);
	assert_int_equal(d.n, 0);
	boot_diffs_done(&d);
	for (i = 0; i < VT_NELEM(cases); i++) {
		struct replay *bad = tampered(&b, &cases[i]);

		assert_int_equal(boot_diff(good, bad, &d), VT_OK);
		assert_int_equal(d.n, 1);
		e = boot_diff_explain(&d.d[0]);
		explain_line(&e, line, sizeof(line));
		print_message(
		    "  %s: %s (%s)\n", cases[i].what, line, explain_cause(&e));
		assert_int_equal(
		    strncmp(line, cases[i].line, strlen(cases[i].line)), 0);
		assert_non_null(strstr(explain_cause(&e), cases[i].cause));
		boot_diffs_done(&d);
		replay_free(bad);
	}
	replay_free(good);
	free(b.p);
}

/* A log of two banks with one event, its digests of these words. */
static struct replay *
two_banks(const char *sha256, const char *sha384)
{
	uint16_t algs[] = { ALG_SHA256, ALG_SHA384 };
	const char *words[] = { sha256, sha384 };
	struct tpm_digest d[2] = { 0 };
	struct el_writer *w = NULL;
	struct replay *r;
	const uint8_t *p;
	size_t len, i;

	for (i = 0; i < 2; i++) {
		d[i].alg = algs[i];
		d[i].len = (uint16_t)digest_len(algs[i]);
		assert_int_equal(
		    digest_buf(algs[i], words[i], strlen(words[i]), d[i].val),
		    VT_OK);
	}
	assert_int_equal(el_writer_new(algs, 2, false, &w), VT_OK);
	el_add_digests(w, 8, EV_IPL, d, 2, "x", 2);
	assert_int_equal(el_writer_bytes(w, &p, &len), VT_OK);
	r = replayed(p, len);
	el_writer_free(w);
	return r;
}

static void
every_bank_counts(void **state)
{
	static const char *const other[][2] = { { "x", "y" }, { "y", "x" },
		{ "y", "y" } };
	struct replay *good = two_banks("x", "x"), *bad;
	struct boot_diffs d = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(other); i++) {
		bad = two_banks(other[i][0], other[i][1]);
		assert_int_equal(boot_diff(good, bad, &d), VT_OK);
		assert_int_equal(d.n, 1);
		boot_diffs_done(&d);
		replay_free(bad);
	}
	bad = two_banks("x", "x");
	assert_int_equal(boot_diff(good, bad, &d), VT_OK);
	assert_int_equal(d.n, 0);
	boot_diffs_done(&d);
	replay_free(bad);
	replay_free(good);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bank_counts),
		cmocka_unit_test(the_event_the_word_and_the_cause_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
