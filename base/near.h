/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * near.h - "did you mean": the known word that is closest to a mistyped one.
 *
 * Layer:  base.
 * Close means: one typing error for every three characters, at least one and
 * at most three; an error is a character that is missing, too much, wrong, or
 * swapped with its neighbour.
 */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#define NEAR_MAX 63 /* longer words are near to none */

struct near {
	const char *word;    /* borrowed */
	const char *best;    /* borrowed; NULL: none was close */
	unsigned int errors; /* more than this are too many */
};

void near_start(struct near *n, const char *word);
/* candidate is borrowed while n is used; the first of equals wins. */
void near_try(struct near *n, const char *candidate);

#endif
