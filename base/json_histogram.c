/* SPDX-License-Identifier: BSD-3-Clause */
/* json_histogram.c - a histogram as JSON. */
#include "base/json_histogram.h"

json_t *
json_histogram(const struct histogram *h)
{
	json_t *bounds = json_array(), *counts = json_array();
	unsigned int i;

	for (i = 0; i < HIST_BOUNDS; i++)
		(void)json_array_append_new(
		    bounds, json_integer((json_int_t)hist_bound_us[i]));
	for (i = 0; i <= HIST_BOUNDS; i++)
		(void)json_array_append_new(
		    counts, json_integer((json_int_t)h->n[i]));
	return json_pack("{s:o,s:o,s:I}", "bounds_us", bounds, "counts", counts,
	    "sum_us", (json_int_t)h->sum_us);
}
