/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/base64.h"

#include <openssl/evp.h>

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BAD 0x80

/* The six bits that a character encodes, BAD if none. */
static const uint8_t *
bits(void)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789+/";
	static uint8_t table[256];
	uint8_t i;

	if (table['B'] == 0) {
		memset(table, BAD, sizeof(table));
		for (i = 0; i < 64; i++)
			table[(uint8_t)chars[i]] = i;
	}
	return table;
}

/* The last four characters: one or two may be '='; the bits that these cut off
 * must be zero. */
static bool
last_four(const uint8_t *t, const uint8_t *s, uint8_t *out, size_t *n)
{
	uint8_t a = t[s[0]], b = t[s[1]], c = t[s[2]], d = t[s[3]];

	*n = 3;
	if (s[3] == '=') {
		*n = 2;
		d = 0;
		if (s[2] == '=') {
			*n = 1;
			c = 0;
		}
		if (((*n == 1 ? b & 0x0f : c & 0x03)) != 0)
			return false;
	}
	if (((a | b | c | d) & BAD) != 0)
		return false;
	out[0] = (uint8_t)(a << 2 | b >> 4);
	if (*n > 1)
		out[1] = (uint8_t)(b << 4 | c >> 2);
	if (*n > 2)
		out[2] = (uint8_t)(c << 6 | d);
	return true;
}

/* EVP_DecodeBlock() accepts blanks and loose bits, and detecting that takes an
 * encoding; this is several times as fast as both. */
int
b64_get(const char *text, size_t len, uint8_t **ret, size_t *ret_len)
{
	const uint8_t *t = bits(), *s = (const uint8_t *)text, *end;
	uint8_t *raw, *o, all = 0;
	size_t n = 0;

	if (len == 0 || len % 4 != 0 || len > INT_MAX / 2)
		return VT_E_FORMAT;
	if ((o = raw = malloc(len / 4 * 3)) == NULL)
		return VT_E_NOMEM;
	for (end = s + len - 4; s < end; s += 4, o += 3) {
		uint8_t a = t[s[0]], b = t[s[1]], c = t[s[2]], d = t[s[3]];

		all |= a | b | c | d;
		o[0] = (uint8_t)(a << 2 | b >> 4);
		o[1] = (uint8_t)(b << 4 | c >> 2);
		o[2] = (uint8_t)(c << 6 | d);
	}
	if ((all & BAD) != 0 || !last_four(t, s, o, &n)) {
		free(raw);
		return VT_E_FORMAT;
	}
	*ret = raw;
	*ret_len = (size_t)(o - raw) + n;
	return VT_OK;
}

char *
b64_make(const uint8_t *p, size_t len)
{
	uint8_t *text =
	    len < INT_MAX / 2 ? malloc((len + 2) / 3 * 4 + 1) : NULL;

	if (text != NULL)
		(void)EVP_EncodeBlock(text, p, (int)len);
	return (char *)text;
}
