/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote.c - parse the attestation and the signature of a quote.
 */
#include "measure/tpm/quote.h"

#include <string.h>

#include "base/check_on.h"
#include "base/rdwr.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/tpm_public.h"

#define GENERATED_VALUE 0xff544347u /* TPM_GENERATED_VALUE, Part 2, 6.2 */
#define ST_ATTEST_QUOTE 0x8018      /* TPM_ST_ATTEST_QUOTE */

int
quote_attest_get(const uint8_t *buf, size_t len, struct quote_attest *ret)
{
	struct quote_attest a;
	const uint8_t *p;
	struct rd r;
	size_t n = 0;
	uint8_t safe;
	int rc;

	memset(&a, 0, sizeof(a));
	rd_init(&r, buf, len);
	if (rd_be32(&r) != GENERATED_VALUE && check_on("attest-magic"))
		rd_fail(&r, VT_E_FORMAT);
	if (rd_be16(&r) != ST_ATTEST_QUOTE)
		rd_fail(&r, VT_E_FORMAT);
	tpm_name_get(&r, &a.signer);
	if ((p = rd_blob16(&r, sizeof(a.extra), &n)) != NULL) {
		a.extra_len = (uint16_t)n;
		memcpy(a.extra, p, n);
	}
	a.clock = rd_be64(&r);
	a.reset_count = rd_be32(&r);
	a.restart_count = rd_be32(&r);
	if ((safe = rd_u8(&r)) > 1)
		rd_fail(&r, VT_E_RANGE);
	a.safe = safe == 1;
	a.firmware = rd_be64(&r);
	pcr_sel_get(&r, &a.sel);
	if ((p = rd_blob16(&r, sizeof(a.digest), &n)) != NULL) {
		a.digest_len = (uint16_t)n;
		memcpy(a.digest, p, n);
	}
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	*ret = a;
	return VT_OK;
}

int
quote_sig_get(const uint8_t *buf, size_t len, struct tpm_sig *ret)
{
	struct tpm_sig s;
	struct rd r;
	int rc;

	memset(&s, 0, sizeof(s));
	rd_init(&r, buf, len);
	s.alg = rd_be16(&r);
	s.hash = rd_be16(&r);
	switch (s.alg) {
	case TA_RSASSA:
	case TA_RSAPSS:
		s.r = rd_blob16(&r, TPM_RSA_MAX, &s.r_len);
		break;
	case TA_ECDSA:
		s.r = rd_blob16(&r, TPM_ECC_MAX, &s.r_len);
		s.s = rd_blob16(&r, TPM_ECC_MAX, &s.s_len);
		break;
	default:
		rd_fail(&r, VT_E_UNSUPPORTED);
	}
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	*ret = s;
	return VT_OK;
}
