/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_explain.c - what came is laid beside what was expected, and the first
 * difference is said in one line that fits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "measure/log/align.h"
#include "measure/log/explain.h"

/* --- align ------------------------------------------------------------------
 */

/* Expected: letters, '?' behind one makes it optional, '+' repeatable. */
struct letters {
	const char *want[32], *came;
	uint32_t nwant;
	char out[256];
};

static bool
same(void *ctx, uint32_t i, uint32_t j)
{
	const struct letters *l = ctx;

	return l->want[i][0] == l->came[j];
}

static bool
optional(void *ctx, uint32_t i)
{
	return ((const struct letters *)ctx)->want[i][1] == '?';
}

static bool
repeats(void *ctx, uint32_t i)
{
	return ((const struct letters *)ctx)->want[i][1] == '+';
}

/* Digits are allowed anywhere. */
static bool
passes(void *ctx, uint32_t j)
{
	const struct letters *l = ctx;

	return l->came[j] >= '0' && l->came[j] <= '9';
}

static void
differ(void *ctx, uint32_t i, uint32_t j, enum align_kind kind)
{
	struct letters *l = ctx;
	size_t used = strlen(l->out);

	(void)snprintf(l->out + used, sizeof(l->out) - used, "%c%c ",
	    kind == ALIGN_ADDED ? '.' : l->want[i][0],
	    kind == ALIGN_MISSING ? '.' : l->came[j]);
}

/* More than ALIGN_LOOKAHEAD. */
#define TEN "0123456789"
#define MANY TEN TEN TEN TEN TEN TEN TEN

static void
what_differs_is_named_once(void **state)
{
	/* clang-format off */
	static const struct {
		const char *want, *came;
		bool open;
		const char *out;
	} cases[] = {
		{ "abc", "abc", false, "" },
		{ "abc", "axc", false, "bx " },
		{ "abc", "ac", false, "b. " },
		{ "abc", "abxc", false, ".x " },
		{ "abc", "ab", false, "c. " },
		{ "abc", "abcd", false, ".d " },
		{ "abc", "abcd", true, "" },
		{ "abc", "abxcd", true, ".x " },
		{ "abc", "acb", false, ".c c. " },
		{ "ab?c", "ac", false, "" },
		{ "ab?c", "abc", false, "" },
		{ "ab?c", "axc", false, "bx " },
		{ "ab?", "a", false, "" },
		{ "ab?c?d", "ad", false, "" },
		{ "ab?c?d", "a", false, "d. " },
		{ "ab?cd", "aXd", false, "cX " },
		{ "ab+c", "abbbc", false, "" },
		{ "ab+c", "abxbc", false, ".x .b " },
		{ "", "ab", false, ".a .b " },
		{ "ab", "", false, "a. b. " },
		{ "abcdef", "aBCDef", false, "bB cC dD " },
		{ "abcdefghijklmnopqrstuvwxy", "ABCDEFGHIJKLMNOPQRSTUVWXy",
		  false, "aA bB cC dD eE fF gG hH iI jJ kK lL mM nN oO pP qQ "
		  "rR sS tT uU vV wW xX " },
		{ "abcdefghijklmnopqrstuvwxy", "ABCDEFGHIJKLMNOPQRST", false,
		  "aA bB cC dD eE fF gG hH iI jJ kK lL mM nN oO pP qQ "
		  "rR sS tT u. v. w. x. y. " },
		{ "abcdef", "ef", false, "a. b. c. d. " },
		{ "abc", "1a23b4c5", false, "" },
		{ "abc", "a1c", false, "b1 " }, /* in its place */
		{ "abc", "a12c", false, "b. " },
		{ "abc", "a1d2c", false, "bd " },
		{ "ac", "a1d2c", false, ".d " },
		{ "ab", MANY "ab", false, "" },
		{ "abc", "a" MANY "c", false, "b. " },
		{ "abc", "a" MANY "c" MANY, false, "b. " },
		{ "abc", "ax" MANY "c", false, "bx " },
		{ "abc", "axy" MANY "d", false, "bx cy .d " },
	};
	/* clang-format on */
	struct align al = { .same = same,
		.optional = optional,
		.repeats = repeats,
		.passes = passes,
		.differ = differ };
	struct letters l;
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		const char *p;

		memset(&l, 0, sizeof(l));
		for (p = cases[i].want; *p != '\0'; p++)
			if (*p != '?' && *p != '+')
				l.want[l.nwant++] = p;
		l.came = cases[i].came;
		al.ctx = &l;
		al.na = l.nwant;
		al.nb = (uint32_t)strlen(l.came);
		al.open_end = cases[i].open;
		align_run(&al);
		print_message("  %s, %s: %s\n", cases[i].want, l.came, l.out);
		assert_string_equal(l.out, cases[i].out);
	}
}

/* --- lines ------------------------------------------------------------------
 */

#define CFG "file \"(hd0)/grub.cfg\""
#define INITRD "part of the kernel image \".initrd\""
#define MENU "GRUB command \"menuentry m {\\n\\x09linux /k "
#define LINUX "GRUB command \"linux /vmlinuz ro"

static void
a_file_of_parts_is_named_with_the_first_that_differs(void **state)
{
	static const struct explain d[] = {
		{ 9, 2, CFG, CFG, EXPLAIN_SAID, 0 },
		{ 9, 3, "file \"/vmlinuz\"", "file \"/vmlinuz\"", 0, 0 },
		{ 8, 5, LINUX "\"", LINUX " init=/bin/sh\"", EXPLAIN_SAID, 0 },
	};
	static const struct explain uki[] = {
		{ 4, 2, "EFI application \"u\"", "EFI application \"u\"",
		    EXPLAIN_SAID, 0 },
		{ 11, 4, INITRD, INITRD, EXPLAIN_SAID, 0 },
	};
	char line[EXPLAIN_SHORT];

	(void)state;
	explain_headline(d, 3, line, sizeof(line));
	assert_string_equal(line,
	    "PCR 9 event 2: other content of: " CFG "; PCR 8 event 5: added "
	    "\"init=/bin/sh\": " LINUX " init=/bin/sh\" (GRUB's "
	    "configuration was edited)");
	explain_headline(uki, 2, line, sizeof(line));
	assert_string_equal(line,
	    "PCR 4 event 2: other content of: EFI application \"u\"; PCR 11 "
	    "event 4: other content of: part of the kernel image \".initrd\" "
	    "(a boot loader or kernel that firmware starts was replaced)");
	explain_headline(d + 1, 2, line, sizeof(line));
	assert_string_equal(line,
	    "PCR 9 event 3: other content of: file \"/vmlinuz\" (a kernel "
	    "update that was not approved)");
}

static void
what_is_behind_is_the_file_or_the_word(void **state)
{
	static const struct {
		struct explain e;
		const char *behind, *line;
	} cases[] = {
		{ { 9, 1, CFG, CFG, EXPLAIN_SAID, 0 }, "(hd0)/grub.cfg",
		    "PCR 9 event 1: other content of: " CFG },
		{ { 9, 1, CFG, "unnamed extend", EXPLAIN_UNSAID, 2 },
		    "(hd0)/grub.cfg",
		    "PCR 9 event 1: other content of: " CFG
		    ", or 2 others that are allowed" },
		{ { 8, 1, LINUX "\"", LINUX " x\"", EXPLAIN_SAID, 0 }, "x",
		    "PCR 8 event 1: added \"x\": " LINUX " x\"" },
		{ { 8, 1, LINUX " x\"", LINUX "\"", EXPLAIN_SAID, 0 }, "x",
		    "PCR 8 event 1: removed \"x\": " LINUX " x\"" },
		{ { 8, 1, LINUX "\"", LINUX "\"", EXPLAIN_LIES, 0 },
		    "linux /vmlinuz ro",
		    "PCR 8 event 1: other content of: " LINUX
		    "\", and its text is not what was measured" },
		{ { 8, 1, MENU "ro\\n\\x09initrd /i\\n}\"",
		      MENU "ro x\\n\\x09initrd /i\\n}\"", EXPLAIN_SAID, 0 },
		    "x",
		    "PCR 8 event 1: added \"x\": " MENU
		    "ro x\\n\\x09initrd /i\\n}\"" },
		{ { 8, 1, LINUX " quiet\"", LINUX "  quiet\"", 0, 0 },
		    "linux /vmlinuz ro  quiet", /* nothing but a blank */
		    "PCR 8 event 1: " LINUX "  quiet\" instead of " LINUX
		    " quiet\"" },
		{ { 5, 1, NULL, "partition table", EXPLAIN_SAID, 0 }, "",
		    "PCR 5 event 1: added: partition table" },
		{ { 7, 1, "separator", "EFI variable \"db\"", 0, 0 }, "db",
		    "PCR 7 event 1: EFI variable \"db\" instead of "
		    "separator" },
	};
	char out[EXPLAIN_LINE];
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++) {
		explain_behind(&cases[i].e, out, sizeof(out));
		assert_string_equal(out, cases[i].behind);
		explain_line(&cases[i].e, out, sizeof(out));
		assert_string_equal(out, cases[i].line);
	}
}

/* The guest chooses the names of its files. */
static void
the_policys_text_decides_the_cause(void **state)
{
	static const struct {
		struct explain e;
		const char *cause;
	} cases[] = {
		{ { 9, 1, "file \"/vmlinuz\"", "file \"/grubenv\"", 0, 0 },
		    "a kernel update that was not approved" },
		{ { 9, 1, CFG, "file \"/initrd.img-ucode\"", 0, 0 },
		    "GRUB's configuration was edited" },
		{ { 9, 1, NULL, "file \"/grubenv\"", 0, 0 },
		    "grubenv changed" },
		{ { 9, 1, "file \"/vmlinuz\"", NULL, 0, 0 },
		    "a kernel update that was not approved" },
		{ { 8, 1, "GRUB command \"boot\"", LINUX "\"", 0, 0 },
		    "grub.cfg, grubenv or a choice at the menu changed" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < VT_NELEM(cases); i++)
		assert_string_equal(explain_cause(&cases[i].e), cases[i].cause);
}

/* Texts of any length, in a place of any size: exact heap copies. */
static void
a_long_text_keeps_the_cause(void **state)
{
	struct explain d[2] = { { .pcr = 9, .pos = 1 },
		{ .pcr = 8, .pos = 1 } };
	static const size_t lens[] = { 0, 1, 50, 200, 1000, 5000 };
	char was[6000], now[6000] = "", *out;
	size_t i, k, cap;

	(void)state;
	for (i = 0; i < VT_NELEM(lens); i++)
		for (k = 0; k < VT_NELEM(lens); k++) {
			memset(was, 'w', lens[i]);
			(void)snprintf(was + lens[i], 10, ".cfg\"");
			(void)snprintf(now, sizeof(now), LINUX " ");
			memset(now + strlen(now), 'x', lens[k]);
			(void)snprintf(now + sizeof(LINUX) + lens[k], 10, "\"");
			d[0].was = d[0].now = was;
			d[1].was = LINUX "\"";
			d[1].now = now;
			for (cap = EXPLAIN_SHORT; cap < 400; cap += 20) {
				out = malloc(cap);
				assert_non_null(out);
				explain_headline(d, 2, out, cap);
				assert_true(strlen(out) < cap);
				assert_non_null(strstr(out, "edited)"));
				free(out);
			}
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_differs_is_named_once),
		cmocka_unit_test(
		    a_file_of_parts_is_named_with_the_first_that_differs),
		cmocka_unit_test(what_is_behind_is_the_file_or_the_word),
		cmocka_unit_test(the_policys_text_decides_the_cause),
		cmocka_unit_test(a_long_text_keeps_the_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
