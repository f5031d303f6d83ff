/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_id.h - which uid a worker runs under, which process it is, and which
 * key seals its state.
 *
 * Layer:  vtpm_manager/guest; no logging.
 */
#ifndef VTPM_MANAGER_GUEST_WORKER_ID_H
#define VTPM_MANAGER_GUEST_WORKER_ID_H

#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/store/store_guest.h"

/* The uid of a guest's worker, or a fresh one; (uint32_t)-1: workers share
 * the manager's uid. */
uint32_t worker_id_uid(const struct mgr *m, const struct guest *in);
uint32_t worker_id_fresh_uid(struct mgr *m);
/* The key that seals this guest's state, from the master key. */
int worker_id_key(struct mgr *m, const uint8_t uuid[UUID_LEN],
    uint8_t out[WKEY_LEN]) VT_CHECK;
int worker_id_pidfd_any(uint32_t pid); /* -1 and errno */
/* The same, only if that process is a worker by its name. */
int worker_id_pidfd(uint32_t pid);
/* Kill the process behind a pidfd; -1 is a no-op. */
void worker_id_kill(int pidfd);

#endif
