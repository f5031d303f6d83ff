/* SPDX-License-Identifier: BSD-3-Clause */
/* pcr.c - what TPM commands do to PCRs, and the digest of a quote. */
#include "measure/tpm/pcr.h"

#include <string.h>

#include "base/util.h"
#include "measure/tpm/pcr_selection.h"

#define PCR_MAGIC 0x56545043u /* "VTPC" */
#define PCR_VERSION 1

int
pcr_set_init(struct pcr_set *set, const uint16_t *algs, uint32_t n)
{
	uint32_t i, j;

	if (n == 0 || n > PCR_MAX_BANKS)
		return VT_E_RANGE;
	for (i = 0; i < n; i++) {
		if (digest_len(algs[i]) == 0)
			return VT_E_UNSUPPORTED;
		for (j = 0; j < i; j++)
			if (algs[j] == algs[i])
				return VT_E_EXISTS;
	}
	memset(set, 0, sizeof(*set));
	set->nbanks = n;
	for (i = 0; i < n; i++) {
		set->banks[i].alg = algs[i];
		set->banks[i].len = (uint16_t)digest_len(algs[i]);
	}
	return VT_OK;
}

struct pcr_bank *
pcr_bank(struct pcr_set *set, uint16_t alg)
{
	uint32_t i;

	for (i = 0; i < set->nbanks; i++)
		if (set->banks[i].alg == alg)
			return &set->banks[i];
	return NULL;
}

static const struct pcr_bank *
pcr_bank_const(const struct pcr_set *set, uint16_t alg)
{
	uint32_t i;

	for (i = 0; i < set->nbanks; i++)
		if (set->banks[i].alg == alg)
			return &set->banks[i];
	return NULL;
}

const uint8_t *
pcr_get(const struct pcr_set *set, uint16_t alg, uint32_t pcr)
{
	const struct pcr_bank *b = pcr_bank_const(set, alg);

	if (b == NULL || pcr >= PCR_COUNT || (b->valid >> pcr & 1) == 0)
		return NULL;
	return b->val[pcr];
}

int
pcr_put(struct pcr_set *set, uint16_t alg, uint32_t pcr, const uint8_t *val)
{
	struct pcr_bank *b = pcr_bank(set, alg);

	if (b == NULL)
		return VT_E_NOTFOUND;
	if (pcr >= PCR_COUNT)
		return VT_E_RANGE;
	memcpy(b->val[pcr], val, b->len);
	b->valid |= 1u << pcr;
	return VT_OK;
}

static bool
starts_at_ones(uint32_t pcr)
{
	return pcr >= PCR_DRTM && pcr <= 22;
}

void
pcr_set_reset(struct pcr_set *set, uint8_t locality)
{
	uint32_t i, n;

	for (n = 0; n < PCR_COUNT; n++)
		pcr_fill(set, n, starts_at_ones(n) ? 0xff : 0x00);
	for (i = 0; i < set->nbanks; i++)
		set->banks[i].val[0][set->banks[i].len - 1] = locality;
}

void
pcr_fill(struct pcr_set *set, uint32_t pcr, uint8_t fill)
{
	uint32_t i;

	if (pcr >= PCR_COUNT)
		return;
	for (i = 0; i < set->nbanks; i++) {
		memset(set->banks[i].val[pcr], fill, set->banks[i].len);
		set->banks[i].valid |= 1u << pcr;
	}
}

void
pcr_drtm_start(struct pcr_set *set)
{
	uint32_t n;

	for (n = PCR_DRTM; n <= 22; n++)
		pcr_fill(set, n, 0x00);
}

int
pcr_extend(
    struct pcr_set *set, uint32_t pcr, const struct tpm_digest *d, uint32_t n)
{
	struct pcr_bank *b;
	uint32_t i;
	int rc;

	if (pcr >= PCR_COUNT)
		return VT_E_RANGE;
	for (i = 0; i < n; i++) {
		if ((b = pcr_bank(set, d[i].alg)) == NULL)
			continue;
		if (d[i].len != b->len)
			return VT_E_RANGE;
		rc = digest_extend(b->alg, b->val[pcr], d[i].val);
		if (rc != VT_OK)
			return rc;
	}
	return VT_OK;
}

void
pcr_set_encode(struct wr *w, const struct pcr_set *set)
{
	const struct pcr_bank *b;
	uint32_t i, n;

	wr_be32(w, PCR_MAGIC);
	wr_be16(w, PCR_VERSION);
	wr_be16(w, (uint16_t)set->nbanks);
	for (i = 0; i < set->nbanks; i++) {
		b = &set->banks[i];
		wr_be16(w, b->alg);
		wr_be32(w, b->valid);
		for (n = 0; n < PCR_COUNT; n++)
			if (b->valid >> n & 1)
				wr_bytes(w, b->val[n], b->len);
	}
}

static void
get_bank(struct rd *r, struct pcr_set *set)
{
	struct pcr_bank b = { 0 };
	uint32_t n;

	b.alg = rd_be16(r);
	b.valid = rd_be32(r);
	b.len = (uint16_t)digest_len(b.alg);
	if (rd_err(r) != VT_OK)
		return;
	if (b.len == 0)
		rd_fail(r, VT_E_UNSUPPORTED);
	else if ((b.valid & ~PCR_ALL) != 0 || pcr_bank(set, b.alg) != NULL)
		rd_fail(r, VT_E_FORMAT);
	for (n = 0; n < PCR_COUNT; n++)
		if (b.valid >> n & 1)
			rd_bytes(r, b.val[n], b.len);
	set->banks[set->nbanks++] = b;
}

int
pcr_set_decode(const uint8_t *buf, size_t len, struct pcr_set *ret)
{
	struct pcr_set set = { 0 };
	uint16_t version, n, i;
	uint32_t magic;
	struct rd r;

	rd_init(&r, buf, len);
	magic = rd_be32(&r);
	version = rd_be16(&r);
	n = rd_be16(&r);
	if (rd_err(&r) != VT_OK)
		return rd_err(&r);
	if (magic != PCR_MAGIC || version != PCR_VERSION || n == 0)
		return VT_E_FORMAT;
	if (n > PCR_MAX_BANKS)
		return VT_E_RANGE;
	for (i = 0; i < n && r.err == VT_OK; i++)
		get_bank(&r, &set);
	if (rd_end(&r) != VT_OK)
		return rd_end(&r);
	*ret = set;
	return VT_OK;
}

int
pcr_digest(const struct pcr_set *set, const struct pcr_sel *sel, uint16_t hash,
    uint8_t out[DIGEST_MAX])
{
	struct iov_part parts[PCR_MAX_BANKS * PCR_COUNT];
	uint32_t i, n, k = 0;

	if (sel->n > PCR_MAX_BANKS)
		return VT_E_RANGE;
	for (i = 0; i < sel->n; i++)
		for (n = 0; n < PCR_COUNT; n++) {
			if ((sel->banks[i].mask >> n & 1) == 0)
				continue;
			parts[k].p = pcr_get(set, sel->banks[i].alg, n);
			if (parts[k].p == NULL)
				return VT_E_NOTFOUND;
			parts[k++].len = digest_len(sel->banks[i].alg);
		}
	return digest_parts(hash, parts, k, out);
}

bool
pcr_is_extreme(const uint8_t *val, size_t len)
{
	size_t i;

	for (i = 1; i < len; i++)
		if (val[i] != val[0])
			return false;
	return len > 0 && (val[0] == 0x00 || val[0] == 0xff);
}

int
pcr_find_extreme(const struct pcr_set *set, const struct pcr_sel *sel,
    uint16_t *ret_alg, uint32_t *ret_pcr)
{
	const uint8_t *val;
	uint32_t i, n;

	for (i = 0; i < sel->n; i++)
		for (n = 0; n < PCR_COUNT; n++) {
			if ((sel->banks[i].mask >> n & 1) == 0)
				continue;
			val = pcr_get(set, sel->banks[i].alg, n);
			if (val == NULL)
				return VT_E_NOTFOUND;
			if (!pcr_is_extreme(val, digest_len(sel->banks[i].alg)))
				continue;
			*ret_alg = sel->banks[i].alg;
			*ret_pcr = n;
			return 1;
		}
	return 0;
}
