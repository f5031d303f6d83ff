/* SPDX-License-Identifier: BSD-3-Clause */
/* json_hex.c - bytes as a JSON string. */
#include "base/json_hex.h"

#include <stdlib.h>

#include "base/util.h"

json_t *
json_hex(const uint8_t *p, size_t len)
{
	char *text = malloc(2 * len + 1);
	json_t *j;

	if (text == NULL)
		return NULL;
	hex_encode(p, len, text);
	j = json_string(text);
	free(text);
	return j;
}

int
json_hex_get(const json_t *o, const char *key, uint8_t *out, size_t len)
{
	const char *text = json_string_value(json_object_get(o, key));
	size_t n = 0;

	if (text == NULL || hex_decode(text, out, len, &n) != VT_OK || n != len)
		return VT_E_FORMAT;
	return VT_OK;
}
