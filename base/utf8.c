/* SPDX-License-Identifier: BSD-3-Clause */
/* utf8.c - what is UTF-8, and where it may be cut. */
#include "base/utf8.h"

#include <string.h>

/* Bytes of the character at p; 0: none that RFC 3629, 4 allows. */
static size_t
char_len(const uint8_t *p, size_t len)
{
	uint8_t low = 0x80, high = 0xbf; /* of the second byte */
	size_t n, i;

	if (p[0] < 0x80)
		return p[0] != 0;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	if (p[0] == 0xed)
		high = 0x9f;
	if (p[0] == 0xf0)
		low = 0x90;
	if (p[0] == 0xf4)
		high = 0x8f;
	if (n > len || p[1] < low || p[1] > high)
		return 0;
	for (i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool
utf8_is_text(const uint8_t *p, size_t len)
{
	size_t n;

	for (; len > 0; p += n, len -= n)
		if ((n = char_len(p, len)) == 0)
			return false;
	return true;
}

size_t
utf8_cut(const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);

	if (n <= max)
		return n;
	for (n = max; n > 0 && ((uint8_t)s[n] & 0xc0) == 0x80; n--)
		;
	return n;
}
