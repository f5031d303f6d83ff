/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * backoff.h - how long to wait before the next try: twice as long each time.
 *
 * Layer:  base; pure: no clock, no I/O, no logging.
 */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

struct backoff {
	unsigned int first_ms, most_ms;
	unsigned int wait_ms; /* before the next try */
	unsigned int tries;   /* failed in a row */
};

void backoff_init(
    struct backoff *b, unsigned int first_ms, unsigned int most_ms);

/* A try failed: returns how many milliseconds to wait before the next one. */
unsigned int backoff_failed(struct backoff *b);

/* A try succeeded: the next wait is the first one again. */
void backoff_reset(struct backoff *b);

#endif
