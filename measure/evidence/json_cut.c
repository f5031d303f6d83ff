/* SPDX-License-Identifier: BSD-3-Clause */
/* json_cut.c - cut long texts out of JSON before jansson sees it. */
#include "measure/evidence/json_cut.h"

#include <stdlib.h>
#include <string.h>

#define MARK '#'
#define MARK_LEN 3 /* "#00" */

/* From one quote to the next, and without backslashes every quote is one
 * that begins or ends a text: what is cut can be found without parsing.
 * Returns the bytes in out; 0: leave it as it is. */
static size_t
cut(const char *json, size_t len, struct json_cut *j, char *out)
{
	const char *p = json, *end = json + len, *from, *to;
	char *o = out;
	size_t n;

	while ((from = memchr(p, '"', (size_t)(end - p))) != NULL) {
		from++;
		to = memchr(from, '"', (size_t)(end - from));
		if (to == NULL || *from == MARK)
			return 0;
		n = (size_t)(to - from);
		memcpy(o, p, (size_t)(from - p));
		o += from - p;
		if (n < JSON_CUT_MIN) {
			memcpy(o, from, n);
			o += n;
		} else {
			if (j->n == JSON_CUT_N)
				return 0;
			*o++ = MARK;
			*o++ = (char)('0' + j->n / 10);
			*o++ = (char)('0' + j->n % 10);
			j->text[j->n].p = from;
			j->text[j->n++].len = n;
		}
		*o++ = '"';
		p = to + 1;
	}
	memcpy(o, p, (size_t)(end - p));
	o += end - p;
	return (size_t)(o - out);
}

int
json_cut_load(
    const char *json, size_t len, struct json_cut *ret, json_error_t *err)
{
	char *slim;
	size_t n = 0;

	memset(ret, 0, sizeof(*ret));
	if ((slim = malloc(len + 1)) == NULL)
		return VT_E_NOMEM;
	if (len > 0 && memchr(json, '\\', len) == NULL)
		n = cut(json, len, ret, slim);
	if (n == 0)
		ret->n = 0;
	ret->root = n != 0 ? json_loadb(slim, n, JSON_REJECT_DUPLICATES, err)
			   : json_loadb(json, len, JSON_REJECT_DUPLICATES, err);
	free(slim);
	return ret->root != NULL ? VT_OK : VT_E_FORMAT;
}

void
json_cut_done(struct json_cut *j)
{
	json_decref(j->root);
	j->root = NULL;
}

bool
json_cut_text(const struct json_cut *j, const json_t *val, const char **ret,
    size_t *ret_len)
{
	const char *p;
	size_t len, i;

	if (!json_is_string(val))
		return false;
	p = json_string_value(val);
	len = json_string_length(val);
	if (j->n > 0 && len == MARK_LEN && p[0] == MARK) {
		/* A file that has this mark itself is not cut. */
		i = (size_t)(p[1] - '0') * 10 + (size_t)(p[2] - '0');
		p = j->text[i].p;
		len = j->text[i].len;
	}
	*ret = p;
	*ret_len = len;
	return true;
}
