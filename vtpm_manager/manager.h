/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * manager.h - the manager as a whole: start order and end.
 *
 * Layer:  vtpm_manager, the composer: it alone knows every room.
 */
#ifndef VTPM_MANAGER_MANAGER_H
#define VTPM_MANAGER_MANAGER_H

#include "vtpm_manager/core/context.h"

/* cfg is copied.  text (MGR_TEXT_MAX bytes) says what failed. */
int mgr_new(const struct config *cfg, sd_event *ev, struct mgr **ret,
    char *text) VT_CHECK;
/* Begin the start; what fails later ends the loop (loop_fatal()). */
int mgr_start(struct mgr *m, char *text) VT_CHECK;
void mgr_free(struct mgr *m); /* workers live on; NULL is a no-op */

#endif
