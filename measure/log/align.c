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

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* How many places to skip on both sides until they agree again, as few and as
 * evenly as can be: a file may be measured twice.  Where they do not agree
 * anywhere near, STRIDE of each. */
static void
resync(const struct align *al, uint32_t i, uint32_t j, uint32_t *ret_a,
    uint32_t *ret_b)
{
	uint32_t sum, k, x;

	*ret_a = al->na - i;
	*ret_b = al->nb - j;
	if (i == al->na || j == al->nb)
		return;
	for (sum = 1; sum <= ALIGN_LOOKAHEAD; sum++)
		for (k = 0; k <= sum; k++) {
			/* sum/2, sum/2 + 1, sum/2 - 1, ... */
			x = (k & 1) != 0 ? (sum + k + 1) / 2 : (sum - k) / 2;
			if (x <= sum && same(al, i + x, j + sum - x)) {
				*ret_a = x;
				*ret_b = sum - x;
				return;
			}
		}
	*ret_a = least(STRIDE, al->na - i);
	*ret_b = least(STRIDE, al->nb - j);
}

static bool
again(const struct align *al, uint32_t i, uint32_t j)
{
	return i > 0 && al->repeats != NULL && al->repeats(al->ctx, i - 1) &&
	       same(al, i - 1, j);
}

/* x expected places have y others instead.  Of more than y, an optional place
 * simply did not come. */
static void
say(const struct align *al, uint32_t i, uint32_t x, uint32_t j, uint32_t y)
{
	while (x > 0 || y > 0) {
		if (x > y && optional(al, i)) {
			i++;
			x--;
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

void
align_run(const struct align *al)
{
	uint32_t i = 0, j = 0, x = 0, y = 0;

	while (i < al->na || j < al->nb) {
		if (same(al, i, j)) {
			i++;
			j++;
		} else if (again(al, i, j)) {
			j++;
		} else if (i == al->na && al->open_end) {
			return;
		} else {
			resync(al, i, j, &x, &y);
			say(al, i, x, j, y);
			i += x;
			j += y;
		}
	}
}
