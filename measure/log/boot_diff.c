/* SPDX-License-Identifier: BSD-3-Clause */
/* boot_diff.c - where two boots differ, the word, and the likely cause. */
#include "measure/log/boot_diff.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define LOOKAHEAD 64 /* events that may be added or removed in one place */

/* One PCR's events of one boot. */
struct column {
	const struct replay_event **ev;
	uint32_t n;
	/* The banks that both boots have, in the same order in both columns. */
	uint32_t banks[PCR_MAX_BANKS];
	uint32_t nbanks;
};

static int
common_banks(const struct replay *was, const struct replay *now,
    struct column *a, struct column *b)
{
	uint32_t i, j;

	for (i = 0; i < was->pcrs.nbanks; i++)
		for (j = 0; j < now->pcrs.nbanks; j++)
			if (was->pcrs.banks[i].alg == now->pcrs.banks[j].alg) {
				a->banks[a->nbanks++] = i;
				b->banks[b->nbanks++] = j;
				break;
			}
	return a->nbanks > 0 ? VT_OK : VT_E_UNSUPPORTED;
}

static bool
extends(const struct replay_event *e, const struct column *c)
{
	uint32_t k;

	for (k = 0; k < c->nbanks; k++)
		if (e->digests[c->banks[k]].len != 0)
			return true;
	return false;
}

static void
collect(const struct replay *r, uint32_t pcr, struct column *c)
{
	uint32_t i;

	c->n = 0;
	for (i = 0; i < r->n; i++)
		if (r->ev[i].pcr == pcr && extends(&r->ev[i], c))
			c->ev[c->n++] = &r->ev[i];
}

static bool
same(const struct column *a, uint32_t i, const struct column *b, uint32_t j)
{
	const struct tpm_digest *x, *y;
	uint32_t k;

	for (k = 0; k < a->nbanks; k++) {
		x = &a->ev[i]->digests[a->banks[k]];
		y = &b->ev[j]->digests[b->banks[k]];
		if (x->len != y->len || memcmp(x->val, y->val, x->len) != 0)
			return false;
	}
	return true;
}

/* How many events to skip on both sides until they agree again, as few and as
 * evenly as can be: a file may be measured twice.  Where they never do, one of
 * each. */
static void
resync(const struct column *a, uint32_t i, const struct column *b, uint32_t j,
    uint32_t *ret_a, uint32_t *ret_b)
{
	uint32_t sum, k, x;

	for (sum = 1; sum <= LOOKAHEAD; sum++)
		for (k = 0; k <= sum; k++) {
			/* sum/2, sum/2 + 1, sum/2 - 1, ... */
			x = (k & 1) != 0 ? (sum + k + 1) / 2 : (sum - k) / 2;
			if (x <= sum && i + x < a->n && j + sum - x < b->n &&
			    same(a, i + x, b, j + sum - x)) {
				*ret_a = x;
				*ret_b = sum - x;
				return;
			}
		}
	*ret_a = i < a->n;
	*ret_b = j < b->n;
}

static void
put(struct boot_diffs *out, uint32_t pcr, const struct replay_event *was,
    const struct replay_event *now)
{
	out->d[out->n] = (struct boot_diff){ pcr, was, now, 0 };
	out->n++;
}

static void
compare(const struct column *a, const struct column *b, uint32_t pcr,
    struct boot_diffs *out)
{
	uint32_t i = 0, j = 0, x = 0, y = 0;

	while (i < a->n || j < b->n) {
		if (i < a->n && j < b->n && same(a, i, b, j)) {
			i++;
			j++;
			continue;
		}
		resync(a, i, b, j, &x, &y);
		for (; x > 0 || y > 0; x -= x > 0, y -= y > 0)
			put(out, pcr, x > 0 ? a->ev[i++] : NULL,
			    y > 0 ? b->ev[j++] : NULL);
	}
}

static void
place(
    const struct replay *was, const struct replay *now, struct boot_diffs *out)
{
	uint32_t i;

	for (i = 0; i < out->n; i++) {
		struct boot_diff *d = &out->d[i];

		d->place = (uint32_t)(d->was != NULL ? d->was - was->ev
						     : d->now - now->ev);
	}
}

static int
by_place(const void *pa, const void *pb)
{
	const struct boot_diff *a = pa, *b = pb;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return a->pcr < b->pcr ? -1 : a->pcr > b->pcr;
}

int
boot_diff(
    const struct replay *was, const struct replay *now, struct boot_diffs *ret)
{
	struct column a = { 0 }, b = { 0 };
	struct boot_diffs out = { 0 };
	size_t max = (size_t)was->n + now->n + 1;
	uint32_t pcr;
	int rc;

	if ((rc = common_banks(was, now, &a, &b)) != VT_OK)
		return rc;
	a.ev = calloc(max, sizeof(const struct replay_event *));
	b.ev = calloc(max, sizeof(const struct replay_event *));
	out.d = calloc(max, sizeof(*out.d));
	if (a.ev == NULL || b.ev == NULL || out.d == NULL) {
		rc = VT_E_NOMEM;
		free(out.d);
		goto out;
	}
	for (pcr = 0; pcr < PCR_COUNT; pcr++) {
		collect(was, pcr, &a);
		collect(now, pcr, &b);
		compare(&a, &b, pcr, &out);
	}
	place(was, now, &out);
	qsort(out.d, out.n, sizeof(*out.d), by_place);
	*ret = out;
out:
	free(a.ev);
	free(b.ev);
	return rc;
}

void
boot_diffs_done(struct boot_diffs *d)
{
	free(d->d);
	*d = (struct boot_diffs){ 0 };
}

/* A part of a text. */
struct part {
	const char *p;
	size_t len;
};

static void
trim(struct part *t)
{
	for (; t->len > 0 && t->p[0] == ' '; t->len--)
		t->p++;
	for (; t->len > 0 && t->p[t->len - 1] == ' ';)
		t->len--;
}

/* At i a word of t starts or ends. */
static bool
edge(const struct part *t, size_t i)
{
	return i == 0 || i == t->len || t->p[i] == ' ' || t->p[i - 1] == ' ';
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

static int
shown(const struct part *t)
{
	return t->len < 400 ? (int)t->len : 400;
}

static void
words_line(const char *was, const char *now, char *out, size_t cap)
{
	struct part a = whole(was), b = whole(now);

	differing(&a, &b);
	if ((a.len > 0 && a.p[0] == '"') || (b.len > 0 && b.p[0] == '"'))
		(void)snprintf(out, cap, "%.900s instead of %.900s", now, was);
	else if (a.len == 0)
		(void)snprintf(
		    out, cap, "added \"%.*s\": %.400s", shown(&b), b.p, now);
	else if (b.len == 0)
		(void)snprintf(
		    out, cap, "removed \"%.*s\": %.400s", shown(&a), a.p, was);
	else
		(void)snprintf(out, cap, "\"%.*s\" instead of \"%.*s\": %.400s",
		    shown(&b), b.p, shown(&a), a.p, now);
}

void
boot_diff_line(const struct boot_diff *d, char out[BOOT_DIFF_LINE])
{
	const struct replay_event *e = d->now != NULL ? d->now : d->was;
	size_t used;

	(void)snprintf(
	    out, BOOT_DIFF_LINE, "PCR %u event %u: ", d->pcr, e->pos);
	used = strlen(out);
	if (d->was == NULL || d->now == NULL)
		(void)snprintf(out + used, BOOT_DIFF_LINE - used, "%s: %.1000s",
		    d->was == NULL ? "added" : "missing", e->words);
	else if (d->now->lies || strcmp(d->was->words, d->now->words) == 0)
		(void)snprintf(out + used, BOOT_DIFF_LINE - used,
		    "other content of: %.1000s%s", d->was->words,
		    d->now->lies ? ", and its text is not what was measured"
				 : "");
	else
		words_line(d->was->words, d->now->words, out + used,
		    BOOT_DIFF_LINE - used);
}

static bool
says(const struct boot_diff *d, const char *word)
{
	return (d->was != NULL && strstr(d->was->words, word) != NULL) ||
	       (d->now != NULL && strstr(d->now->words, word) != NULL);
}

/* The first row that fits decides. */
static const struct {
	uint32_t pcr;
	const char *word; /* NULL: any event of this PCR */
	const char *cause;
} causes[] = {
	{ 0, NULL, "other firmware" },
	{ 1, "BootOrder", "the boot order changed" },
	{ 1, "Boot0", "a boot entry was added, removed or changed" },
	{ 1, NULL,
	    "the machine's configuration changed: memory, processors, "
	    "devices or firmware settings" },
	{ 2, NULL, "a device with an option ROM was added or removed" },
	{ 3, NULL, "a device with an option ROM was configured differently" },
	{ 4, NULL,
	    "a boot loader or kernel that firmware starts was replaced" },
	{ 5, NULL, "the partition table or the boot manager's path changed" },
	{ 7, "SecureBoot", "Secure Boot was switched on or off" },
	{ 7, "dbx", "the list of revoked signatures (dbx) was updated" },
	{ 7, NULL, "Secure Boot's keys (PK, KEK, db) or the signer changed" },
	{ 8, "grubenv", "grubenv changed" },
	{ 8, "kernel", "the kernel command line changed" },
	{ 8, NULL, "grub.cfg, grubenv or a choice at the menu changed" },
	{ 9, "initrd", "the initrd was made anew" },
	{ 9, "vmlinuz", "a kernel update" },
	{ 9, "grubenv", "grubenv changed" },
	{ 9, NULL, "a file that GRUB or the kernel read was changed" },
	{ 10, NULL, "other programs ran, or in another order (IMA)" },
	{ 11, NULL,
	    "another unified kernel image, or another phase of the boot" },
	{ 12, NULL, "the command line, credentials or extensions changed" },
	{ 13, NULL, "system extensions changed" },
	{ 14, NULL, "shim's keys (MOK) changed" },
	{ 17, NULL, "another launch: see the launch record" },
};

const char *
boot_diff_cause(const struct boot_diff *d)
{
	size_t i;

	for (i = 0; i < VT_NELEM(causes); i++)
		if (causes[i].pcr == d->pcr &&
		    (causes[i].word == NULL || says(d, causes[i].word)))
			return causes[i].cause;
	return "software extended this PCR differently";
}
