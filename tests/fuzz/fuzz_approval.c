/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_approval.c - any bytes as an approval: no crash; what decodes encodes
 * to the same bytes; no input has a signature by this key. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/host/approval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The generator of P-256: a point whose secret is 1. */
static const char point_hex[] =
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t buf[APPROVAL_MAX_LEN], key[APPROVAL_KEY_LEN];
	struct approval a;
	char text[200];
	struct wr w;
	size_t n;

	if (approval_get(data, len, &a) != VT_OK)
		return 0;
	wr_init(&w, buf, sizeof(buf));
	approval_put(&w, &a);
	if (wr_err(&w) != VT_OK || w.len != len || memcmp(buf, data, len) != 0)
		abort();
	(void)!approval_check(&a, text, sizeof(text));
	if (a.pcrs.banks[0].valid != 0 &&
	    approval_compare(&a, &a.pcrs, text, sizeof(text)) != VT_OK)
		abort(); /* it is what it is */
	if (hex_decode(point_hex, key, sizeof(key), &n) != VT_OK ||
	    n != sizeof(key))
		abort();
	(void)!approval_verify(&a, key);
	return 0;
}
