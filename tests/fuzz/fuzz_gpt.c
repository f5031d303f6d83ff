/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_gpt.c - any bytes as a disk's beginning: no crash, and what is accepted
 * can be measured. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "measure/predict/gpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint16_t alg = ALG_SHA256;
	struct prediction *p;
	const uint8_t *log;
	size_t log_len;
	struct gpt g;
	uint32_t i;

	if (gpt_open(data, len, &g) != VT_OK)
		return 0;
	for (i = 0; i < g.n; i++)
		if (g.parts[i].number == 0 || g.parts[i].len == 0)
			abort();
	if (pred_new(&alg, 1, &p) != VT_OK)
		return 0;
	(void)gpt_is_sound(&g);
	gpt_measure(p, &g);
	if (el_writer_bytes(p->log, &log, &log_len) != VT_OK)
		abort();
	pred_free(p);
	return 0;
}
