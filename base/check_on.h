/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * check_on.h - is the outcome of this check taken?
 *
 * Layer:  measure.
 * Always, in every program that is installed.  The attack suite builds a
 * verifier and a manager of its own with VTPM_TEST_SKIP_CHECKS and supplies
 * the function:
 * an attack that still fails with its one check taken out proves nothing
 * about that check.
 */
#ifndef BASE_CHECK_ON_H
#define BASE_CHECK_ON_H

#include <stdbool.h>

#ifdef VTPM_TEST_SKIP_CHECKS
bool check_on(const char *id);
#else
static inline bool
check_on(const char *id)
{
	(void)id;
	return true;
}
#endif

#endif
