/* SPDX-License-Identifier: BSD-3-Clause */
/* pcr_file.c - PCR values as tpm2-tools write them. */
#include "measure/tpm/pcr_file.h"

#include <string.h>

#include "base/crypto.h"
#include "base/rdwr.h"

#define SEL_BANKS 16   /* TPM2_NUM_PCR_BANKS */
#define LIST_DIGESTS 8 /* of a TPML_DIGEST */

/* Where the next value goes. */
struct cursor {
	const struct pcr_sel *sel;
	struct pcr_set *set;
	uint32_t bank, pcr;
};

/* Step to the next selected PCR; false: there is none. */
static bool
next(struct cursor *c)
{
	for (; c->bank < c->sel->n; c->bank++, c->pcr = 0)
		for (; c->pcr < PCR_COUNT; c->pcr++)
			if (c->sel->banks[c->bank].mask >> c->pcr & 1)
				return true;
	return false;
}

static int
put(struct cursor *c, struct rd *r, size_t len)
{
	uint16_t alg;
	const uint8_t *p;

	if (!next(c))
		return VT_E_FORMAT; /* more values than selected PCRs */
	alg = c->sel->banks[c->bank].alg;
	if (len == 0)
		len = digest_len(alg);
	if (len != digest_len(alg))
		return VT_E_FORMAT;
	if ((p = rd_span(r, len)) == NULL)
		return rd_err(r);
	return pcr_put(c->set, alg, c->pcr++, p);
}

static int
init_set(const struct pcr_sel *sel, struct pcr_set *set)
{
	uint16_t algs[PCR_MAX_BANKS] = { 0 };
	uint32_t i;
	int rc;

	for (i = 0; i < sel->n && i < PCR_MAX_BANKS; i++)
		algs[i] = sel->banks[i].alg;
	rc = pcr_set_init(set, algs, sel->n);
	return rc == VT_E_EXISTS ? VT_E_FORMAT : rc;
}

/* --- serialized -------------------------------------------------------------
 */

static int
get_selection(struct rd *r, struct pcr_sel *sel)
{
	uint32_t n = rd_le32(r), i, bits;
	uint16_t alg;
	uint8_t size;

	memset(sel, 0, sizeof(*sel));
	if (rd_err(r) == VT_OK && (n == 0 || n > PCR_MAX_BANKS))
		return VT_E_RANGE;
	for (i = 0; i < SEL_BANKS; i++) {
		alg = rd_le16(r);
		size = rd_u8(r);
		bits = rd_le32(r);
		(void)rd_u8(r);
		if (i >= n)
			continue;
		if (size > 4 || (size < 4 && bits >> 8 * size != 0))
			return VT_E_FORMAT;
		if ((bits & ~PCR_ALL) != 0)
			return VT_E_RANGE;
		sel->banks[i].alg = alg;
		sel->banks[i].mask = bits;
	}
	sel->n = n;
	return rd_err(r);
}

/* One TPML_DIGEST; what its count leaves unused is not looked at. */
static int
get_list(struct rd *r, struct cursor *c)
{
	uint32_t n = rd_le32(r), i;
	uint16_t len;
	int rc;

	if (rd_err(r) != VT_OK)
		return rd_err(r);
	if (n > LIST_DIGESTS)
		return VT_E_RANGE;
	for (i = 0; i < LIST_DIGESTS; i++) {
		len = rd_le16(r);
		if (i >= n) {
			(void)rd_span(r, DIGEST_MAX);
			continue;
		}
		if (len == 0 || len > DIGEST_MAX)
			return VT_E_FORMAT;
		if ((rc = put(c, r, len)) != VT_OK)
			return rc;
		(void)rd_span(r, DIGEST_MAX - (size_t)len);
	}
	return rd_err(r);
}

static int
get_serialized(
    const uint8_t *buf, size_t len, struct pcr_sel *sel, struct pcr_set *set)
{
	struct cursor c = { .sel = sel, .set = set };
	uint32_t lists, i;
	struct rd r;
	int rc;

	rd_init(&r, buf, len);
	if ((rc = get_selection(&r, sel)) != VT_OK ||
	    (rc = init_set(sel, set)) != VT_OK)
		return rc;
	lists = rd_le32(&r);
	for (i = 0; i < lists; i++)
		if ((rc = get_list(&r, &c)) != VT_OK)
			return rc;
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	return next(&c) ? VT_E_TRUNC : VT_OK;
}

/* --- values ------------------------------------------------------------------
 */

static int
get_values(const uint8_t *buf, size_t len, const struct pcr_sel *sel,
    struct pcr_set *set)
{
	struct cursor c = { .sel = sel, .set = set };
	struct rd r;
	int rc;

	if ((rc = init_set(sel, set)) != VT_OK)
		return rc;
	rd_init(&r, buf, len);
	while (next(&c))
		if ((rc = put(&c, &r, 0)) != VT_OK)
			return rc;
	return rd_end(&r);
}

/* Bytes of the values of a selection. */
static size_t
values_len(const struct pcr_sel *sel)
{
	size_t len = 0;
	uint32_t i;

	for (i = 0; i < sel->n; i++)
		len += digest_len(sel->banks[i].alg) *
		       (size_t)__builtin_popcount(sel->banks[i].mask);
	return len;
}

/* --- writing ----------------------------------------------------------------
 */

static void
put_selection(struct wr *w, const struct pcr_set *set)
{
	static const uint8_t none[8];
	uint32_t i;

	wr_le32(w, set->nbanks);
	for (i = 0; i < SEL_BANKS; i++) {
		if (i >= set->nbanks) {
			wr_bytes(w, none, sizeof(none));
			continue;
		}
		wr_le16(w, set->banks[i].alg);
		wr_u8(w, 3);
		wr_le32(w, set->banks[i].valid & PCR_ALL);
		wr_u8(w, 0);
	}
}

/* Value n of all that the set knows, in the order of the selection. */
static const struct pcr_bank *
nth(const struct pcr_set *set, uint32_t n, uint32_t *ret_pcr)
{
	uint32_t b, i;

	for (b = 0; b < set->nbanks; b++)
		for (i = 0; i < PCR_COUNT; i++)
			if ((set->banks[b].valid >> i & 1) != 0 && n-- == 0) {
				*ret_pcr = i;
				return &set->banks[b];
			}
	return NULL;
}

void
pcr_file_put(struct wr *w, const struct pcr_set *set)
{
	static const uint8_t none[DIGEST_MAX];
	const struct pcr_bank *bank;
	uint32_t n = 0, pcr = 0, i, k;

	for (i = 0; i < set->nbanks; i++)
		n +=
		    (uint32_t)__builtin_popcount(set->banks[i].valid & PCR_ALL);
	put_selection(w, set);
	wr_le32(w, (n + LIST_DIGESTS - 1) / LIST_DIGESTS);
	for (i = 0; i < n; i += LIST_DIGESTS) {
		wr_le32(w, n - i < LIST_DIGESTS ? n - i : LIST_DIGESTS);
		for (k = i; k < i + LIST_DIGESTS; k++) {
			bank = nth(set, k, &pcr);
			wr_le16(w, bank != NULL ? bank->len : 0);
			if (bank != NULL)
				wr_bytes(w, bank->val[pcr], bank->len);
			wr_bytes(w, none,
			    DIGEST_MAX - (bank != NULL ? bank->len : 0u));
		}
	}
}

int
pcr_file_get(const uint8_t *buf, size_t len, const struct pcr_sel *quoted,
    struct pcr_sel *ret_sel, struct pcr_set *ret)
{
	struct pcr_sel sel = *quoted;
	struct pcr_set set;
	int rc;

	if (len == 0)
		return VT_E_TRUNC;
	if (len > PCR_FILE_MAX)
		return VT_E_RANGE;
	if (len == values_len(quoted))
		rc = get_values(buf, len, quoted, &set);
	else
		rc = get_serialized(buf, len, &sel, &set);
	if (rc != VT_OK)
		return rc;
	*ret_sel = sel;
	*ret = set;
	return VT_OK;
}
