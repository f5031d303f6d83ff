/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * histogram.h - how long things took: counts by duration.
 *
 * Layer:  base; pure: no clock.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

#define HIST_BOUNDS 16

/* Upper bounds in microseconds, each included, rising: 50 us to 10 s. */
extern const uint32_t hist_bound_us[HIST_BOUNDS];

/* All zero bytes: nothing was counted. */
struct histogram {
	uint64_t n[HIST_BOUNDS + 1]; /* the last one: above every bound */
	uint64_t sum_us;
};

void hist_add(struct histogram *h, uint64_t us);
uint64_t hist_count(const struct histogram *h);

#endif
