/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_grub_core.c - any bytes as GRUB's image: no crash, and prefix and
 * configuration are inside. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "measure/predict/grub_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
inside(const struct pe *pe, const char *p, size_t len)
{
	const uint8_t *at = (const uint8_t *)p;

	if (p != NULL && (at < pe->buf || at > pe->buf + pe->len ||
			     len > (size_t)(pe->buf + pe->len - at)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct grub_core c;
	struct pe pe;

	if (pe_open(data, len, &pe) != VT_OK || gcore_open(&pe, &c) != VT_OK)
		return 0;
	inside(&pe, c.prefix, c.prefix_len);
	inside(&pe, c.config, c.config_len);
	return 0;
}
