/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shared.h - one ring for all contexts of a process that use the same vTPM.
 *
 * Layer:  tpmfront; private to tpmfront/tcti.
 * Thread: any; a call that waits for the TPM keeps the others of this ring
 *         waiting, as the TPM runs one command at a time.
 *
 * A ring has one front half, and a process that opens a second context before
 * it finalized its first would wait for itself.  The contexts take turns: a
 * command that finds another context's command in flight waits for its answer,
 * and keeps it for that context.
 */
#ifndef TPMFRONT_TCTI_SHARED_H
#define TPMFRONT_TCTI_SHARED_H

#include "tpmfront/ring_local.h"

struct shared; /* opaque; counted */

/* An answer, or why there is none: one context's. */
struct answer {
	int rc; /* VT_E_AGAIN: in flight; else as ring_wait() */
	size_t len;
	uint8_t bytes[TPMIF_MAX_CMD];
};

/* ring is owned.  Not shared with anyone: Xen's rings.  VT_E_NOMEM. */
int shared_new(struct ring *ring, struct shared **ret) VT_CHECK;
/* This process's ring to path, or a new one; how->keeps: always a new one.
 * As ring_local_open(). */
int shared_open(const char *path, const struct ring_local_how *how,
    struct shared **ret, char holder[RING_TEXT_MAX]) VT_CHECK;
/* NULL is a no-op.  a: of the context that leaves. */
void shared_close(struct shared *s, const struct answer *a);

/* The ring, for what needs no command: localities, why, descriptor. */
struct ring *shared_ring(struct shared *s);
/*
 * Submit; what the answer goes to is borrowed until it is there or the context
 * is closed.  ready_ms: as ring_ready().  Errors of ring_ready() and
 * ring_submit(); VT_E_TIMEOUT: another context's command does not end.
 */
int shared_submit(struct shared *s, int ready_ms, uint8_t locality,
    const uint8_t *cmd, size_t len, struct answer *a) VT_CHECK;
/* ring_wait() for the command of a; VT_OK: the answer is in it. */
int shared_wait(struct shared *s, int timeout_ms, struct answer *a) VT_CHECK;
/* Cancel the command of a, if it is in flight. */
void shared_cancel(struct shared *s, const struct answer *a);

#endif
