/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_ca_key.c - any bytes as the public area of a vTPM's key: no crash; a key
 * that is accepted has a length within its bounds; a refusal leaves the output
 * alone. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vtpm_manager/hwtpm/ca_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
untouched(const void *p, size_t len)
{
	const uint8_t *b = p;
	size_t i;

	for (i = 0; i < len; i++)
		if (b[i] != 0xa5)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const enum ca_key_use uses[] = { CA_KEY_EK_RSA, CA_KEY_EK_ECC,
		CA_KEY_AK, CA_KEY_CA };
	struct ca_key k;
	size_t i;

	for (i = 0; i < VT_NELEM(uses); i++) {
		memset(&k, 0xa5, sizeof(k));
		if (ca_key_get(data, len, uses[i], &k) != VT_OK)
			untouched(&k, sizeof(k));
		else if (k.len == 0 || k.len > sizeof(k.bits))
			abort();
	}
	memset(&k, 0xa5, sizeof(k));
	if (ca_key_get_12(data, len, &k) != VT_OK)
		untouched(&k, sizeof(k));
	return 0;
}
