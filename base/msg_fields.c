/* SPDX-License-Identifier: BSD-3-Clause */
/* msg_fields.c - walks a table of fields to encode or decode a struct. */
#include "base/msg_fields.h"

#include <string.h>

/* An integer member, copied since its type is known by its size only. */
union number {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
};

static uint64_t
load(const uint8_t *m, uint32_t off, uint32_t size)
{
	union number n;

	memcpy(&n, m + off, size);
	if (size == 1)
		return n.u8;
	if (size == 2)
		return n.u16;
	return size == 4 ? n.u32 : n.u64;
}

static void
store(uint8_t *m, uint32_t off, uint32_t size, uint64_t v)
{
	union number n;

	if (size == 1)
		n.u8 = (uint8_t)v;
	else if (size == 2)
		n.u16 = (uint16_t)v;
	else if (size == 4)
		n.u32 = (uint32_t)v;
	else
		n.u64 = v;
	if (m != NULL)
		memcpy(m + off, &n, size);
}

static void
put_uint(struct wr *w, const struct msg_field *f, const uint8_t *m)
{
	uint64_t v = load(m, f->off, f->size);
	uint32_t i;

	for (i = f->size; i > 0; i--)
		wr_u8(w, (uint8_t)(v >> 8 * (i - 1)));
}

static uint64_t
rd_uint(struct rd *r, uint32_t size)
{
	const uint8_t *p = rd_span(r, size);
	uint64_t v = 0;

	while (p != NULL && size-- > 0)
		v = v << 8 | *p++;
	return v;
}

static void
check(struct rd *r, bool ok, int err)
{
	if (!ok)
		rd_fail(r, err);
}

static void
get_uint(struct rd *r, const struct msg_field *f, uint8_t *m)
{
	uint64_t v = rd_uint(r, f->size);

	check(r, v >= f->lo && v <= f->hi, VT_E_RANGE);
	store(m, f->off, f->size, v);
}

static void
get_rc(struct rd *r, const struct msg_field *f, uint8_t *m)
{
	uint32_t v = rd_be32(r);

	check(r, (int32_t)v <= VT_OK, VT_E_RANGE);
	store(m, f->off, f->size, v);
}

static void
put_bytes(struct wr *w, const struct msg_field *f, const uint8_t *m)
{
	wr_bytes(w, m + f->off, f->size);
}

static void
get_bytes(struct rd *r, const struct msg_field *f, uint8_t *m)
{
	const uint8_t *p = rd_span(r, f->size);

	if (p != NULL && m != NULL)
		memcpy(m + f->off, p, f->size);
}

static void
put_text(struct wr *w, const struct msg_field *f, const uint8_t *m)
{
	const char *s = (const char *)m + f->off;

	wr_blob16(w, s, strnlen(s, f->size));
}

static void
get_text(struct rd *r, const struct msg_field *f, uint8_t *m)
{
	size_t len;
	const uint8_t *p = rd_blob16(r, f->size - 1, &len);

	if (len == 0)
		return;
	check(r, memchr(p, '\0', len) == NULL, VT_E_FORMAT);
	if (m != NULL)
		memcpy(m + f->off, p, len);
}

static void
put_blob(struct wr *w, const struct msg_field *f, const uint8_t *m)
{
	struct wblob b;

	memcpy(&b, m + f->off, sizeof(b));
	if (f->kind == MSG_BLOB16)
		wr_blob16(w, b.p, b.len);
	else
		wr_blob32(w, b.p, b.len);
}

static void
get_blob(struct rd *r, const struct msg_field *f, uint8_t *m)
{
	bool stored = f->kind == MSG_BLOB16;
	struct wblob b = { NULL, 0 };
	size_t len;

	b.p = stored ? rd_blob16(r, f->hi, &len) : rd_blob32(r, f->hi, &len);
	if ((b.len = (uint32_t)len) == 0)
		b.p = NULL;
	check(r, b.len >= f->lo || (f->kind == MSG_OPTION && b.len == 0),
	    stored ? VT_E_FORMAT : VT_E_RANGE);
	if (m != NULL)
		memcpy(m + f->off, &b, sizeof(b));
}

static void
put_array(struct wr *w, const struct msg_field *f, const uint8_t *m)
{
	uint32_t n = (uint32_t)load(m, f->other, sizeof(n)), i;

	if (n > f->hi) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	wr_be32(w, n);
	for (i = 0; i < n; i++)
		msg_write(w, f->each, m + f->off + (size_t)i * f->size);
}

static void
get_array(struct rd *r, const struct msg_field *f, uint8_t *m)
{
	uint32_t n = rd_be32(r), i;

	check(r, n >= f->lo && n <= f->hi, VT_E_RANGE);
	for (i = 0; r->err == VT_OK && i < n; i++)
		msg_read(r, f->each,
		    m != NULL ? m + f->off + (size_t)i * f->size : NULL);
	store(m, f->other, sizeof(n), n);
}

static void
put_tail(struct wr *w, const struct msg_field *f, const uint8_t *m)
{
	if (m[f->off] != f->other)
		wr_u8(w, m[f->off]);
}

static void
get_tail(struct rd *r, const struct msg_field *f, uint8_t *m)
{
	uint64_t v = f->other;

	if (r->left > 0) {
		v = rd_u8(r);
		check(r, v >= f->lo && v <= f->hi, VT_E_FORMAT);
	}
	store(m, f->off, 1, v);
}

static void
put_rest(struct wr *w, const struct msg_field *f, const uint8_t *m)
{
	const uint8_t *p;
	size_t len;

	memcpy(&p, m + f->off, sizeof(p));
	memcpy(&len, m + f->other, sizeof(len));
	wr_bytes(w, p, len);
}

static void
get_rest(struct rd *r, const struct msg_field *f, uint8_t *m)
{
	size_t len = r->left;
	const uint8_t *p = rd_span(r, len);

	if (m == NULL || len == 0)
		return;
	memcpy(m + f->off, &p, sizeof(p));
	memcpy(m + f->other, &len, sizeof(len));
}

static const struct {
	void (*put)(struct wr *w, const struct msg_field *f, const uint8_t *m);
	void (*get)(struct rd *r, const struct msg_field *f, uint8_t *m);
} kinds[MSG_NKINDS] = {
	[MSG_UINT] = { put_uint, get_uint },
	[MSG_RC] = { put_uint, get_rc },
	[MSG_BYTES] = { put_bytes, get_bytes },
	[MSG_TEXT] = { put_text, get_text },
	[MSG_BLOB] = { put_blob, get_blob },
	[MSG_OPTION] = { put_blob, get_blob },
	[MSG_BLOB16] = { put_blob, get_blob },
	[MSG_ARRAY] = { put_array, get_array },
	[MSG_TAIL] = { put_tail, get_tail },
	[MSG_REST] = { put_rest, get_rest },
};

void
msg_write(struct wr *w, const struct msg_field *fields, const void *m)
{
	const struct msg_field *f;

	for (f = fields; f->kind != MSG_END; f++)
		kinds[f->kind].put(w, f, m);
}

void
msg_read(struct rd *r, const struct msg_field *fields, void *m)
{
	const struct msg_field *f;

	for (f = fields; f->kind != MSG_END && r->err == VT_OK; f++)
		kinds[f->kind].get(r, f, m);
}

int
msg_decode(
    const struct msg_table *t, const uint8_t *data, size_t len, void *ret)
{
	struct rd r;
	int rc;

	rd_init(&r, data, len);
	msg_read(&r, t->fields, NULL);
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	memset(ret, 0, t->size);
	rd_init(&r, data, len);
	msg_read(&r, t->fields, ret);
	return VT_OK;
}
