/* SPDX-License-Identifier: BSD-3-Clause */
/* near.c - distance of words in typing errors (Damerau and Levenshtein). */
#include "base/near.h"

#include <string.h>

static unsigned int
least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* One row of the matrix for character a[i - 1], from the two before it. */
static void
next_row(const char *a, size_t i, const char *b, size_t m,
    unsigned int rows[3][NEAR_MAX + 1])
{
	unsigned int *now = rows[i % 3], *last = rows[(i + 2) % 3];
	const unsigned int *before = rows[(i + 1) % 3];
	size_t j;

	now[0] = (unsigned int)i;
	for (j = 1; j <= m; j++) {
		now[j] = least(last[j], now[j - 1]) + 1;
		now[j] = least(now[j], last[j - 1] + (a[i - 1] != b[j - 1]));
		if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
		    a[i - 2] == b[j - 1])
			now[j] = least(now[j], before[j - 2] + 1);
	}
}

static unsigned int
distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned int rows[3][NEAR_MAX + 1] = { { 0 } };
	size_t i;

	for (i = 0; i <= m; i++)
		rows[0][i] = (unsigned int)i;
	for (i = 1; i <= n; i++)
		next_row(a, i, b, m, rows);
	return rows[n % 3][m];
}

void
near_start(struct near *n, const char *word)
{
	size_t len = strlen(word);

	n->word = word;
	n->best = NULL;
	n->errors = len < 6 ? 1 : len < 9 ? 2 : 3;
}

void
near_try(struct near *n, const char *candidate)
{
	size_t a = strlen(n->word), b = strlen(candidate);
	unsigned int d;

	if (a < 2 || a > NEAR_MAX || b > NEAR_MAX)
		return;
	d = distance(n->word, a, candidate, b);
	if (d > n->errors || (n->best != NULL && d == n->errors))
		return;
	n->errors = d;
	n->best = candidate;
}
