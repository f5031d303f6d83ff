/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure/b64.h"

#include <openssl/evp.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What OpenSSL decodes is encoded again and compared: it takes more. */
int
b64_get(const char *text, size_t len, uint8_t **ret, size_t *ret_len)
{
	size_t n = len / 4 * 3;
	uint8_t *raw = NULL, *again = NULL;
	int rc = VT_E_FORMAT;

	if (len == 0 || len % 4 != 0 || len > INT_MAX / 2)
		return VT_E_FORMAT;
	raw = malloc(n);
	again = malloc(len + 1);
	if (raw == NULL || again == NULL) {
		rc = VT_E_NOMEM;
		goto out;
	}
	if (EVP_DecodeBlock(raw, (const uint8_t *)text, (int)len) != (int)n)
		goto out;
	if (text[len - 1] == '=')
		n--;
	if (text[len - 2] == '=')
		n--;
	if (EVP_EncodeBlock(again, raw, (int)n) != (int)len ||
	    memcmp(again, text, len) != 0)
		goto out;
	*ret = raw;
	*ret_len = n;
	raw = NULL;
	rc = VT_OK;
out:
	free(again);
	free(raw);
	return rc;
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
