/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anchor.h - the store and the counter in the host's TPM, kept
 * together (anchor_fsm.h has the rules).
 *
 * Layer:  vtpm_manager.
 * Waits:  nothing here blocks.  A TPM that is away is asked again with
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
 * not answer ends the manager, in words. */
void anchorq_ask(struct mgr *m, void (*then)(struct mgr *m));
/* Before store_unlock(): the number for a new store's first root. */
void anchorq_first(struct mgr *m);
/* After it: freezes a store that is not the newest. */
void anchorq_check(struct mgr *m);
/* Before both: the store comes from another TPM (host_escrow.h).  It is refused
 * as it is, and anchored at this TPM's counter once it is taken. */
void anchorq_moved(struct mgr *m);
/* An operator takes the frozen store: how many raises it does not know of. */
uint64_t anchorq_lost(const struct mgr *m);
/* VT_E_STATE: not even then can it be anchored; text says why. */
int anchorq_accept(struct mgr *m, char *text) VT_CHECK;
/* It was taken; or that could not be stored, and it is refused as before. */
void anchorq_accepted(struct mgr *m, bool durable);

/* For group commit.  True: a raise is under way that the next commit had
 * better wait for; mgr_commit_again() follows. */
bool anchorq_holds(const struct mgr *m);
/* Set the next root's number; soon: somebody waits until it is safe. */
void anchorq_before(struct mgr *m, bool soon);
/* wrote: a root was written.  Returns which value of the counter makes all
 * of it safe. */
uint64_t anchorq_after(struct mgr *m, int rc, bool wrote);
/* Is what needs this value to be told later?  each: even with interval. */
bool anchorq_waits(const struct mgr *m, uint64_t need, bool each);
bool anchorq_safe(const struct mgr *m, uint64_t need);
/* Somebody is held: do not wait for the interval. */
void anchorq_hasten(struct mgr *m);
void anchorq_kick(struct mgr *m);

/* A clean stop: all that is durable becomes safe, within a bounded time, then
 * the loop ends. */
void mgr_end(struct mgr *m);

json_t *anchorq_json(const struct mgr *m);

#endif
