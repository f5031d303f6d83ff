/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_pe.c - any bytes as an EFI image: no crash, and sections stay inside. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "measure/predict/pe.h"
#include "measure/predict/uki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint16_t alg = ALG_SHA256;
	struct prediction *p;
	struct tpm_digest d;
	struct pe pe;
	uint32_t i;

	if (pe_open(data, len, &pe) != VT_OK)
		return 0;
	for (i = 0; i < pe.nsections; i++)
		if (pe.sections[i].rawsize > 0 &&
		    (pe.sections[i].raw > len ||
			pe.sections[i].rawsize > len - pe.sections[i].raw))
			abort();
	if (pe_authenticode(&pe, alg, &d) != VT_OK || d.len != 32)
		abort();
	if (pred_new(&alg, 1, &p) != VT_OK)
		return 0;
	uki_measure(p, &pe);
	pred_free(p);
	return 0;
}
