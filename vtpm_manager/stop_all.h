/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stop_all.h - vtpm-managerd --stop-all.
 *
 * Layer:  vtpm_manager.
 */
#ifndef VTPM_MANAGER_STOP_ALL_H
#define VTPM_MANAGER_STOP_ALL_H

#include <stdbool.h>

#include "base/err.h"

/* Ask the manager of the folder run to stop all guests and itself; without a
 * manager, end every worker that has a socket in RUN/w.  again: the next
 * manager starts the guests again.  text (MGR_TEXT_MAX bytes) says what failed.
 */
int stop_all_guests(const char *run, bool again, char *text) VT_CHECK;

#endif
