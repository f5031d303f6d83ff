/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring.h - front half of the local ring: send a TPM its commands.
 *
 * Layer:  tpmfront.
 * Spec:   tpmback/local.h, tpmback/page.h.
 * Trust:  the back half may be wrong, not hostile; lengths are checked all
 *         the same.
 * Thread: one at a time per ring.
 *
 * After ring_submit() the caller spins for a bounded, adaptive time and
 * then sleeps; between two back halves (a worker that is restarted) a
 * command is answered with a failure by the second.
 */
#ifndef TPMFRONT_RING_H
#define TPMFRONT_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tpmback/page.h"

#define RING_TEXT_MAX 64 /* who has the other end, with NUL */

struct ring; /* opaque */

/*
 * Connect to the socket at path and take the page; waits up to timeout_ms
 * (-1: for ever) for the back half.  *ret belongs to the caller; ring_close()
 * frees it.
 * holder: set on VT_E_BUSY to who has it, in words.
 * VT_E_SYS, VT_E_NOMEM, VT_E_TIMEOUT, VT_E_BUSY, VT_E_CLOSED (the other end
 * hung up), VT_E_PROTO.
 */
int ring_connect(const char *path, int timeout_ms, struct ring **ret,
    char holder[RING_TEXT_MAX]) VT_CHECK;
void ring_close(struct ring *r); /* NULL is a no-op; resets nothing */

uint8_t ring_localities(const struct ring *r); /* bit n: granted */
uint8_t ring_tpm_version(const struct ring *r);

/*
 * Hand one command over; cmd is borrowed.  VT_E_STATE: the last one is not
 * answered; VT_E_RANGE: longer than TPMIF_MAX_CMD.
 */
int ring_submit(
    struct ring *r, uint8_t locality, const uint8_t *cmd, size_t len) VT_CHECK;
/*
 * Wait up to timeout_ms (0: look, -1: for ever) for the answer.  On VT_OK
 * *ret (borrowed until the next ring_submit()) holds *ret_len bytes, and the
 * ring is free for the next command.
 * VT_E_AGAIN: not yet; VT_E_CLOSED: the back half is gone; VT_E_PROTO: what
 * it answered makes no sense; VT_E_STATE: nothing was submitted; VT_E_SYS.
 */
int ring_wait(struct ring *r, int timeout_ms, const uint8_t **ret,
    size_t *ret_len) VT_CHECK;
/* Ask for the command in hand to be given up; ring_wait() then gets its
 * answer, whichever it is. */
void ring_cancel(struct ring *r);
/* A command was submitted and its answer not taken. */
bool ring_pending(const struct ring *r);
/* A descriptor that polls readable when ring_wait(r, 0) is worth calling.
 * Owned by the ring.  -1 and errno. */
int ring_fd(struct ring *r);

/* For tests that break the rules: the page itself, and the bell. */
union tpmif_view *ring_view(struct ring *r);
void ring_notify(struct ring *r);

#endif
