/* SPDX-License-Identifier: BSD-3-Clause */
/* seal_policy.c - policy digests, computed as a TPM would. */
#include "tools/seal/seal_policy.h"

#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"

/* TPM_CC (Part 2, 6.5.2) and TPM_EO (6.4). */
#define CC_POLICY_NV 0x00000149u
#define CC_POLICY_SIGNED 0x00000160u
#define CC_POLICY_AUTHORIZE 0x0000016au
#define CC_POLICY_AUTH_VALUE 0x0000016bu
#define CC_POLICY_OR 0x00000171u
#define CC_POLICY_PCR 0x0000017fu
#define EO_UNSIGNED_LE 0x0009

#define NV_LEN 8 /* bytes of a counter */

/* d = H(d || cc || more). */
static int
step(uint8_t d[SHA256_LEN], uint32_t cc, const void *more, size_t len)
{
	uint8_t code[4], out[SHA256_LEN];
	const struct iov_part parts[] = {
		{ d, SHA256_LEN },
		{ code, sizeof(code) },
		{ more, len },
	};
	int rc;

	be32_put(code, cc);
	rc = digest_parts(ALG_SHA256, parts, VT_NELEM(parts), out);
	if (rc == VT_OK)
		memcpy(d, out, SHA256_LEN);
	return rc;
}

/* PolicyUpdate() with a policyRef: d = H(H(d || cc || name) || ref). */
static int
step_ref(uint8_t d[SHA256_LEN], uint32_t cc, const struct tpm_name *name,
    const char *ref)
{
	uint8_t half[SHA256_LEN];
	const struct iov_part parts[] = {
		{ half, sizeof(half) },
		{ ref, strlen(ref) },
	};
	int rc;

	memcpy(half, d, sizeof(half));
	if ((rc = step(half, cc, name->b, name->len)) != VT_OK)
		return rc;
	return digest_parts(ALG_SHA256, parts, VT_NELEM(parts), d);
}

int
seal_policy_pcr(uint8_t d[SHA256_LEN], const struct pcr_sel *sel,
    const struct pcr_set *pcrs)
{
	uint8_t buf[4 + PCR_MAX_BANKS * 6 + SHA256_LEN], values[DIGEST_MAX];
	struct wr w;
	int rc;

	if ((rc = pcr_digest(pcrs, sel, ALG_SHA256, values)) != VT_OK)
		return rc;
	wr_init(&w, buf, sizeof(buf));
	pcr_sel_put(&w, sel);
	wr_bytes(&w, values, SHA256_LEN);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	return step(d, CC_POLICY_PCR, buf, w.len);
}

int
seal_policy_nv(uint8_t d[SHA256_LEN], uint64_t most, const struct tpm_name *nv)
{
	uint8_t operand[NV_LEN + 2 + 2];
	uint8_t more[SHA256_LEN + sizeof(nv->b)];
	int rc;

	be64_put(operand, most);
	be16_put(operand + NV_LEN, 0); /* offset */
	be16_put(operand + NV_LEN + 2, EO_UNSIGNED_LE);
	rc = digest_buf(ALG_SHA256, operand, sizeof(operand), more);
	if (rc != VT_OK)
		return rc;
	memcpy(more + SHA256_LEN, nv->b, nv->len);
	return step(d, CC_POLICY_NV, more, SHA256_LEN + (size_t)nv->len);
}

/* It forgets what was before: the key says what that must have been. */
int
seal_policy_authorize(
    uint8_t d[SHA256_LEN], const struct tpm_name *key, const char *ref)
{
	uint8_t fresh[SHA256_LEN] = { 0 };
	int rc = step_ref(fresh, CC_POLICY_AUTHORIZE, key, ref);

	if (rc == VT_OK)
		memcpy(d, fresh, SHA256_LEN);
	return rc;
}

int
seal_policy_signed(
    uint8_t d[SHA256_LEN], const struct tpm_name *key, const char *ref)
{
	return step_ref(d, CC_POLICY_SIGNED, key, ref);
}

int
seal_policy_auth_value(uint8_t d[SHA256_LEN])
{
	return step(d, CC_POLICY_AUTH_VALUE, "", 0);
}

int
seal_policy_or(
    uint8_t d[SHA256_LEN], const uint8_t branch[][SHA256_LEN], size_t n)
{
	uint8_t fresh[SHA256_LEN] = { 0 };
	int rc;

	if (n < 2 || n > SEAL_OR_MAX)
		return VT_E_RANGE;
	rc = step(fresh, CC_POLICY_OR, branch, n * SHA256_LEN);
	if (rc == VT_OK)
		memcpy(d, fresh, SHA256_LEN);
	return rc;
}

int
seal_policy_digest(const struct pcr_sel *sel, const struct pcr_set *pcrs,
    uint8_t out[SHA256_LEN])
{
	uint8_t d[SHA256_LEN] = { 0 };
	int rc = seal_policy_pcr(d, sel, pcrs);

	if (rc == VT_OK)
		memcpy(out, d, SHA256_LEN);
	return rc;
}

int
seal_policy_state(const struct pcr_sel *sel, const struct pcr_set *pcrs,
    uint32_t index, uint64_t epoch, uint8_t out[SHA256_LEN])
{
	uint8_t d[SHA256_LEN] = { 0 };
	struct tpm_name nv;
	int rc;

	if ((rc = seal_policy_pcr(d, sel, pcrs)) != VT_OK ||
	    (rc = seal_epoch_name(index, &nv)) != VT_OK ||
	    (rc = seal_policy_nv(d, epoch, &nv)) != VT_OK)
		return rc;
	memcpy(out, d, SHA256_LEN);
	return VT_OK;
}

/* Part 2, 13.6: TPMS_NV_PUBLIC; Part 1, 16: its Name. */
int
seal_epoch_name(uint32_t index, struct tpm_name *ret)
{
	uint8_t buf[4 + 2 + 4 + 2 + 2];
	struct wr w;
	int rc;

	wr_init(&w, buf, sizeof(buf));
	wr_be32(&w, index);
	wr_be16(&w, ALG_SHA256);
	wr_be32(&w, SEAL_EPOCH_ATTRS);
	wr_be16(&w, 0); /* authPolicy */
	wr_be16(&w, NV_LEN);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	return tpm_name_of(ALG_SHA256, buf, w.len, ret);
}
