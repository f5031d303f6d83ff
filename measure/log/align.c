/* SPDX-License-Identifier: BSD-3-Clause */
/* align.c - lay what came beside what was expected, and name what differs. */
#include "measure/log/align.h"

#include <stddef.h>

#define STRIDE (ALIGN_LOOKAHEAD / 4)

static bool
same(const struct align *al, uint32_t i, uint32_t j)
{
	return i < al->na && j < al->nb && al->same(al->ctx, i, j);
}

static bool
optional(const struct align *al, uint32_t i)
{
	return al->optional != NULL && al->optional(al->ctx, i);
}

/* What came at j is allowed anywhere. */
static bool
passes(const struct align *al, uint32_t j)
{
	return j < al->nb && al->passes != NULL && al->passes(al->ctx, j);
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* STRIDE places of each side, but only up to what is allowed anywhere. */
static void
stride(const struct align *al, uint32_t i, uint32_t j, uint32_t *ret_a,
    uint32_t *ret_b)
{
	uint32_t k;

	*ret_a = least(STRIDE, al->na - i);
	*ret_b = least(STRIDE, al->nb - j);
	for (k = 1; k < *ret_b; k++)
		if (passes(al, j + k)) {
			*ret_b = k;
			*ret_a = least(k, *ret_a);
		}
}

/* How many places to skip on both sides until they agree again, as few and as
 * evenly as can be: a file may be measured twice.  False: they do not agree
 * anywhere near. */
static bool
resync(const struct align *al, uint32_t i, uint32_t j, uint32_t *ret_a,
    uint32_t *ret_b)
{
	uint32_t sum, k, x;

	*ret_a = al->na - i;
	*ret_b = al->nb - j;
	if (i == al->na || j == al->nb)
		return true;
	for (sum = 1; sum <= ALIGN_LOOKAHEAD; sum++)
		for (k = 0; k <= sum; k++) {
			/* sum/2, sum/2 + 1, sum/2 - 1, ... */
			x = (k & 1) != 0 ? (sum + k + 1) / 2 : (sum - k) / 2;
			if (x <= sum && same(al, i + x, j + sum - x)) {
				*ret_a = x;
				*ret_b = sum - x;
				return true;
			}
		}
	return false;
}

static bool
again(const struct align *al, uint32_t i, uint32_t j)
{
	return i > 0 && al->repeats != NULL && al->repeats(al->ctx, i - 1) &&
	       same(al, i - 1, j);
}

/* x expected places have y others instead.  Of more than y, an optional place
 * simply did not come.  Of more than x, what is allowed anywhere is in place of
 * none: it may as well have come beside it. */
static void
say(const struct align *al, uint32_t i, uint32_t x, uint32_t j, uint32_t y)
{
	bool more = y > x;

	while (x > 0 || y > 0) {
		if (x > y && optional(al, i)) {
			i++;
			x--;
			continue;
		}
		if (more && y > 0 && passes(al, j)) {
			j++;
			y--;
			continue;
		}
		al->differ(al->ctx, i, j,
		    x == 0   ? ALIGN_ADDED
		    : y == 0 ? ALIGN_MISSING
			     : ALIGN_OTHER);
		i += x > 0;
		j += y > 0;
		x -= x > 0;
		y -= y > 0;
	}
}

/* From i and j on both sides do not agree: name what differs, or step over what
 * is allowed. */
static void
apart(const struct align *al, uint32_t *i, uint32_t *j)
{
	uint32_t x = 0, y = 0;

	if (!resync(al, *i, *j, &x, &y)) {
		if (passes(al, *j)) {
			while (passes(al, *j))
				++*j;
			return;
		}
		stride(al, *i, *j, &x, &y);
	}
	say(al, *i, x, *j, y);
	*i += x;
	*j += y;
}

void
align_run(const struct align *al)
{
	uint32_t i = 0, j = 0;

	while (i < al->na || j < al->nb) {
		if (same(al, i, j)) {
			i++;
			j++;
		} else if (again(al, i, j)) {
			j++;
		} else if (i == al->na && al->open_end) {
			return;
		} else {
			apart(al, &i, &j);
		}
	}
}
