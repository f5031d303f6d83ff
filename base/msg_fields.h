/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * msg_fields.h - messages as tables of fields, one encoder and one decoder.
 *
 * Layer:  base.
 * Bytes:  a table's fields in their order and nothing else.  Integers are
 *         big-endian, as wide as the struct's member.
 * Trust:  the decoder checks every bound before it writes anything, so the
 *         output is untouched on error; trailing bytes are an error.
 * Memory: a decoded struct owns nothing: what it points to is borrowed from
 *         the bytes it was decoded from.  Encoding copies all of it.
 *
 * A message NAME is a struct NAME and a table NAME_msg, declared in one header:
 *
 *	MSG_TABLE(wopen,
 *	    F_RANGE(wopen, chan, CHAN_LOCAL, CHAN_XEN),
 *	    F_RANGE(wopen, localities, 0, ALL_LOCALITIES));
 *
 *	msg_put(&w, wopen, &m);
 *	rc = msg_get(wopen, data, len, &m);
 */
#ifndef BASE_MSG_FIELDS_H
#define BASE_MSG_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rdwr.h"
#include "base/util.h"

/* Bytes of variable length in a message; p is NULL if len is 0. */
struct wblob {
	const uint8_t *p; /* borrowed */
	uint32_t len;
};

enum msg_kind {
	MSG_END = 0, /* behind the last field */
	MSG_UINT,    /* uint8_t to uint64_t: big-endian, lo..hi */
	MSG_RC,      /* int32_t: be32, VT_OK or an error */
	MSG_BYTES,   /* uint8_t[N]: N bytes */
	MSG_TEXT,    /* char[N]: be16 length, at most N - 1, + bytes, no NUL */
	MSG_BLOB,    /* struct wblob: be32 length, lo..hi, + bytes */
	MSG_OPTION,  /* struct wblob: the same, or empty */
	MSG_BLOB16,  /* struct wblob: be16 length, lo..hi, + bytes; less than lo
			is VT_E_FORMAT */
	MSG_ARRAY,   /* be32 count, lo..hi, + that many elements */
	MSG_TAIL,    /* uint8_t, last: nothing if it is `other`, else lo..hi;
			any other byte is VT_E_FORMAT */
	MSG_REST,    /* const uint8_t * and size_t, last: the bytes left */
	MSG_NKINDS
};

struct msg_field {
	const char *name;
	enum msg_kind kind;
	uint32_t off;   /* of the member */
	uint32_t size;  /* bytes of the member; MSG_ARRAY: of one element */
	uint32_t other; /* offset of the count or length; MSG_TAIL: a value */
	uint64_t lo, hi;
	const struct msg_field *each; /* MSG_ARRAY: fields of one element */
};

struct msg_table {
	const char *name;
	size_t size; /* of the struct */
	const struct msg_field *fields;
};

/* clang-format off */
#define MSG_TABLE(s, ...) \
	const struct msg_table s##_msg = { #s, sizeof(struct s), \
		(const struct msg_field[]){ __VA_ARGS__, F_END } }
#define F_END { .kind = MSG_END }

/*
 * The rows.  s: the struct's tag; m: its member; `fits` compiles only for a
 * member of the row's kind.
 */
#define F_OF(s, m) (((struct s *)NULL)->m)
#define F_ROW(s, m, k, lo, hi, fits) { #m, k, offsetof(struct s, m), \
	    sizeof(F_OF(s, m)) + 0 * sizeof(fits), 0, lo, hi, NULL }
#define F_UINT(s, m)		F_RANGE(s, m, 0, UINT64_MAX)
#define F_RANGE(s, m, lo, hi)	F_ROW(s, m, MSG_UINT, lo, hi, +F_OF(s, m))
#define F_RC(s, m)		F_ROW(s, m, MSG_RC, 0, 0, +F_OF(s, m))
#define F_BYTES(s, m)		F_ROW(s, m, MSG_BYTES, 0, 0, F_OF(s, m)[0])
#define F_TEXT(s, m)		F_ROW(s, m, MSG_TEXT, 0, 0, F_OF(s, m)[0])
#define F_BLOB(s, m, lo, hi)	F_ROW(s, m, MSG_BLOB, lo, hi, F_OF(s, m).len)
#define F_OPTION(s, m, n)	F_ROW(s, m, MSG_OPTION, n, n, F_OF(s, m).len)
#define F_BLOB16(s, m, lo, hi)	F_ROW(s, m, MSG_BLOB16, lo, hi, F_OF(s, m).len)
/* m: an array; n: the uint32_t that counts its elements; each: their fields. */
#define F_ARRAY(s, n, m, lo, each) { #m, MSG_ARRAY, offsetof(struct s, m), \
	    sizeof(F_OF(s, m)[0]), offsetof(struct s, n), lo, \
	    VT_NELEM(F_OF(s, m)), each }
/* The one field of an element that is a struct wblob. */
#define F_ITEM(lo, hi) { "", MSG_BLOB, 0, sizeof(struct wblob), 0, \
	    lo, hi, NULL }
#define F_TAIL(s, m, lo, hi, absent) { #m, MSG_TAIL, offsetof(struct s, m), \
	    sizeof(F_OF(s, m)), absent, lo, hi, NULL }
#define F_REST(s, m, len) { #m, MSG_REST, offsetof(struct s, m), \
	    sizeof(F_OF(s, m)), offsetof(struct s, len), 0, 0, NULL }

/* The compiler checks that m and ret point to a struct s. */
#define MSG_IS(s, p)		(1 ? (p) : (struct s *)NULL)
#define msg_put(w, s, m)	msg_write(w, s##_msg.fields, MSG_IS(s, m))
#define msg_get(s, p, len, ret)	msg_decode(&s##_msg, p, len, MSG_IS(s, ret))
/* clang-format on */

/*
 * Append the fields of *m to w.  VT_E_RANGE in w: an array counts more elements
 * than it has.  The decoder checks all other bounds.
 */
void msg_write(struct wr *w, const struct msg_field *fields, const void *m);

/*
 * Decode all of data into *ret, t->size bytes; members without a field become
 * zero.  VT_E_TRUNC, VT_E_RANGE (a value outside its bounds), VT_E_FORMAT (NUL
 * in a text, bytes left over).
 */
int msg_decode(const struct msg_table *t, const uint8_t *data, size_t len,
    void *ret) VT_CHECK;

/*
 * Read fields as a part of something larger; r keeps the error.  m: zeroed by
 * the caller, half filled on error; NULL: check only.
 */
void msg_read(struct rd *r, const struct msg_field *fields, void *m);

#endif
