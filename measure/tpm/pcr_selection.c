/* SPDX-License-Identifier: BSD-3-Clause */
/* pcr_selection.c - PCR selections on the wire and as text. */
#include "measure/tpm/pcr_selection.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"

#define SELECT_BYTES 3 /* PC Client: 24 PCRs */

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
