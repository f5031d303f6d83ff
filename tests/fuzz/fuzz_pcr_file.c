/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_pcr_file.c - any bytes as tpm2_quote's file of PCR values: no crash, and
 * what is accepted has a value for every selected PCR. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "measure/tpm/pcr_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct pcr_sel quoted = { .n = 1 }, sel;
	struct pcr_set set;
	uint32_t b, i;

	quoted.banks[0].alg = ALG_SHA256;
	quoted.banks[0].mask = 0x83;
	if (pcr_file_get(data, len, &quoted, &sel, &set) != VT_OK)
		return 0;
	for (b = 0; b < sel.n; b++)
		for (i = 0; i < PCR_COUNT; i++)
			if ((sel.banks[b].mask >> i & 1) != 0 &&
			    pcr_get(&set, sel.banks[b].alg, i) == NULL)
				abort();
	return 0;
}
