/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cancel_watch.h - a thread that waits for a CANCEL while a slow command runs.
 *
 * Layer:  vtpm.
 * libtpms runs a command on the loop's thread; for the few slow ones this
 * thread listens on the channel meanwhile.  It is created at the first slow
 * command, so most workers never have one.
 */
#ifndef VTPM_ENGINE_CANCEL_WATCH_H
#define VTPM_ENGINE_CANCEL_WATCH_H

#include "base/err.h"
#include "tpmback/chan.h"

struct watch; /* opaque */

/*
 * Watches ch until cancel_watch_end().  *w: NULL before the first call, which
 * creates it; kept for the next.  Once chan_watch() has returned, again(arg) is
 * called every few milliseconds: a cancel that comes before libtpms has
 * begun is lost on it and must be repeated.
 * VT_E_NOMEM, VT_E_SYS: no thread watches; the command runs all the same.
 */
int cancel_watch_begin(struct watch **w, struct chan *ch,
    void (*again)(void *arg), void *arg) VT_CHECK;
/* Returns when the thread has let go of the channel. */
void cancel_watch_end(struct watch *w);

#endif
