/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * align.h - lay what came beside what was expected, and name what differs.
 *
 * Layer:  measure; no I/O, no memory.
 * Limits: ALIGN_LOOKAHEAD^2 / 2 comparisons for each difference, and where
 *         nothing agrees, for each ALIGN_LOOKAHEAD / 4.
 */
#ifndef MEASURE_LOG_ALIGN_H
#define MEASURE_LOG_ALIGN_H

#include <stdbool.h>
#include <stdint.h>

#define ALIGN_LOOKAHEAD 64 /* places that may be added or removed at once */

enum align_kind {
	ALIGN_OTHER = 0, /* j came in place of i */
	ALIGN_MISSING,   /* i did not come before j */
	ALIGN_ADDED,     /* j came before i, and was not expected */
};

struct align {
	uint32_t na, nb; /* expected, came */
	void *ctx;
	bool (*same)(void *ctx, uint32_t i, uint32_t j);
	/* Of expected place i; NULL: of none. */
	bool (*optional)(void *ctx, uint32_t i);
	bool (*repeats)(void *ctx, uint32_t i); /* several times in a row */
	/* What came at j is allowed anywhere; NULL: nothing is. */
	bool (*passes)(void *ctx, uint32_t j);
	bool open_end; /* what comes after the last expected place is allowed */
	void (*differ)(void *ctx, uint32_t i, uint32_t j, enum align_kind kind);
};

/* Calls differ() for each difference, in order. */
void align_run(const struct align *al);

#endif
