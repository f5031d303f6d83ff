/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_swlink.c - any bytes as the record of a state folder: what is accepted
 * is what is written again, and no other text is.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/swtpm/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct link_rec r, again;
	uint8_t out[RECORD_MAX];

	if (link_parse(data, len, &r) != VT_OK)
		return 0;
	link_format(&r, out);
	if (link_parse(out, sizeof(out), &again) != VT_OK ||
	    strcmp(r.uuid, again.uuid) != 0 || r.private != again.private ||
	    r.created != again.created)
		abort();
	return 0;
}
