/* SPDX-License-Identifier: BSD-3-Clause */
/* token_bucket.c - a rate limit that allows a burst. */
#include "base/token_bucket.h"

void
token_bucket_init(struct token_bucket *b, uint64_t most, uint32_t gain,
    uint32_t per_us, uint64_t now_us)
{
	*b = (struct token_bucket){ .most = most,
		.gain = gain,
		.per_us = per_us,
		.left = (int64_t)most,
		.at_us = now_us };
}

/*
 * past * gain does not fit into 64 bits for every past, so whole periods are
 * compared with what is missing before they are multiplied.
 */
static void
fill(struct token_bucket *b, uint64_t now_us)
{
	uint64_t past, missing, part, gained;

	if (now_us <= b->at_us)
		return;
	past = now_us - b->at_us;
	b->at_us = now_us;
	missing = b->most - (uint64_t)b->left; /* modulo 2^64: debt adds up */
	if (past / b->per_us <= missing / b->gain) {
		part = past % b->per_us * b->gain + b->fraction;
		gained = past / b->per_us * b->gain + part / b->per_us;
		if (gained < missing) {
			b->left += (int64_t)gained;
			b->fraction = part % b->per_us;
			return;
		}
	}
	b->left = (int64_t)b->most;
	b->fraction = 0;
}

void
token_bucket_set(struct token_bucket *b, uint64_t most, uint32_t gain,
    uint32_t per_us, uint64_t now_us)
{
	fill(b, now_us);
	if (b->left > (int64_t)most)
		b->left = (int64_t)most;
	if (b->per_us != per_us)
		b->fraction = 0;
	b->most = most;
	b->gain = gain;
	b->per_us = per_us;
}

bool
token_bucket_take(struct token_bucket *b, uint64_t n, uint64_t now_us)
{
	fill(b, now_us);
	if (b->left < 0 || (uint64_t)b->left < n)
		return false;
	b->left -= (int64_t)n;
	return true;
}

void
token_bucket_charge(struct token_bucket *b, uint64_t n, uint64_t now_us)
{
	fill(b, now_us);
	if (n > (uint64_t)(b->left + TOKEN_BUCKET_MAX))
		b->left = -TOKEN_BUCKET_MAX;
	else
		b->left -= (int64_t)n;
}

uint64_t
token_bucket_when(struct token_bucket *b, uint64_t now_us)
{
	uint64_t need, wait, part;

	fill(b, now_us);
	if (b->left > 0)
		return now_us;
	need = (uint64_t)-b->left; /* whole tokens before the next one */
	part = need % b->gain * b->per_us + (b->per_us - b->fraction);
	part = part / b->gain + (part % b->gain != 0);
	if (__builtin_mul_overflow(need / b->gain, b->per_us, &wait) ||
	    __builtin_add_overflow(wait, part, &wait) ||
	    __builtin_add_overflow(wait, b->at_us, &wait))
		return UINT64_MAX;
	return wait;
}

bool
token_bucket_full(struct token_bucket *b, uint64_t now_us)
{
	fill(b, now_us);
	return b->left == (int64_t)b->most;
}
