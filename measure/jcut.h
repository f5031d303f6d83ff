/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jcut.h - JSON whose long texts are cut out before it is parsed.
 *
 * Layer:  measure; JSON by jansson.
 * jansson takes 12 ns for each byte of a text; a bundle is base64 for the
 * most part, which is looked at byte by byte when it is decoded anyway.  So
 * each text of JCUT_MIN bytes and more is replaced by "#NUMBER" and jansson
 * parses what is left.  Where a text could be anything but plain (there is a
 * backslash somewhere, or a text that begins with '#') nothing is cut.
 * Trust:  hostile input.  A text that was cut out is not yet looked at: it may
 *         have bytes that no JSON has, so its user must refuse all that he
 *         does not know, as a decoder of base64 does.
 */
#ifndef MEASURE_JCUT_H
#define MEASURE_JCUT_H

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define JCUT_MIN 192 /* bytes; more than any digest or nonce in hex */
#define JCUT_N 32    /* a file with more long texts is left as it is */

struct jcut {
	json_t *root; /* jcut_done() */
	uint32_t n;   /* texts cut out */
	struct {
		const char *p; /* borrowed from the file */
		size_t len;
	} text[JCUT_N];
};

/* json is borrowed for as long as *ret is used.  VT_E_FORMAT: no JSON, err
 * says why; VT_E_NOMEM. */
int jcut_load(
    const char *json, size_t len, struct jcut *ret, json_error_t *err) VT_CHECK;
void jcut_done(struct jcut *j);

/* The text that val is, without a NUL behind it; false: val is no text. */
bool jcut_text(
    const struct jcut *j, const json_t *val, const char **ret, size_t *ret_len);

#endif
