/* SPDX-License-Identifier: BSD-3-Clause */
/* policy_align.c - lay the events of one PCR beside a policy's list. */
#include "measure/appraise/policy_align.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

const struct pol_digest *
policy_step_has(const struct pol_step *s, const uint8_t *val, size_t len)
{
	uint32_t k;

	for (k = 0; k < s->nalts; k++)
		if (memcmp(s->alts[k].val, val, len) == 0)
			return &s->alts[k];
	return NULL;
}

static bool
same(void *ctx, uint32_t i, uint32_t k)
{
	const struct policy_align *pa = ctx;

	return policy_step_has(
		   &pa->rule->steps[i], pa->val(pa->ctx, k), pa->len) != NULL;
}

static bool
optional(void *ctx, uint32_t i)
{
	const struct policy_align *pa = ctx;

	return pa->rule->steps[i].optional;
}

static bool
repeats(void *ctx, uint32_t i)
{
	const struct policy_align *pa = ctx;

	return pa->rule->steps[i].repeat;
}

/* What comes between listed events is allowed, if it is not one of them. */
static bool
between(void *ctx, uint32_t k)
{
	const struct policy_align *pa = ctx;
	uint32_t i;

	if (pa->rule == NULL || pa->rule->unknown != POL_U_ALLOW)
		return false;
	for (i = 0; i < pa->rule->nsteps; i++)
		if (same(ctx, i, k))
			return false;
	return true;
}

static void
differ(void *ctx, uint32_t i, uint32_t k, enum align_kind kind)
{
	const struct policy_align *pa = ctx;

	pa->differ(pa->ctx, i, k, kind);
}

void
policy_align(const struct policy_align *pa)
{
	struct policy_align mine = *pa;
	struct align al = { .na = pa->rule != NULL ? pa->rule->nsteps : 0,
		.nb = pa->n,
		.ctx = &mine,
		.same = same,
		.optional = optional,
		.repeats = repeats,
		.passes = between,
		.open_end =
		    pa->rule != NULL && pa->rule->unknown == POL_U_AFTER,
		.differ = differ };

	align_run(&al);
}

uint32_t
policy_align_place(const uint32_t *at, uint32_t n, uint32_t k,
    enum align_kind kind, uint32_t total)
{
	if (kind != ALIGN_MISSING)
		return at[k] + 1;
	if (k == n)
		return total + 1;
	return k > 0 ? at[k - 1] + 1 : 0;
}

/* How much of their beginning and end two texts share. */
static size_t
shared(const char *a, const char *b)
{
	size_t n = 0, m = 0, la = strlen(a), lb = strlen(b);

	while (n < la && n < lb && a[n] == b[n])
		n++;
	while (m < la - n && m < lb - n && a[la - 1 - m] == b[lb - 1 - m])
		m++;
	return n + m;
}

void
policy_step_words(const struct pol_step *s, size_t len, const char *now,
    char *out, size_t cap)
{
	const struct pol_digest *best = &s->alts[0];
	char hex[2 * DIGEST_MAX + 1];
	uint32_t k;

	for (k = 1; k < s->nalts && now != NULL; k++)
		if (shared(s->alts[k].what, now) > shared(best->what, now))
			best = &s->alts[k];
	hex_encode(best->val, len, hex);
	if (best->what[0] != '\0')
		(void)snprintf(out, cap, "%s", best->what);
	else
		(void)snprintf(out, cap, "digest %.16s...", hex);
	text_clean(out);
}
