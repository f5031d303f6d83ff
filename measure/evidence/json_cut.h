/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_cut.h - JSON whose long texts are cut out before it is parsed.
 *
 * Layer:  measure; JSON by jansson.
 * jansson takes 12 ns for each byte of a text; a bundle is base64 for the
 * most part, which is looked at byte by byte when it is decoded anyway.  So
 * each text of JSON_CUT_MIN bytes and more is replaced by "#NUMBER" and jansson
 * parses what is left.  Where a text could be anything but plain (there is a
 * backslash somewhere, or a text that begins with '#') nothing is cut.
 * Trust:  hostile input.  A text that was cut out is not yet looked at: it may
 *         have bytes that no JSON has, so its user must refuse all that he
 *         does not know, as a decoder of base64 does.
 */
#ifndef MEASURE_EVIDENCE_JSON_CUT_H
#define MEASURE_EVIDENCE_JSON_CUT_H

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define JSON_CUT_MIN 192 /* bytes; more than any digest or nonce in hex */
#define JSON_CUT_N 32    /* a file with more long texts is not cut */

struct json_cut {
	json_t *root; /* json_cut_done() */
	uint32_t n;   /* texts cut out */
	struct {
		const char *p; /* borrowed from the file */
		size_t len;
	} text[JSON_CUT_N];
};

/* json is borrowed for as long as *ret is used.  VT_E_FORMAT: no JSON, err
 * says why; VT_E_NOMEM. */
int json_cut_load(const char *json, size_t len, struct json_cut *ret,
    json_error_t *err) VT_CHECK;
void json_cut_done(struct json_cut *j);

/* The text that val is, without a NUL behind it; false: val is no text. */
bool json_cut_text(const struct json_cut *j, const json_t *val,
    const char **ret, size_t *ret_len);

#endif
