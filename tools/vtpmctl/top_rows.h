/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * top_rows.h - what `vtpmctl top` shows, from two answers of Stats and Status.
 *
 * Layer:  tools; pure: no I/O, no clock.
 */
#ifndef TOOLS_VTPMCTL_TOP_ROWS_H
#define TOOLS_VTPMCTL_TOP_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct top_row {
	json_t *guest;           /* borrowed from the newer answer */
	double commands, stores; /* per second */
	double cpu;              /* percent of one processor */
	uint64_t resident_bytes;
	uint64_t quiet_ms; /* since the last command */
	bool counted;      /* commands, stores, quiet_ms are known */
};

struct top_host {
	double commands, stores, commits; /* per second; of all guests */
	double commit_ms;                 /* of one commit */
	double tpm;                       /* percent of its time */
	size_t active, running, in_use;
};

struct top_sample {
	json_t *stats, *status; /* owned; NULL: none */
};

enum top_order { TOP_COMMANDS, TOP_STORES, TOP_MEMORY, TOP_CPU, TOP_NAME };

/*
 * The rows of what is in `now`, in order; rates are of the time since `before`.
 * A worker that was not there then has no rates but 0.  *ret is the caller's,
 * free() it; its guests are borrowed from now.  VT_E_NOMEM, VT_E_FORMAT (not
 * answers of a manager).
 */
int top_rows(const struct top_sample *before, const struct top_sample *now,
    enum top_order order, bool reverse, struct top_row **ret, size_t *ret_n,
    struct top_host *host) VT_CHECK;
/* A name in the order option; false: there is none such. */
bool top_order_of(const char *name, enum top_order *ret);
/* The same numbers as one object; NULL: out of memory. */
json_t *top_json(uint64_t time_ms, double seconds, const struct top_row *rows,
    size_t n, const struct top_host *host);
void top_sample_done(struct top_sample *s);

#endif
