/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_store.h - law 3: every change of the permanent state becomes durable.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_STORE_H
#define VTPM_WORKER_WORKER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "vtpm/proto/worker_msg.h"

struct worker;

/*
 * Every change of the permanent state gets the next version number.  At most
 * one W_STORE is unacknowledged (struct worker.st); changes made since then
 * are dirty and go with the next one.  wk_need() says which version must be
 * durable before the guest may learn what the TPM knows now.
 *
 *	guest: NV_Write --> engine changed --> seal, W_STORE v7 --> held(v7)
 *	W_STORED v7 ok  --> acked = 7      --> chan_reply()
 */

/* Takes up what the engine changed; true if it did.  flags: WS_*. */
bool wk_store_changes(struct worker *w, uint8_t flags);
/* Seals the present state as a new version although libtpms did not change
 * it (flags, generation). */
void wk_store_now(struct worker *w, uint8_t flags);
/* The version of the permanent state as it is now. */
uint64_t wk_state_version(const struct worker *w);
/* The version that must be durable first; 0: nothing is waiting. */
uint64_t wk_need(const struct worker *w);
bool wk_can_store(const struct worker *w);

/* The manager is there, or there again: W_STORE, if one is due. */
void wk_send_store(struct worker *w);
void wk_stored(struct worker *w, const struct wstored *m);
/* Called in each turn of the loop. */
void wk_store_retry(struct worker *w, uint64_t now);

#endif
