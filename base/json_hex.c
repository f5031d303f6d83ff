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
