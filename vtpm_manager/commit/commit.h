/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * commit.h - group commit: one transaction for everything that was put into the
 * store during one turn of the event loop.
 *
 * Layer:  vtpm_manager/commit.
 * Law 3:  what a worker stored is acknowledged from these callbacks only.
 */
#ifndef VTPM_MANAGER_COMMIT_COMMIT_H
#define VTPM_MANAGER_COMMIT_COMMIT_H

#include "vtpm_manager/core/context.h"

typedef void (*commit_cb)(void *arg, int rc);

int commit_new(struct mgr *m) VT_CHECK;
void commit_free(struct mgr *m); /* commits what waits */
/* After the put calls: cb runs once they are durable or have failed, never
 * before this returns.  cb NULL: the caller does not wait. */
void commit_soon(struct mgr *m, commit_cb cb, void *arg);
/* The same for the answer to a request: cb's text says why it failed. */
void commit_reply(struct mgr *m, mgr_done_cb cb, void *arg);
/* As commit_soon(), but cb runs only when the data is safe from rollback, too,
 * whatever the anchor's policy. */
void commit_safe(struct mgr *m, commit_cb cb, void *arg);
/* For a caller that repeats its request once the store takes data: cb gets
 * VT_E_AGAIN when the data is durable but stays unsafe for too long. */
void commit_state(struct mgr *m, bool safe, commit_cb cb, void *arg);
void commit_forget(struct mgr *m, void *arg); /* arg is going away */
/* Commit now, with all callbacks. */
int commit_now(struct mgr *m) VT_CHECK;
void commit_again(struct mgr *m);   /* a raise of the counter is over */
void commit_release(struct mgr *m); /* the counter was raised */
void commit_hurry(struct mgr *m);   /* it has not been, for too long */
/* May a command begin whose result has to be stored? */
bool commit_takes_writes(const struct mgr *m);
/* Why the store takes no data, with what to do next; rc: of what failed. */
void commit_text(const struct mgr *m, int rc, char *text, size_t cap);
void commit_watch(struct mgr *m); /* m->st is open: notice when it is lost */
/* A put failed (no space, I/O error): hold NV commands, and retry. */
void commit_storage_bad(struct mgr *m, int rc);

#endif
