/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_chan.h - the guest's channels: open, keep, adopt.
 *
 * Layer:  vtpm; private to the worker.
 */
#ifndef VTPM_WORKER_WORKER_CHAN_H
#define VTPM_WORKER_WORKER_CHAN_H

#include "base/err.h"
#include "tpmback/chan.h"
#include "vtpm/proto/worker_msg.h"

struct worker;
struct slot;

/* Serves a channel's listening socket; fd is owned on success.  VT_E_EXISTS,
 * VT_E_UNSUPPORTED, VT_E_NOMEM, VT_E_SYS. */
int wk_open(struct worker *w, const struct wopen *m, int fd) VT_CHECK;
/* Goes on with descriptors that a dead predecessor had kept; they are owned
 * after this.  VT_E_STATE: the channel is not open; as chan_adopt(). */
int wk_adopt(struct worker *w, const struct wkeep *m, const int *fds,
    unsigned int nfds) VT_CHECK;
/* W_KEEP for every channel: the manager is new. */
void wk_send_kept(struct worker *w);
/* W_KEEPs that were put off: messages were queued, or they came too fast. */
void wk_send_due(struct worker *w);
/* When the next of these may go; UINT64_MAX: none waits for the clock. */
uint64_t wk_keep_when(struct worker *w);
/* The channel of s becomes the TPM's front half; false: another one is.  Its
 * end clears s->claimed. */
bool wk_claim(struct slot *s);
/* The callbacks of every channel; host_arg is the channel's struct slot. */
const struct chan_host *wk_chan_host(void);

#endif
