/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anchor.h - keeps the store and the counter in the host's TPM together
 * (anchor_fsm.h has the rules).
 *
 * Layer:  vtpm_manager.
 * Waits:  nothing blocks.  A TPM that does not answer is asked again with
 *         back-off; with the policy strict, commands that would change
 *         permanent state are held before they begin meanwhile.
 */
#ifndef VTPM_MANAGER_COMMIT_ANCHOR_H
#define VTPM_MANAGER_COMMIT_ANCHOR_H

#include <jansson.h>

#include "vtpm_manager/commit/anchor_fsm.h"
#include "vtpm_manager/core/context.h"

int anchorq_new(struct mgr *m) VT_CHECK; /* VT_E_FORMAT: no such policy */
void anchorq_free(struct mgr *m);

/* At start: ask the TPM for the counter, then call then(m).  A TPM that does
 * not answer ends the manager (loop_fatal()). */
void anchorq_ask(struct mgr *m, void (*then)(struct mgr *m));
/* Before store_unlock(): the number for a new store's first root. */
void anchorq_first(struct mgr *m);
/* After store_unlock(): freezes a store that is not the newest. */
void anchorq_check(struct mgr *m);
/* Before both: the store comes from another TPM (host_escrow.h).  It is refused
 * as it is, and anchored at this TPM's counter once an operator accepts it. */
void anchorq_moved(struct mgr *m);
/* An operator accepts the frozen store: how many raises it has missed. */
uint64_t anchorq_lost(const struct mgr *m);
/* VT_E_STATE: it cannot be anchored even then; text says why. */
int anchorq_accept(struct mgr *m, char *text) VT_CHECK;
/* It was accepted; durable false: that could not be stored, and it stays
 * refused. */
void anchorq_accepted(struct mgr *m, bool durable);

/* For group commit.  True: the next commit should wait for a raise that is
 * under way; commit_again() follows. */
bool anchorq_holds(const struct mgr *m);
/* Set the next root's number; soon: a caller waits until it is safe. */
void anchorq_before(struct mgr *m, bool soon);
/* wrote: a root was written.  Returns which value of the counter makes all
 * of it safe. */
uint64_t anchorq_after(struct mgr *m, int rc, bool wrote);
/* Is data that needs this value acknowledged later?  each: even with the
 * policy interval. */
bool anchorq_waits(const struct mgr *m, uint64_t need, bool each);
bool anchorq_safe(const struct mgr *m, uint64_t need);
/* A caller is held: do not wait for the interval. */
void anchorq_hasten(struct mgr *m);
void anchorq_kick(struct mgr *m);

/* A clean stop: all that is durable becomes safe, within a bounded time, then
 * the loop ends. */
void anchorq_end(struct mgr *m);

json_t *anchorq_json(const struct mgr *m);

#endif
