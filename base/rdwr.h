/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rdwr.h - bounded reader with a sticky error, bounded writer likewise.
 *
 * Layer:  base.
 * Every byte from outside goes through struct rd, every byte out through
 * struct wr.  Decode straight down the field list and look at the error
 * once, at the end: after the first failure every read gives zero.
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
	size_t max; /* growing: never past this; 0: buf is fixed */
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
/* Copy len bytes to dst; on failure dst is zeroed. */
void rd_bytes(struct rd *r, void *dst, size_t len);
/* Borrow the next len bytes, NULL on failure (or len 0 at the end). */
const uint8_t *rd_span(struct rd *r, size_t len);
/* Borrow a blob with a be16 / be32 length before it, at most max bytes. */
const uint8_t *rd_blob16(struct rd *r, size_t max, size_t *ret_len);
const uint8_t *rd_blob32(struct rd *r, size_t max, size_t *ret_len);
/* be16-prefixed text of at most cap-1 bytes, NUL-terminated into dst; a NUL
 * inside is VT_E_FORMAT. */
void rd_str(struct rd *r, char *dst, size_t cap);
/* The same on the heap, at most max bytes; the caller frees it.  NULL on
 * failure, VT_E_NOMEM too. */
char *rd_text(struct rd *r, size_t max);
void rd_fail(struct rd *r, int err); /* keeps an earlier failure */
int rd_err(const struct rd *r) VT_CHECK;
/* Like rd_err(), and bytes left over are VT_E_FORMAT. */
int rd_end(const struct rd *r) VT_CHECK;

void wr_init(struct wr *w, void *buf, size_t cap);
/* Heap buffer that grows to at most max bytes; wr_free() frees it. */
void wr_grow(struct wr *w, size_t max);
/* Wipes and frees a growing writer's buffer; the writer is empty again. */
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
/* Write a value over bytes already written at off. */
void wr_set_be16(struct wr *w, size_t off, uint16_t v);
void wr_set_be32(struct wr *w, size_t off, uint32_t v);
void wr_fail(struct wr *w, int err);
int wr_err(const struct wr *w) VT_CHECK;

/* Fixed big-endian loads and stores for headers already bounds-checked. */
uint16_t be16_get(const uint8_t p[2]);
uint32_t be32_get(const uint8_t p[4]);
uint64_t be64_get(const uint8_t p[8]);
void be16_put(uint8_t p[2], uint16_t v);
void be32_put(uint8_t p[4], uint32_t v);
void be64_put(uint8_t p[8], uint64_t v);

#endif
