/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure/tpm/pcr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define PCR_MAGIC 0x56545043u /* "VTPC" */
#define PCR_VERSION 1
#define SELECT_BYTES 3 /* PC Client: 24 PCRs */

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

const struct pcr_bank *
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
    struct pcr_set *set, uint32_t pcr, const struct el_digest *d, uint32_t n)
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

static bool
digests_are_zero(const struct el_event *ev)
{
	uint32_t i, k;

	for (i = 0; i < ev->ndigests; i++)
		for (k = 0; k < ev->digests[i].len; k++)
			if (ev->digests[i].val[k] != 0)
				return false;
	return true;
}

/* A locality after PCR 0 was extended would rewrite history. */
static int
replay_no_action(struct pcr_set *set, const struct el_event *ev, bool begun)
{
	uint8_t locality;
	uint32_t i;
	int rc;

	if (!digests_are_zero(ev))
		return VT_E_FORMAT;
	if ((rc = el_startup_locality(ev, &locality)) <= 0)
		return rc;
	if (begun)
		return VT_E_FORMAT;
	for (i = 0; i < set->nbanks; i++)
		set->banks[i].val[0][set->banks[i].len - 1] = locality;
	return VT_OK;
}

static void
drop_missing_banks(struct pcr_set *set, const struct el_spec *spec)
{
	uint32_t i, k;

	for (i = 0; i < set->nbanks; i++) {
		for (k = 0; k < spec->nbanks; k++)
			if (spec->algs[k] == set->banks[i].alg)
				break;
		if (k == spec->nbanks)
			set->banks[i].valid = 0;
	}
}

int
pcr_replay_log(struct pcr_set *set, const uint8_t *buf, size_t len)
{
	struct el_log *log;
	struct el_event ev;
	bool begun = false;
	int rc;

	if ((rc = el_open(buf, len, &log)) != VT_OK)
		return rc;
	pcr_set_reset(set, 0);
	while ((rc = el_next(log, &ev)) == 1) {
		if (el_is_launch(&ev))
			pcr_drtm_start(set);
		if (!el_extends(&ev))
			rc = replay_no_action(set, &ev, begun);
		else
			rc = pcr_extend(set, ev.pcr, ev.digests, ev.ndigests);
		if (rc != VT_OK)
			break;
		if (el_extends(&ev) && ev.pcr == 0)
			begun = true;
	}
	drop_missing_banks(set, el_spec(log));
	el_close(log);
	return rc;
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

void
pcr_sel_put(struct wr *w, const struct pcr_sel *sel)
{
	uint32_t i, k;

	wr_be32(w, sel->n);
	for (i = 0; i < sel->n; i++) {
		wr_be16(w, sel->banks[i].alg);
		wr_u8(w, SELECT_BYTES);
		for (k = 0; k < SELECT_BYTES; k++)
			wr_u8(w, (uint8_t)(sel->banks[i].mask >> (8 * k)));
	}
}

void
pcr_sel_get(struct rd *r, struct pcr_sel *ret)
{
	struct pcr_sel sel = { .n = rd_be32(r) };
	uint32_t i, k;
	uint8_t size;

	if (sel.n > PCR_MAX_BANKS)
		rd_fail(r, VT_E_RANGE);
	for (i = 0; i < sel.n && r->err == VT_OK; i++) {
		sel.banks[i].alg = rd_be16(r);
		size = rd_u8(r);
		if (r->err == VT_OK && (size == 0 || size > 4))
			rd_fail(r, VT_E_FORMAT);
		for (k = 0; k < size && r->err == VT_OK; k++)
			sel.banks[i].mask |= (uint32_t)rd_u8(r) << (8 * k);
		if ((sel.banks[i].mask & ~PCR_ALL) != 0)
			rd_fail(r, VT_E_RANGE);
	}
	if (r->err == VT_OK)
		*ret = sel;
}

bool
pcr_sel_equal(const struct pcr_sel *a, const struct pcr_sel *b)
{
	uint32_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->banks[i].alg != b->banks[i].alg ||
		    a->banks[i].mask != b->banks[i].mask)
			return false;
	return true;
}

/* A PCR's number, moving *p behind it; PCR_COUNT if there is none. */
static uint32_t
parse_number(const char **p)
{
	uint32_t n;

	if (**p < '0' || **p > '9')
		return PCR_COUNT;
	for (n = 0; **p >= '0' && **p <= '9' && n < PCR_COUNT; (*p)++)
		n = 10 * n + (uint32_t)(**p - '0');
	return n < PCR_COUNT ? n : PCR_COUNT;
}

/* "0,2-7,17" or "all" up to '+' or the end. */
static int
parse_mask(const char **p, uint32_t *ret)
{
	uint32_t mask = 0, from, to;

	if (strncmp(*p, "all", 3) == 0) {
		*p += 3;
		*ret = PCR_ALL;
		return VT_OK;
	}
	for (;; (*p)++) {
		from = to = parse_number(p);
		if (**p == '-') {
			(*p)++;
			to = parse_number(p);
		}
		if (from == PCR_COUNT || to == PCR_COUNT || to < from)
			return VT_E_FORMAT;
		for (; from <= to; from++)
			mask |= 1u << from;
		if (**p != ',')
			break;
	}
	*ret = mask;
	return VT_OK;
}

int
pcr_sel_parse(const char *text, struct pcr_sel *ret)
{
	struct pcr_sel sel = { 0 };
	const char *colon;
	char name[16];
	uint32_t i;

	for (;; text++) {
		if (sel.n == PCR_MAX_BANKS)
			return VT_E_FORMAT;
		colon = strchr(text, ':');
		if (colon == NULL || (size_t)(colon - text) >= sizeof(name))
			return VT_E_FORMAT;
		memcpy(name, text, (size_t)(colon - text));
		name[colon - text] = '\0';
		if ((sel.banks[sel.n].alg = digest_alg(name)) == 0)
			return VT_E_FORMAT;
		for (i = 0; i < sel.n; i++)
			if (sel.banks[i].alg == sel.banks[sel.n].alg)
				return VT_E_FORMAT;
		text = colon + 1;
		if (parse_mask(&text, &sel.banks[sel.n].mask) != VT_OK)
			return VT_E_FORMAT;
		sel.n++;
		if (*text == '\0')
			break;
		if (*text != '+')
			return VT_E_FORMAT;
	}
	*ret = sel;
	return VT_OK;
}

static void
put_text(char *out, size_t cap, size_t *used, const char *fmt, const char *s,
    uint32_t n)
{
	int len;

	if (*used >= cap)
		return;
	if (s != NULL)
		len = snprintf(out + *used, cap - *used, "%s%s", fmt, s);
	else
		len = snprintf(out + *used, cap - *used, "%s%u", fmt, n);
	if (len > 0)
		*used += (size_t)len;
}

void
pcr_sel_format(const struct pcr_sel *sel, char *out, size_t cap)
{
	const char *name, *sep;
	size_t used = 0;
	uint32_t i, n;

	out[0] = '\0';
	for (i = 0; i < sel->n; i++) {
		name = digest_name(sel->banks[i].alg);
		put_text(out, cap, &used, i > 0 ? "+" : "",
		    name != NULL ? name : "unknown", 0);
		sep = ":";
		for (n = 0; n < PCR_COUNT; n++) {
			if ((sel->banks[i].mask >> n & 1) == 0)
				continue;
			put_text(out, cap, &used, sep, NULL, n);
			sep = ",";
		}
	}
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
