/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * explain.h - say where a boot differs from what was expected: the event, the
 * file or word behind it, the likely cause.
 *
 * Layer:  measure; no I/O, no logging.  JSON by jansson.
 * Trust:  texts come from logs and policies, as printable ASCII; digests have
 *         decided before that something differs.
 */
#ifndef MEASURE_LOG_EXPLAIN_H
#define MEASURE_LOG_EXPLAIN_H

#include <jansson.h>

#include <stddef.h>
#include <stdint.h>

#define EXPLAIN_LINE 2048 /* bytes that hold any explanation, with its NUL */
#define EXPLAIN_SHORT 300 /* bytes of one that is cut to fit a report */

enum explain_text {
	EXPLAIN_SAID = 0, /* now is what was measured, as far as it goes */
	EXPLAIN_LIES,     /* now is not what was measured */
	EXPLAIN_UNSAID,   /* only a digest is known of what was measured */
};

/* One place where a boot differs.  All texts are borrowed. */
struct explain {
	uint32_t pcr, pos; /* the event: its PCR, its place there from 1 */
	const char *was;   /* text of what was expected; NULL: nothing */
	const char *now;   /* text of what came; NULL: nothing */
	enum explain_text text;
	uint32_t others; /* that would have been right, beside was */
};

/* What differs, in one line without the cause; for a command the words that
 * differ.  Cut to fit cap, which is at least 100. */
void explain_line(const struct explain *e, char *out, size_t cap);
/* What probably happened; constant. */
const char *explain_cause(const struct explain *e);
/* The file, variable or word behind it; "" if the texts name none. */
void explain_behind(const struct explain *e, char *out, size_t cap);

/*
 * The line for n > 0 differences of one boot, in its order, with the cause.  It
 * is about the first.  Where that is a configuration file or a unified kernel
 * image, the line also names the first command or section that differs.
 */
void explain_headline(
    const struct explain *list, uint32_t n, char *out, size_t cap);

/* As an object: pcr, event, was, now, behind, line, cause.  NULL: no memory. */
json_t *explain_json(const struct explain *e);

#endif
