/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * local_queue.h - front halves of a local ring that wait for their turn.
 *
 * Layer:  tpmback; private to local_chan.c and its tests.
 * Trust:  who waits may hang up or speak at any time; both end the wait.
 * Limits: LOCAL_WAITING connections; they are not polled.
 */
#ifndef TPMBACK_LOCAL_QUEUE_H
#define TPMBACK_LOCAL_QUEUE_H

#include <stdbool.h>

#include "base/msg.h"

#define LOCAL_WAITING 8

struct local_queue {                       /* zeroed: empty */
	struct msgch *conn[LOCAL_WAITING]; /* the oldest first */
	unsigned int n;
};

/*
 * Put fd at the end and send LOCAL_WAIT with text, which names the process
 * that has the TPM.  True: fd is owned.  False: the queue is full of
 * connections that live, or memory is out; the caller keeps fd.
 */
bool local_queue_add(struct local_queue *q, int fd, const char *text) VT_CHECK;
/* The oldest one that still waits; the caller owns it.  NULL: none. */
struct msgch *local_queue_take(struct local_queue *q) VT_CHECK;
void local_queue_clear(struct local_queue *q);

#endif
