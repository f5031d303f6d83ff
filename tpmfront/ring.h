/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring.h - front half of a ring, local or Xen's: send a TPM its commands.
 *
 * Layer:  tpmfront.
 * Spec:   tpmback/page.h; tpmback/local.h, tpmfront/xen_front.h.
 * Trust:  the back half may write anything at any time: the header is read
 *         once, the answer copied once and then checked.
 * Thread: one at a time per ring.
 *
 * After ring_submit() the caller spins for a bounded, adaptive time and
 * then sleeps; between two back halves (a worker that is restarted) a
 * command is answered with a failure by the second.  A ring whose back half
 * is gone gets another page, see ring_ready(); a local one only if it was
 * opened so (tpmfront/ring_local.h).
 */
#ifndef TPMFRONT_RING_H
#define TPMFRONT_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tpmback/page.h"

#define RING_TEXT_MAX 64 /* the other end's user, with NUL */
#define RING_WHY_MAX 256 /* why there is no ring, with NUL */

struct ring; /* opaque */

void ring_close(struct ring *r); /* NULL is a no-op; resets nothing */

uint8_t ring_localities(const struct ring *r); /* bit n: granted */
/* Counts pages: another number, perhaps another TPM behind it. */
unsigned int ring_generation(const struct ring *r);
/*
 * Have a page to submit to; waits up to timeout_ms for one.
 * VT_E_CLOSED, VT_E_TIMEOUT: there is none; VT_E_BUSY: another process has it;
 * VT_E_SYS, VT_E_PROTO, VT_E_DENIED.
 */
int ring_ready(struct ring *r, int timeout_ms) VT_CHECK;
/* Why there is no page, as text; borrowed, never NULL. */
const char *ring_why(const struct ring *r);
/* For an idle caller that saw ring_fd() readable: handle the event. */
int ring_attend(struct ring *r);

/*
 * Hand one command over; cmd is borrowed.  VT_E_STATE: the last one is not
 * answered; VT_E_RANGE: longer than TPMIF_MAX_CMD; VT_E_CLOSED: no page.
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
/* Ask to cancel the command in flight; ring_wait() then gets its
 * answer, whichever it is. */
void ring_cancel(struct ring *r);
/* The page's own bell, as long as there is a page; -1.  Owned by the ring. */
int ring_bell_fd(const struct ring *r);
/* A descriptor that polls readable when ring_wait(r, 0) is worth calling.
 * Owned by the ring.  -1 and errno. */
int ring_fd(struct ring *r);

#endif
