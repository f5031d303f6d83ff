/* SPDX-License-Identifier: BSD-3-Clause */
/* rdwr.c - reads and writes integers, blobs and text within bounds. */
#include "base/rdwr.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

uint16_t
be16_get(const uint8_t p[2])
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t
be32_get(const uint8_t p[4])
{
	return (uint32_t)be16_get(p) << 16 | be16_get(p + 2);
}

uint64_t
be64_get(const uint8_t p[8])
{
	return (uint64_t)be32_get(p) << 32 | be32_get(p + 4);
}

void
be16_put(uint8_t p[2], uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void
be32_put(uint8_t p[4], uint32_t v)
{
	be16_put(p, (uint16_t)(v >> 16));
	be16_put(p + 2, (uint16_t)v);
}

void
be64_put(uint8_t p[8], uint64_t v)
{
	be32_put(p, (uint32_t)(v >> 32));
	be32_put(p + 4, (uint32_t)v);
}

void
rd_init(struct rd *r, const void *buf, size_t len)
{
	r->p = buf;
	r->left = len;
	r->err = VT_OK;
}

void
rd_fail(struct rd *r, int err)
{
	if (r->err == VT_OK)
		r->err = err;
}

const uint8_t *
rd_span(struct rd *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->err != VT_OK)
		return NULL;
	if (len > r->left) {
		r->err = VT_E_TRUNC;
		return NULL;
	}
	if (len == 0)
		return p;
	r->p += len;
	r->left -= len;
	return p;
}

void
rd_bytes(struct rd *r, void *dst, size_t len)
{
	const uint8_t *p = rd_span(r, len);

	if (r->err != VT_OK)
		memset(dst, 0, len);
	else if (len > 0)
		memcpy(dst, p, len);
}

uint8_t
rd_u8(struct rd *r)
{
	const uint8_t *p = rd_span(r, 1);

	return p != NULL ? *p : 0;
}

uint16_t
rd_be16(struct rd *r)
{
	const uint8_t *p = rd_span(r, 2);

	return p != NULL ? be16_get(p) : 0;
}

uint32_t
rd_be32(struct rd *r)
{
	const uint8_t *p = rd_span(r, 4);

	return p != NULL ? be32_get(p) : 0;
}

uint64_t
rd_be64(struct rd *r)
{
	const uint8_t *p = rd_span(r, 8);

	return p != NULL ? be64_get(p) : 0;
}

uint16_t
rd_le16(struct rd *r)
{
	return __builtin_bswap16(rd_be16(r));
}

uint32_t
rd_le32(struct rd *r)
{
	return __builtin_bswap32(rd_be32(r));
}

uint64_t
rd_le64(struct rd *r)
{
	return __builtin_bswap64(rd_be64(r));
}

static const uint8_t *
rd_blob(struct rd *r, size_t len, size_t max, size_t *ret_len)
{
	const uint8_t *p;

	if (len > max)
		rd_fail(r, VT_E_RANGE);
	p = rd_span(r, len);
	*ret_len = r->err == VT_OK ? len : 0;
	return p;
}

const uint8_t *
rd_blob16(struct rd *r, size_t max, size_t *ret_len)
{
	return rd_blob(r, rd_be16(r), max, ret_len);
}

const uint8_t *
rd_blob32(struct rd *r, size_t max, size_t *ret_len)
{
	return rd_blob(r, rd_be32(r), max, ret_len);
}

void
rd_copy16(struct rd *r, uint8_t *dst, size_t max, uint16_t *ret_len)
{
	size_t n = 0;
	const uint8_t *p = rd_blob16(r, max, &n);

	if (r->err != VT_OK)
		return;
	if (n > 0)
		memcpy(dst, p, n);
	*ret_len = (uint16_t)n;
}

/* Text behind its be16 length; NULL: a failure, or no byte. */
static const uint8_t *
rd_utf8(struct rd *r, size_t max, size_t *ret_len)
{
	const uint8_t *p = rd_blob16(r, max, ret_len);

	if (r->err != VT_OK || *ret_len == 0)
		return NULL;
	if (utf8_is_text(p, *ret_len))
		return p;
	rd_fail(r, VT_E_FORMAT);
	return NULL;
}

void
rd_str(struct rd *r, char *dst, size_t cap)
{
	size_t len;
	const uint8_t *p = rd_utf8(r, cap - 1, &len);

	dst[0] = '\0';
	if (p == NULL)
		return;
	memcpy(dst, p, len);
	dst[len] = '\0';
}

char *
rd_text(struct rd *r, size_t max)
{
	size_t len;
	const uint8_t *p = rd_utf8(r, max, &len);
	char *s;

	if (r->err != VT_OK)
		return NULL;
	if ((s = malloc(len + 1)) == NULL) {
		rd_fail(r, VT_E_NOMEM);
		return NULL;
	}
	if (p != NULL)
		memcpy(s, p, len);
	s[len] = '\0';
	return s;
}

int
rd_err(const struct rd *r)
{
	return r->err;
}

int
rd_end(const struct rd *r)
{
	if (r->err == VT_OK && r->left != 0)
		return VT_E_FORMAT;
	return r->err;
}

void
wr_init(struct wr *w, void *buf, size_t cap)
{
	memset(w, 0, sizeof(*w));
	w->buf = buf;
	w->cap = cap;
}

void
wr_grow(struct wr *w, size_t max)
{
	memset(w, 0, sizeof(*w));
	w->max = max;
}

void
wr_free(struct wr *w)
{
	if (w->max == 0)
		return;
	if (w->buf != NULL)
		explicit_bzero(w->buf, w->cap);
	free(w->buf);
	wr_grow(w, w->max);
}

void
wr_fail(struct wr *w, int err)
{
	if (w->err == VT_OK)
		w->err = err;
}

/* Not realloc(): the old buffer may hold a secret and must be wiped. */
static int
wr_enlarge(struct wr *w, size_t need)
{
	size_t cap = w->cap < 256 ? 256 : w->cap;
	uint8_t *nbuf;

	if (w->max == 0 || need > w->max)
		return VT_E_RANGE;
	while (cap < need)
		cap *= 2;
	if (cap > w->max)
		cap = w->max;
	if ((nbuf = malloc(cap)) == NULL)
		return VT_E_NOMEM;
	if (w->buf != NULL) {
		memcpy(nbuf, w->buf, w->len);
		explicit_bzero(w->buf, w->cap);
		free(w->buf);
	}
	w->buf = nbuf;
	w->cap = cap;
	return VT_OK;
}

static uint8_t *
wr_room(struct wr *w, size_t len)
{
	uint8_t *p;

	if (w->err != VT_OK)
		return NULL;
	if (len > SIZE_MAX - w->len)
		w->err = VT_E_RANGE;
	else if (w->len + len > w->cap)
		w->err = wr_enlarge(w, w->len + len);
	if (w->err != VT_OK)
		return NULL;
	p = w->buf + w->len;
	w->len += len;
	return p;
}

void
wr_bytes(struct wr *w, const void *src, size_t len)
{
	uint8_t *p;

	if (len == 0)
		return;
	if ((p = wr_room(w, len)) != NULL)
		memcpy(p, src, len);
}

void
wr_u8(struct wr *w, uint8_t v)
{
	wr_bytes(w, &v, 1);
}

void
wr_be16(struct wr *w, uint16_t v)
{
	uint8_t b[2];

	be16_put(b, v);
	wr_bytes(w, b, sizeof(b));
}

void
wr_be32(struct wr *w, uint32_t v)
{
	uint8_t b[4];

	be32_put(b, v);
	wr_bytes(w, b, sizeof(b));
}

void
wr_be64(struct wr *w, uint64_t v)
{
	uint8_t b[8];

	be64_put(b, v);
	wr_bytes(w, b, sizeof(b));
}

void
wr_le16(struct wr *w, uint16_t v)
{
	wr_be16(w, __builtin_bswap16(v));
}

void
wr_le32(struct wr *w, uint32_t v)
{
	wr_be32(w, __builtin_bswap32(v));
}

void
wr_le64(struct wr *w, uint64_t v)
{
	wr_be64(w, __builtin_bswap64(v));
}

void
wr_blob16(struct wr *w, const void *src, size_t len)
{
	if (len > UINT16_MAX) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	wr_be16(w, (uint16_t)len);
	wr_bytes(w, src, len);
}

void
wr_blob32(struct wr *w, const void *src, size_t len)
{
	if (len > UINT32_MAX) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	wr_be32(w, (uint32_t)len);
	wr_bytes(w, src, len);
}

void
wr_str(struct wr *w, const char *s)
{
	wr_blob16(w, s, strlen(s));
}

void
wr_set_be16(struct wr *w, size_t off, uint16_t v)
{
	if (w->err != VT_OK)
		return;
	if (off > w->len || w->len - off < 2)
		w->err = VT_E_RANGE;
	else
		be16_put(w->buf + off, v);
}

void
wr_set_be32(struct wr *w, size_t off, uint32_t v)
{
	if (w->err != VT_OK)
		return;
	if (off > w->len || w->len - off < 4)
		w->err = VT_E_RANGE;
	else
		be32_put(w->buf + off, v);
}

int
wr_err(const struct wr *w)
{
	return w->err;
}

size_t
der_len(const uint8_t *p, size_t len)
{
	size_t n;

	if (len < 4 || p[0] != 0x30 || p[1] != 0x82)
		return len;
	n = 4 + (size_t)be16_get(p + 2);
	return n <= len ? n : len;
}
