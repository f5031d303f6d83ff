/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_swtap.c - any bytes past the tap, in segments that the first byte cuts:
 * only requests that exist are seen, and what comes after a whole SHUTDOWN in
 * a segment of its own is found again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "tools/swtpm/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t off[4] = { 0, 0, 0, SO_SHUTDOWN };
	const uint32_t known = (UINT32_C(2) << SO_LAST) - 2;
	struct tap t = { .have = 0 };
	size_t step, n;

	if (len == 0)
		return 0;
	step = (size_t)data[0] + 1;
	for (data++, len--; len > 0; data += n, len -= n) {
		n = len < step ? len : step;
		if ((tap_feed(&t, data, n) & ~known) != 0 ||
		    t.have >= SWTPM_HEAD_MAX)
			abort();
	}
	if (t.have == 0 && t.skip == 0 &&
	    tap_feed(&t, off, sizeof(off)) != UINT32_C(1) << SO_SHUTDOWN)
		abort();
	return 0;
}
