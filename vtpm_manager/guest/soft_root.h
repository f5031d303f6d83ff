/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * soft_root.h - the software root's worker, which stands in for a physical TPM.
 *
 * Layer:  vtpm_manager/guest.
 */
#ifndef VTPM_MANAGER_GUEST_SOFT_ROOT_H
#define VTPM_MANAGER_GUEST_SOFT_ROOT_H

#include "vtpm_manager/core/context.h"

#define MGR_ROOT_NAME ".root" /* no guest can have this name */

/* cb once: it is up, or cannot start. */
int root_start(struct mgr *m, mgr_done_cb cb, void *arg) VT_CHECK;
void root_free(struct root *r);
/* End it for good; gone runs when it has ended, now or later. */
void root_stop(struct mgr *m, void (*gone)(struct mgr *m));
uint32_t root_pid(const struct mgr *m);
const char *root_state(const struct mgr *m);
bool root_owns(const struct mgr *m, const uint8_t uuid[UUID_LEN]);

#endif
