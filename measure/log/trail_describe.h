/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trail_describe.h - describe what an event of a trail stands for.
 *
 * Layer:  measure; no I/O, no logging.
 * Trust:  an event's data is the guest's.  It is shown only as far as it fits
 *         the event's digest.
 */
#ifndef MEASURE_LOG_TRAIL_DESCRIBE_H
#define MEASURE_LOG_TRAIL_DESCRIBE_H

#include <stddef.h>

#include "measure/log/trail.h"

/* How an event's data relate to its digest. */
enum trail_fit {
	TF_NONE = 0, /* no log has this event */
	TF_HINT,     /* digest is over something else: data is hearsay */
	TF_DATA,     /* digest is over the data */
	TF_PART,     /* digest is over the part of the data that counts */
	TF_LIE,      /* should be over the data, and is not */
};
enum trail_fit trail_fit(const struct trail *t, const struct trail_event *ev);

/*
 * Describe an event, cut short at cap: by its data, if
 * the data fits the digest; the type alone otherwise.  Unprintable bytes
 * are shown as \xHH.
 */
void trail_describe(
    const struct trail *t, const struct trail_event *ev, char *out, size_t cap);

#endif
