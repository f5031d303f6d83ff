/* SPDX-License-Identifier: BSD-3-Clause */
/* pcrs.c - the host's PCRs. */
#include "vtpm_manager/hwtpm/pcrs.h"

#include <string.h>

#include "base/crypto.h"
#include "base/util.h"

#define NONE ESYS_TR_NONE

void
hwpcrs_select(TPML_PCR_SELECTION *ret, uint16_t alg, uint32_t mask)
{
	int i;

	memset(ret, 0, sizeof(*ret));
	ret->count = 1;
	ret->pcrSelections[0].hash = alg;
	ret->pcrSelections[0].sizeofSelect = 3;
	for (i = 0; i < 3; i++)
		ret->pcrSelections[0].pcrSelect[i] = (uint8_t)(mask >> (8 * i));
}

static int
read_bank(struct hwtpm *h, struct pcr_set *set, uint16_t alg)
{
	TPML_PCR_SELECTION sel, *got;
	TPML_DIGEST *vals;
	uint32_t todo = 0xffffff, i, k, mask;
	int rc = VT_OK;

	while (todo != 0 && rc == VT_OK) {
		hwpcrs_select(&sel, alg, todo);
		rc = hwtpm_check(h,
		    Esys_PCR_Read(
			h->esys, NONE, NONE, NONE, &sel, NULL, &got, &vals),
		    "reading the host's PCRs");
		if (rc != VT_OK)
			return rc;
		mask = got->count == 1
			   ? got->pcrSelections[0].pcrSelect[0] |
				 (uint32_t)got->pcrSelections[0].pcrSelect[1]
				     << 8 |
				 (uint32_t)got->pcrSelections[0].pcrSelect[2]
				     << 16
			   : 0;
		if ((mask & todo) == 0)
			todo = 0;
		for (i = k = 0; i < 24 && k < vals->count && rc == VT_OK; i++)
			if (mask >> i & 1)
				rc = pcr_put(
				    set, alg, i, vals->digests[k++].buffer);
		todo &= ~mask;
		Esys_Free(got);
		Esys_Free(vals);
	}
	return rc;
}

int
hwpcrs_read(struct hwtpm *h, struct pcr_set *ret)
{
	TPMS_CAPABILITY_DATA *cap;
	TPML_PCR_SELECTION *banks;
	uint16_t algs[PCR_MAX_BANKS];
	uint32_t i, n = 0;
	TPMI_YES_NO more;
	int rc;

	rc = hwtpm_check(h,
	    Esys_GetCapability(
		h->esys, NONE, NONE, NONE, TPM2_CAP_PCRS, 0, 1, &more, &cap),
	    "asking for the host's PCRs");
	if (rc != VT_OK)
		return rc;
	banks = &cap->data.assignedPCR;
	for (i = 0; i < banks->count && n < VT_NELEM(algs); i++)
		if (banks->pcrSelections[i].pcrSelect[0] != 0 &&
		    digest_len(banks->pcrSelections[i].hash) > 0)
			algs[n++] = banks->pcrSelections[i].hash;
	Esys_Free(cap);
	if ((rc = pcr_set_init(ret, algs, n)) != VT_OK)
		return hwtpm_fail(h, rc, "the host's PCR banks");
	for (i = 0; i < n; i++)
		if ((rc = read_bank(h, ret, algs[i])) != VT_OK)
			return rc;
	return VT_OK;
}
