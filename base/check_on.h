/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * check_on.h - whether the result of this check counts.
 *
 * Layer:  measure.
 * In installed programs it always does.  The attack suite builds its own
 * verifier and manager with VTPM_TEST_SKIP_CHECKS and supplies the function:
 * an attack that still fails with its one check taken out proves nothing about
 * that check.
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
