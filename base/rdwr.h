/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rdwr.h - bounded reader and bounded writer, each with a sticky error.
 *
 * Layer:  base.
 * Trust:  every byte from outside goes through struct rd, every byte out
 *         through struct wr.
 *
 * Decode straight down the field list and check the error once, at the end:
 * after the first failure every read returns zero and every write does nothing.
 */
#ifndef BASE_RDWR_H
#define BASE_RDWR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct rd {
	const uint8_t *p; /* next byte; borrowed */
	size_t left;      /* bytes */
	int err;          /* VT_OK or the first failure */
};

struct wr {
	uint8_t *buf;
	size_t len; /* bytes written */
	size_t cap; /* bytes in buf */
	size_t max; /* limit of a growing buf; 0: buf does not grow */
	int err;    /* VT_OK or the first failure */
};

void rd_init(struct rd *r, const void *buf, size_t len);
uint8_t rd_u8(struct rd *r);
uint16_t rd_be16(struct rd *r);
uint32_t rd_be32(struct rd *r);
uint64_t rd_be64(struct rd *r);
uint16_t rd_le16(struct rd *r);
uint32_t rd_le32(struct rd *r);
uint64_t rd_le64(struct rd *r);
/* Copy len bytes to dst; a failure zeroes dst. */
void rd_bytes(struct rd *r, void *dst, size_t len);
/* Borrow the next len bytes; NULL on failure. */
const uint8_t *rd_span(struct rd *r, size_t len);
/* Borrow a blob of at most max bytes (VT_E_RANGE) behind its be16 or be32
 * length. */
const uint8_t *rd_blob16(struct rd *r, size_t max, size_t *ret_len);
const uint8_t *rd_blob32(struct rd *r, size_t max, size_t *ret_len);
/* Copy such a blob to dst of max bytes; a failure leaves dst as it is. */
void rd_copy16(struct rd *r, uint8_t *dst, size_t max, uint16_t *ret_len);
/* Copy text of at most cap - 1 bytes (VT_E_RANGE) behind its be16 length to
 * dst and terminate it; VT_E_FORMAT: a NUL inside, or not UTF-8. */
void rd_str(struct rd *r, char *dst, size_t cap);
/* The same on the heap, at most max bytes; the caller frees it.  NULL on
 * failure, also VT_E_NOMEM. */
char *rd_text(struct rd *r, size_t max);
void rd_fail(struct rd *r, int err); /* an earlier failure stays */
int rd_err(const struct rd *r) VT_CHECK;
/* rd_err(), or VT_E_FORMAT if bytes are left over. */
int rd_end(const struct rd *r) VT_CHECK;

void wr_init(struct wr *w, void *buf, size_t cap);
/* Write to the heap, at most max bytes; wr_free() frees the buffer. */
void wr_grow(struct wr *w, size_t max);
/* Wipe and free a growing writer's buffer; the writer is empty again.  Leaves
 * a fixed buffer alone. */
void wr_free(struct wr *w);
void wr_u8(struct wr *w, uint8_t v);
void wr_be16(struct wr *w, uint16_t v);
void wr_be32(struct wr *w, uint32_t v);
void wr_be64(struct wr *w, uint64_t v);
void wr_le16(struct wr *w, uint16_t v);
void wr_le32(struct wr *w, uint32_t v);
void wr_le64(struct wr *w, uint64_t v);
void wr_bytes(struct wr *w, const void *src, size_t len);
void wr_blob16(struct wr *w, const void *src, size_t len);
void wr_blob32(struct wr *w, const void *src, size_t len);
void wr_str(struct wr *w, const char *s); /* for rd_str() */
/* Overwrite bytes already written at off. */
void wr_set_be16(struct wr *w, size_t off, uint16_t v);
void wr_set_be32(struct wr *w, size_t off, uint32_t v);
void wr_fail(struct wr *w, int err);
int wr_err(const struct wr *w) VT_CHECK;

/* Big-endian loads and stores where the bounds are known. */
uint16_t be16_get(const uint8_t p[2]);
uint32_t be32_get(const uint8_t p[4]);
uint64_t be64_get(const uint8_t p[8]);
void be16_put(uint8_t p[2], uint16_t v);
void be32_put(uint8_t p[4], uint32_t v);
void be64_put(uint8_t p[8], uint64_t v);

/* Bytes of the first DER value at p, if it is a SEQUENCE as long as those of
 * certificates (its length takes two bytes); len if it is not, or is cut. */
size_t der_len(const uint8_t *p, size_t len);

#endif
