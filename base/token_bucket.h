/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * token_bucket.h - a rate limit that allows a burst.
 *
 * Layer:  base; pure: the caller passes the time in, no I/O, no logging.
 * Units:  a token is whatever the caller counts: a record, a request, a
 *         microsecond of a device's time.
 * Limits: gain and per_us at least 1; most at most TOKEN_BUCKET_MAX.
 *
 * A bucket holds at most `most` tokens, starts full, and gains `gain` tokens
 * every `per_us` microseconds, evenly.  Fractions of a token are kept, so the
 * rate does not depend on how often the bucket is read.  A clock that
 * steps back gains nothing.
 */
#ifndef BASE_TOKEN_BUCKET_H
#define BASE_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_BUCKET_MAX (INT64_MAX / 2)

struct token_bucket {
	uint64_t most;
	uint32_t gain, per_us;
	int64_t left;      /* negative: debt, at most TOKEN_BUCKET_MAX */
	uint64_t fraction; /* of the next token, in 1/per_us */
	uint64_t at_us;    /* when left was computed */
};

void token_bucket_init(struct token_bucket *b, uint64_t most, uint32_t gain,
    uint32_t per_us, uint64_t now_us);

/* Change the size and the rate; neither fills the bucket nor forgives debt. */
void token_bucket_set(struct token_bucket *b, uint64_t most, uint32_t gain,
    uint32_t per_us, uint64_t now_us);

/* Take n tokens, or none and return false if fewer are left. */
bool token_bucket_take(struct token_bucket *b, uint64_t n, uint64_t now_us);

/* Take n tokens, if need be on credit. */
void token_bucket_charge(struct token_bucket *b, uint64_t n, uint64_t now_us);

/* When the bucket holds a token: now_us, or later; UINT64_MAX: never. */
uint64_t token_bucket_when(struct token_bucket *b, uint64_t now_us);

bool token_bucket_full(struct token_bucket *b, uint64_t now_us);

#endif
