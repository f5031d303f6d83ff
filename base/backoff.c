/* SPDX-License-Identifier: BSD-3-Clause */
/* backoff.c - how long to wait before the next try. */
#include "base/backoff.h"

void
backoff_init(struct backoff *b, unsigned int first_ms, unsigned int most_ms)
{
	b->first_ms = first_ms;
	b->most_ms = most_ms;
	backoff_reset(b);
}

unsigned int
backoff_failed(struct backoff *b)
{
	unsigned int ms = b->wait_ms;

	b->wait_ms = ms < b->most_ms / 2 ? ms * 2 : b->most_ms;
	b->tries++;
	return ms;
}

void
backoff_reset(struct backoff *b)
{
	b->wait_ms = b->first_ms;
	b->tries = 0;
}
