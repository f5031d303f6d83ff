/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_escrow.c - any bytes as a share: what is taken is written the same
 * way again, and what is refused leaves nothing behind. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/host/escrow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t buf[ESCROW_SHARE_MAX], key[ESCROW_KEY_LEN];
	struct escrow_share s, was;
	char text[ESCROW_TEXT_MAX] = "";
	struct wr w;

	memset(&s, 0xa5, sizeof(s));
	was = s;
	if (escrow_get(data, len, &s) != VT_OK) {
		if (memcmp(&s, &was, sizeof(s)) != 0)
			abort();
		return 0;
	}
	wr_init(&w, buf, sizeof(buf));
	escrow_put(&w, &s);
	if (wr_err(&w) != VT_OK || w.len != len || memcmp(buf, data, len) != 0)
		abort();
	/* One is never enough, whatever it says. */
	if (escrow_join(&s, 1, key, text) == VT_OK || text[0] == '\0')
		abort();
	return 0;
}
