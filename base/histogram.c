/* SPDX-License-Identifier: BSD-3-Clause */
/* histogram.c - counts by duration. */
#include "base/histogram.h"

const uint32_t hist_bound_us[HIST_BOUNDS] = { 50, 100, 250, 500, 1000, 2500,
	5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000,
	10000000 };

void
hist_add(struct histogram *h, uint64_t us)
{
	unsigned int i;

	for (i = 0; i < HIST_BOUNDS && us > hist_bound_us[i]; i++)
		;
	h->n[i]++;
	h->sum_us += us;
}

uint64_t
hist_count(const struct histogram *h)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i <= HIST_BOUNDS; i++)
		sum += h->n[i];
	return sum;
}
