/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * limits.h - one row of a process's table of limits.
 *
 * Layer:  base; a plain value.
 *
 * Everything that a guest, a tenant or a caller can use up is one row of one
 * table per process (PROCESS_limits()).  `vtpmctl status --limits` prints the
 * tables of all processes, and doc/LIMITS.md is made from it.  A row takes its
 * number from the constant or the setting that the code enforces; a table
 * never repeats a number.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#define LIMIT_NONE UINT64_MAX /* the operator has set no limit */

struct limit_row {
	const char *name;     /* what is used up: "journal entries" */
	const char *per;      /* whose use counts: "guest", "group", "host" */
	const char *unit;     /* "bytes", "entries", "per minute" */
	uint64_t limit;       /* the largest value allowed, or LIMIT_NONE */
	const char *at_limit; /* what happens then, one clause, no full stop */
};

/* All rows of one process, in the order in which they are shown. */
struct limit_table {
	const char *process; /* "vtpm-worker" */
	const struct limit_row *rows;
	size_t n;
};

#endif
