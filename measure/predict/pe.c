/* SPDX-License-Identifier: BSD-3-Clause */
/* pe.c - reads an EFI image and computes its Authenticode digest. */
#include "measure/predict/pe.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/rdwr.h"

#define PE32 0x10b
#define PE32PLUS 0x20b
#define DIR_SECURITY 4 /* IMAGE_DIRECTORY_ENTRY_SECURITY */

/* A reader over what is left behind off. */
static struct rd
at(const struct pe *pe, size_t off)
{
	struct rd r;

	rd_init(&r, pe->buf, pe->len);
	(void)rd_span(&r, off);
	return r;
}

/* IMAGE_OPTIONAL_HEADER up to its data directories; off is its start. */
static int
optional_header(struct pe *pe, size_t off, size_t size)
{
	struct rd r = at(pe, off);
	uint16_t magic = rd_le16(&r);
	size_t dirs = magic == PE32PLUS ? 112 : 96;
	uint32_t n;

	if (rd_err(&r) != VT_OK)
		return rd_err(&r);
	if ((magic != PE32 && magic != PE32PLUS) || size < dirs)
		return VT_E_FORMAT;
	pe->checksum = off + 64;
	r = at(pe, off + 60);
	pe->headers = rd_le32(&r);
	r = at(pe, off + dirs - 4);
	n = rd_le32(&r);
	if (rd_err(&r) != VT_OK)
		return rd_err(&r);
	if (n > 16 || size < dirs + 8 * (size_t)n)
		return VT_E_FORMAT;
	if (n <= DIR_SECURITY)
		return VT_OK;
	pe->certdir = off + dirs + 8 * DIR_SECURITY;
	r = at(pe, pe->certdir + 4);
	pe->certs = rd_le32(&r);
	return rd_err(&r);
}

/* IMAGE_SECTION_HEADER */
static int
section(struct pe *pe, struct rd *r)
{
	struct pe_section *s = &pe->sections[pe->nsections++];

	rd_bytes(r, s->name, 8);
	s->vsize = rd_le32(r);
	(void)rd_le32(r); /* virtual address */
	s->rawsize = rd_le32(r);
	s->raw = rd_le32(r);
	(void)rd_span(r, 16);
	if (rd_err(r) != VT_OK)
		return rd_err(r);
	if (s->rawsize > 0 &&
	    (s->raw > pe->len || s->rawsize > pe->len - s->raw))
		return VT_E_TRUNC;
	return VT_OK;
}

int
pe_open(const uint8_t *buf, size_t len, struct pe *ret)
{
	struct pe pe = { .buf = buf, .len = len };
	uint16_t nsections, optsize;
	uint32_t off;
	struct rd r;
	int rc;

	rd_init(&r, buf, len);
	if (rd_le16(&r) != 0x5a4d) /* "MZ" */
		return rd_err(&r) != VT_OK ? rd_err(&r) : VT_E_FORMAT;
	r = at(&pe, 60);
	off = rd_le32(&r);
	r = at(&pe, off);
	if (rd_le32(&r) != 0x4550) /* "PE\0\0" */
		return rd_err(&r) != VT_OK ? rd_err(&r) : VT_E_FORMAT;
	(void)rd_le16(&r); /* machine */
	nsections = rd_le16(&r);
	(void)rd_span(&r, 12);
	optsize = rd_le16(&r);
	(void)rd_le16(&r);
	if (rd_err(&r) != VT_OK)
		return rd_err(&r);
	if (nsections > PE_MAX_SECTIONS)
		return VT_E_RANGE;
	if ((rc = optional_header(&pe, off + (size_t)24, optsize)) != VT_OK)
		return rc;
	r = at(&pe, off + (size_t)24 + optsize);
	while (pe.nsections < nsections)
		if ((rc = section(&pe, &r)) != VT_OK)
			return rc;
	/* All that is hashed as headers, and the fields left out of it. */
	if (pe.headers > len || pe.headers < pe.checksum + 4 ||
	    (pe.certdir != 0 && pe.headers < pe.certdir + 8))
		return VT_E_FORMAT;
	*ret = pe;
	return VT_OK;
}

const struct pe_section *
pe_find(const struct pe *pe, const char *name)
{
	uint32_t i;

	for (i = 0; i < pe->nsections; i++)
		if (strcmp(pe->sections[i].name, name) == 0)
			return &pe->sections[i];
	return NULL;
}

static int
by_offset(const void *a, const void *b)
{
	const struct pe_section *x = a, *y = b;

	return x->raw < y->raw ? -1 : x->raw > y->raw;
}

static int
hash_headers(const struct pe *pe, struct digest_ctx *c)
{
	size_t next = pe->checksum + 4;
	int rc;

	if ((rc = digest_add(c, pe->buf, pe->checksum)) != VT_OK)
		return rc;
	if (pe->certdir != 0) {
		rc = digest_add(c, pe->buf + next, pe->certdir - next);
		if (rc != VT_OK)
			return rc;
		next = pe->certdir + 8;
	}
	return digest_add(c, pe->buf + next, pe->headers - next);
}

/* The sections in the order of the file, then what is behind them, without
 * the certificates. */
static int
hash_body(const struct pe *pe, struct digest_ctx *c)
{
	struct pe_section s[PE_MAX_SECTIONS];
	size_t sum = pe->headers;
	uint32_t i;
	int rc;

	memcpy(s, pe->sections, sizeof(s));
	qsort(s, pe->nsections, sizeof(s[0]), by_offset);
	for (i = 0; i < pe->nsections; i++) {
		if (s[i].rawsize == 0)
			continue;
		rc = digest_add(c, pe->buf + s[i].raw, s[i].rawsize);
		if (rc != VT_OK)
			return rc;
		sum += s[i].rawsize;
	}
	if (sum >= pe->len || pe->certs >= pe->len - sum)
		return VT_OK;
	return digest_add(c, pe->buf + sum, pe->len - sum - pe->certs);
}

int
pe_authenticode(const struct pe *pe, uint16_t alg, struct tpm_digest *ret)
{
	struct tpm_digest d = { .alg = alg, .len = (uint16_t)digest_len(alg) };
	struct digest_ctx *c;
	int rc;

	if ((rc = digest_begin(alg, &c)) != VT_OK)
		return rc;
	if ((rc = hash_headers(pe, c)) != VT_OK ||
	    (rc = hash_body(pe, c)) != VT_OK) {
		digest_drop(c);
		return rc;
	}
	if ((rc = digest_end(c, d.val)) == VT_OK)
		*ret = d;
	return rc;
}
