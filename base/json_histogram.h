/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_histogram.h - a histogram as a JSON object: "bounds_us", "counts" (one
 * more than bounds, not cumulative), "sum_us".
 *
 * Layer:  base; needs jansson.
 */
#ifndef BASE_JSON_HISTOGRAM_H
#define BASE_JSON_HISTOGRAM_H

#include <jansson.h>

#include "base/histogram.h"

json_t *json_histogram(const struct histogram *h); /* NULL: out of memory */

#endif
