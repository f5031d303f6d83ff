/* SPDX-License-Identifier: BSD-3-Clause */
/* explain.c - where a boot differs, the word behind it, and the likely cause.
 */
#include "measure/log/explain.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* --- words ------------------------------------------------------------------
 */

/* A part of a text. */
struct part {
	const char *p;
	size_t len;
};

/* What divides words: a blank, and how descriptions show line breaks and tabs.
 */
static const char *const gaps[] = { " ", "\\n", "\\x09" };

/* The length of the gap that starts at i; 0: none does. */
static size_t
gap_at(const struct part *t, size_t i)
{
	size_t k, len;

	for (k = 0; k < VT_NELEM(gaps); k++) {
		len = strlen(gaps[k]);
		if (len <= t->len - i && memcmp(t->p + i, gaps[k], len) == 0)
			return len;
	}
	return 0;
}

/* ... that ends at i. */
static size_t
gap_before(const struct part *t, size_t i)
{
	size_t k, len;

	for (k = 0; k < VT_NELEM(gaps); k++) {
		len = strlen(gaps[k]);
		if (len <= i && memcmp(t->p + i - len, gaps[k], len) == 0)
			return len;
	}
	return 0;
}

static void
trim(struct part *t)
{
	size_t n;

	while (t->len > 0 && (n = gap_at(t, 0)) > 0) {
		t->p += n;
		t->len -= n;
	}
	while (t->len > 0 && (n = gap_before(t, t->len)) > 0)
		t->len -= n;
}

/* At i a word of t starts or ends. */
static bool
edge(const struct part *t, size_t i)
{
	return i == 0 || i == t->len || gap_at(t, i) > 0 ||
	       gap_before(t, i) > 0;
}

/* Cut the whole words that both start and end with. */
static void
differing(struct part *a, struct part *b)
{
	size_t i, cut = 0;

	for (i = 0; i < a->len && i < b->len && a->p[i] == b->p[i];)
		if (++i, edge(a, i) && edge(b, i))
			cut = i;
	a->p += cut;
	b->p += cut;
	a->len -= cut;
	b->len -= cut;
	for (i = 0, cut = 0; i < a->len && i < b->len &&
			     a->p[a->len - 1 - i] == b->p[b->len - 1 - i];)
		if (++i, edge(a, a->len - i) && edge(b, b->len - i))
			cut = i;
	a->len -= cut;
	b->len -= cut;
	trim(a);
	trim(b);
}

/* Without the quotation mark at the end, so that it is no part of a word. */
static struct part
whole(const char *text)
{
	size_t len = strlen(text);

	return (struct part){ text,
		len > 0 && text[len - 1] == '"' ? len - 1 : len };
}

/* Both are texts of the same kind, of which words differ. */
static bool
words_differ(const struct explain *e, struct part *was, struct part *now)
{
	if (e->was == NULL || e->now == NULL || e->text != EXPLAIN_SAID ||
	    strcmp(e->was, e->now) == 0)
		return false;
	*was = whole(e->was);
	*now = whole(e->now);
	differing(was, now);
	if (was->len == 0 && now->len == 0)
		return false; /* blanks: two whole texts show them */
	/* Nothing in common, or nothing but the kind: two whole texts. */
	return now->p != e->now && (was->len == 0 || was->p[0] != '"') &&
	       (now->len == 0 || now->p[0] != '"');
}

/* --- the line ---------------------------------------------------------------
 */

struct line {
	char *out;
	size_t cap, used;
};

static void
put(struct line *l, const char *s, size_t len)
{
	size_t room = l->cap - l->used - 1;

	if (len > room)
		len = room;
	memcpy(l->out + l->used, s, len);
	l->used += len;
	l->out[l->used] = '\0';
}

static void
put_text(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

/* A text from outside, in at most max bytes. */
static void
put_cut(struct line *l, const char *s, size_t len, size_t max)
{
	if (len <= max) {
		put(l, s, len);
		return;
	}
	put(l, s, max < 3 ? 0 : max - 3);
	put_text(l, "...");
}

static void
put_whole(struct line *l, const char *s, size_t max)
{
	put_cut(l, s, strlen(s), max);
}

static void
put_words(struct line *l, const struct part *t)
{
	put_text(l, "\"");
	put_cut(l, t->p, t->len, l->cap / 5);
	put_text(l, "\"");
}

static void
say_words(struct line *l, const struct explain *e, const struct part *was,
    const struct part *now)
{
	const char *in = now->len > 0 || was->len == 0 ? e->now : e->was;

	if (was->len == 0)
		put_text(l, "added ");
	else if (now->len == 0)
		put_text(l, "removed ");
	if (now->len > 0)
		put_words(l, now);
	if (now->len > 0 && was->len > 0)
		put_text(l, " instead of ");
	if (was->len > 0)
		put_words(l, was);
	put_text(l, ": ");
	put_whole(l, in, l->cap - l->used - 1);
}

void
explain_line(const struct explain *e, char *out, size_t cap)
{
	struct line l = { out, cap, 0 };
	struct part was, now;
	char head[40];

	(void)snprintf(head, sizeof(head), "PCR %u event %u: ", e->pcr, e->pos);
	put_text(&l, head);
	if (e->was == NULL || e->now == NULL) {
		put_text(&l, e->was == NULL ? "added: " : "missing: ");
		put_whole(&l, e->was == NULL ? e->now : e->was, cap / 2);
	} else if (words_differ(e, &was, &now)) {
		say_words(&l, e, &was, &now);
	} else if (e->text == EXPLAIN_SAID && strcmp(e->was, e->now) != 0) {
		put_whole(&l, e->now, cap * 2 / 5);
		put_text(&l, " instead of ");
		put_whole(&l, e->was, cap * 2 / 5);
	} else {
		put_text(&l, "other content of: ");
		put_whole(&l, e->was, cap / 2);
		if (e->text == EXPLAIN_LIES)
			put_text(&l, ", and its text is not what was measured");
	}
	if (e->others == 1)
		put_text(&l, ", or another that is allowed");
	else if (e->others > 1) {
		(void)snprintf(head, sizeof(head),
		    ", or %u others that are allowed", e->others);
		put_text(&l, head);
	}
}

/* --- what is behind it ------------------------------------------------------
 */

/* The text between the first and the last quotation mark; NULL: none. */
static const char *
quoted(const char *text, size_t *ret_len)
{
	const char *from = strchr(text, '"'), *to = strrchr(text, '"');

	if (from == NULL || to == from)
		return NULL;
	*ret_len = (size_t)(to - from - 1);
	return from + 1;
}

void
explain_behind(const struct explain *e, char *out, size_t cap)
{
	const char *text = e->was != NULL && e->text != EXPLAIN_SAID ? e->was
			   : e->now != NULL                          ? e->now
								     : e->was;
	struct line l = { out, cap, 0 };
	struct part was, now;
	const char *p;
	size_t len;

	out[0] = '\0';
	if (words_differ(e, &was, &now))
		put_cut(&l, now.len > 0 ? now.p : was.p,
		    now.len > 0 ? now.len : was.len, cap - 1);
	else if ((p = quoted(text, &len)) != NULL)
		put_cut(&l, p, len, cap - 1);
}

/* --- the cause --------------------------------------------------------------
 */

/* What was expected decides, where there is something: the guest chooses the
 * other text. */
static bool
says(const struct explain *e, const char *word)
{
	return strstr(e->was != NULL ? e->was : e->now, word) != NULL;
}

/* The first row that fits decides. */
static const struct {
	uint32_t pcr;
	const char *word; /* NULL: any event of this PCR */
	const char *cause;
} causes[] = {
	{ 0, "version", "other firmware" },
	{ 0, NULL,
	    "other firmware, or the same in a machine with other memory, "
	    "processors or type" },
	{ 1, "BootOrder", "the boot order changed" },
	{ 1, "\"Boot", "a boot entry was added, removed or changed" },
	{ 1, NULL,
	    "the machine's configuration changed: memory, processors, "
	    "devices or firmware settings" },
	{ 2, NULL, "a device with an option ROM was added or removed" },
	{ 3, NULL, "a device with an option ROM was configured differently" },
	{ 4, "action", "firmware tried other boot options, or in other order" },
	{ 4, NULL,
	    "a boot loader or kernel that firmware starts was replaced" },
	{ 5, "partition table", "the partition table changed" },
	{ 5, NULL, "the boot manager took another path" },
	{ 7, "\"SecureBoot\"", "Secure Boot was switched on or off" },
	{ 7, "\"dbx\"", "the list of revoked signatures (dbx) was updated" },
	{ 7, "SbatLevel",
	    "shim's list of revoked versions (SBAT) was updated" },
	{ 7, "\"MokList", "shim's keys (MOK) changed" },
	{ 7, "authority", "another key signed what was started" },
	{ 7, NULL, "Secure Boot's keys (PK, KEK, db) or the signer changed" },
	{ 8, "grubenv", "grubenv changed" },
	{ 8, "kernel command line", "the kernel command line changed" },
	{ 8, "module command line", "the command line of a module changed" },
	{ 8, "setparams", "another menu entry was started" },
	{ 8, "\"menuentry", "a menu entry in grub.cfg was changed" },
	{ 8, "\"linux", "the kernel or its command line in grub.cfg changed" },
	{ 8, "\"initrd", "the initrd in grub.cfg changed" },
	{ 8, "\"multiboot", "Xen or its command line in grub.cfg changed" },
	{ 8, "\"module", "a module of Xen in grub.cfg changed" },
	{ 8, NULL, "grub.cfg, grubenv or a choice at the menu changed" },
	{ 9, "grubenv", "grubenv changed" },
	{ 9, ".cfg", "GRUB's configuration was edited" },
	{ 9, "loader/entries", "a boot entry of the loader was edited" },
	{ 9, "ucode", "processor microcode was changed" },
	{ 9, "initr", "the initrd was made anew, and not approved" },
	{ 9, "vmlinu", "a kernel update that was not approved" },
	{ 9, "bzImage", "a kernel update that was not approved" },
	{ 9, "xen", "an update of Xen that was not approved" },
	{ 9, "load options", "the kernel command line changed" },
	{ 9, ".mod", "a module of GRUB was replaced" },
	{ 9, NULL, "a file that GRUB or the kernel read was changed" },
	{ 10, NULL, "other programs, or in another order (IMA)" },
	{ 11, "\".linux", "a kernel update that was not approved" },
	{ 11, "\".initrd", "the initrd was made anew, and not approved" },
	{ 11, "\".cmdline", "the kernel command line changed" },
	{ 11, "\".ucode", "other processor microcode" },
	{ 11, NULL,
	    "another unified kernel image, or another phase of the boot" },
	{ 12, "kernel", "the kernel command line changed" },
	{ 12, NULL, "the command line, credentials or extensions changed" },
	{ 13, NULL, "system extensions changed" },
	{ 14, NULL, "shim's keys (MOK) changed" },
	{ 15, NULL, "the system's identity or volumes changed" },
	{ 17, NULL, "another launch: see the launch record" },
};

const char *
explain_cause(const struct explain *e)
{
	size_t i;

	for (i = 0; i < VT_NELEM(causes); i++)
		if (causes[i].pcr == e->pcr &&
		    (causes[i].word == NULL || says(e, causes[i].word)))
			return causes[i].cause;
	return "software extended this PCR differently";
}

/* --- several differences ----------------------------------------------------
 */

/* A file that is measured as a whole, and whose parts are measured later: the
 * commands of a configuration file in PCR 8, the sections of a unified kernel
 * image in PCR 11. */
static uint32_t
pcr_of_parts(const struct explain *e)
{
	if (e->pcr == 9 && (says(e, ".cfg\"") || says(e, "grubenv\"") ||
			       says(e, "loader/entries")))
		return 8;
	return e->pcr == 4 && e->was != NULL && e->now != NULL ? 11 : 0;
}

static const struct explain *
first_part(const struct explain *list, uint32_t n)
{
	uint32_t pcr = pcr_of_parts(&list[0]), i;

	for (i = 1; i < n && pcr != 0; i++)
		if (list[i].pcr == pcr)
			return &list[i];
	return NULL;
}

void
explain_headline(const struct explain *list, uint32_t n, char *out, size_t cap)
{
	const struct explain *first = &list[0], *then = first_part(list, n);
	const char *cause = explain_cause(first);
	struct line l = { out, cap < EXPLAIN_LINE ? cap : EXPLAIN_LINE, 0 };
	char part[EXPLAIN_LINE];
	size_t room = l.cap - strlen(cause) - sizeof(" ()");

	explain_line(first, part, then == NULL ? room : room / 2);
	put_text(&l, part);
	if (then != NULL) {
		put_text(&l, "; ");
		explain_line(then, part, room - l.used);
		put_text(&l, part);
	}
	put_text(&l, " (");
	put_text(&l, cause);
	put_text(&l, ")");
}

json_t *
explain_json(const struct explain *e)
{
	char line[EXPLAIN_LINE], behind[EXPLAIN_SHORT];

	explain_line(e, line, sizeof(line));
	explain_behind(e, behind, sizeof(behind));
	return json_pack("{s:i, s:i, s:s?, s:s?, s:s, s:s, s:s}", "pcr",
	    (int)e->pcr, "event", (int)e->pos, "was", e->was, "now", e->now,
	    "behind", behind, "line", line, "cause", explain_cause(e));
}
