/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote_sel.c - PCR selections as people write them.
 */
#include "measure/quote.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* A PCR number, moving *p over it; QUOTE_PCRS if there is none. */
static uint32_t
take_pcr(const char **p)
{
	uint32_t n = 0;
	int digits = 0;

	for (; **p >= '0' && **p <= '9' && digits < 3; (*p)++, digits++)
		n = n * 10 + (uint32_t)(**p - '0');
	return digits > 0 && digits < 3 && n < QUOTE_PCRS ? n : QUOTE_PCRS;
}

/* "0,2,4-7" up to '+' or the end. */
static int
take_list(const char **p, uint32_t *ret_mask)
{
	uint32_t mask = 0, from, to;

	do {
		from = to = take_pcr(p);
		if (**p == '-') {
			(*p)++;
			to = take_pcr(p);
		}
		if (from == QUOTE_PCRS || to == QUOTE_PCRS || to < from)
			return VT_E_FORMAT;
		for (; from <= to; from++)
			mask |= 1u << from;
	} while (**p == ',' && *(*p)++ != '\0');
	*ret_mask = mask;
	return VT_OK;
}

static int
take_bank(const char **p, struct quote_sel *sel)
{
	size_t len = strcspn(*p, ":");
	char name[16];
	uint16_t alg;
	uint32_t i;

	if (len >= sizeof(name) || (*p)[len] != ':')
		return VT_E_FORMAT;
	memcpy(name, *p, len);
	name[len] = '\0';
	if ((alg = digest_alg(name)) == 0)
		return VT_E_UNSUPPORTED;
	if (sel->n == QUOTE_MAX_BANKS)
		return VT_E_FORMAT;
	for (i = 0; i < sel->n; i++)
		if (sel->bank[i].alg == alg)
			return VT_E_FORMAT;
	*p += len + 1;
	sel->bank[sel->n].alg = alg;
	return take_list(p, &sel->bank[sel->n++].mask);
}

int
quote_sel_parse(const char *text, struct quote_sel *ret)
{
	struct quote_sel sel;
	const char *p = text;
	int rc;

	memset(&sel, 0, sizeof(sel));
	for (;;) {
		if ((rc = take_bank(&p, &sel)) != VT_OK)
			return rc;
		if (*p == '\0')
			break;
		if (*p++ != '+')
			return VT_E_FORMAT;
	}
	*ret = sel;
	return VT_OK;
}

int
quote_sel_format(const struct quote_sel *sel, char *out, size_t cap)
{
	const char *name, *sep;
	size_t off = 0;
	uint32_t b, i;
	int n;

	out[0] = '\0';
	for (b = 0; b < sel->n; b++) {
		name = digest_name(sel->bank[b].alg);
		n = snprintf(out + off, cap - off, "%s%s", b > 0 ? "+" : "",
		    name != NULL ? name : "unknown");
		for (i = 0, sep = ":"; i <= QUOTE_PCRS; i++) {
			if (n < 0 || (size_t)n >= cap - off) {
				out[0] = '\0';
				return VT_E_RANGE;
			}
			off += (size_t)n;
			n = 0;
			if (i == QUOTE_PCRS || !(sel->bank[b].mask >> i & 1))
				continue;
			n = snprintf(
			    out + off, cap - off, "%s%u", sep, (unsigned int)i);
			sep = ",";
		}
	}
	return VT_OK;
}
