/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * msg.h - framed messages over a Unix stream socket, with descriptors.
 *
 * Layer:  base.
 * Bytes:  big-endian.  Frame: be32 magic "VTM1" | be16 type | be16 nfds |
 *         be32 id | be32 len | len bytes.  Descriptors ride on the frame's
 *         first byte (SCM_RIGHTS).
 * Trust:  msgch_recv() checks the length against the channel's limit before it
 *         allocates; a bad frame closes the channel for good.
 * Limits: MSG_MAX_FDS descriptors; the channel's maxlen bytes of payload.
 */
#ifndef BASE_MSG_H
#define BASE_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MSG_HDR_LEN 16
#define MSG_MAX_FDS 4
#define MSG_MAX_LEN (1024 * 1024) /* default limit of a payload, bytes */

struct msg {
	uint16_t type;
	uint32_t id;         /* the requester chooses it, answers repeat it */
	const uint8_t *data; /* borrowed until the next msgch_recv() */
	size_t len;
	int fds[MSG_MAX_FDS]; /* owned by the receiver; -1 when absent */
	unsigned int nfds;
};

struct msgch; /* opaque */

/*
 * Make a channel of fd, which becomes non-blocking.
 * maxlen: longest payload to send or accept, bytes; 0 is MSG_MAX_LEN.
 * On success *ret owns fd; msgch_free() frees it.  VT_E_NOMEM, VT_E_SYS.
 */
int msgch_new(int fd, size_t maxlen, struct msgch **ret) VT_CHECK;
void msgch_free(struct msgch *ch); /* closes the fd; NULL is a no-op */
int msgch_fd(const struct msgch *ch);
/* True while messages wait to be written: poll for POLLOUT, then call
 * msgch_flush(). */
bool msgch_pending(const struct msgch *ch);
/* Bytes of the messages that wait; a partly written one counts whole. */
size_t msgch_backlog(const struct msgch *ch);

/*
 * Queue one message and write as much as the socket accepts now.  Copies data
 * and duplicates fds; the caller keeps its own.  VT_OK also while part of it
 * waits.  VT_E_CLOSED (the peer is gone), VT_E_RANGE (over a limit; nothing is
 * queued), VT_E_NOMEM, VT_E_SYS.
 */
int msgch_send(struct msgch *ch, uint16_t type, uint32_t id, const void *data,
    size_t len, const int *fds, unsigned int nfds) VT_CHECK;
/* Write as much as the socket accepts now.  VT_E_CLOSED, VT_E_SYS. */
int msgch_flush(struct msgch *ch) VT_CHECK;

/*
 * Take the next message.  VT_OK with *ret filled; VT_E_AGAIN: no complete
 * message yet; VT_E_CLOSED: end of stream; VT_E_PROTO: bad frame, or the stream
 * ended inside one; VT_E_NOMEM, VT_E_SYS.  After VT_E_CLOSED and VT_E_PROTO
 * every later call returns the same.
 */
int msgch_recv(struct msgch *ch, struct msg *ret) VT_CHECK;

/* msgch_recv() that waits, for ever if timeout_ms is negative, and meanwhile
 * writes what is queued.  Also VT_E_TIMEOUT. */
int msgch_recv_wait(struct msgch *ch, int timeout_ms, struct msg *ret) VT_CHECK;
/* Wait until everything queued is written.  VT_E_TIMEOUT, VT_E_CLOSED,
 * VT_E_SYS. */
int msgch_flush_wait(struct msgch *ch, int timeout_ms) VT_CHECK;

/* Close the descriptors of an unwanted message. */
void msg_close_fds(struct msg *m);

#endif
