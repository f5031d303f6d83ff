/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * msg.h - framed messages over a Unix stream socket, with descriptors.
 *
 * Layer:  base.
 * Bytes:  big-endian.  Frame: be32 magic "VTM1" | be16 type | be16 nfds |
 *         be32 id | be32 len | len bytes.  Descriptors ride on the frame's
 *         first byte (SCM_RIGHTS).
 * Trust:  the length is checked against the channel's limit before anything
 *         is allocated; a bad frame closes the channel for good.
 * Limits: MSG_MAX_FDS descriptors, the channel's max bytes.
 */
#ifndef BASE_MSG_H
#define BASE_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define MSG_HDR_LEN 16
#define MSG_MAX_FDS 4
#define MSG_MAX_LEN (1024 * 1024) /* the default limit for a payload */

struct msg {
	uint16_t type;
	uint32_t id;         /* chosen by who asks, echoed by who answers */
	const uint8_t *data; /* borrowed until the next msgch_recv() */
	size_t len;
	int fds[MSG_MAX_FDS]; /* the receiver owns them; -1 when absent */
	unsigned int nfds;
};

struct msgch; /* opaque */

/*
 * Take over fd (any blocking mode; it is made non-blocking).
 * maxlen: most bytes of a payload that is accepted; 0 is MSG_MAX_LEN.
 * On success *ret owns fd.  VT_E_NOMEM, VT_E_SYS.
 */
int msgch_new(int fd, size_t maxlen, struct msgch **ret) VT_CHECK;
void msgch_free(struct msgch *ch); /* closes the fd; NULL is a no-op */
int msgch_fd(const struct msgch *ch);
/* Bytes wait to be written: poll for POLLOUT, then msgch_flush(). */
bool msgch_pending(const struct msgch *ch);
/* Bytes of what was sent and the peer has not taken, about. */
size_t msgch_backlog(const struct msgch *ch);

/*
 * Queue one message and try to write it.  data is copied, fds are
 * duplicated: the caller keeps its own.  VT_OK also when part of it had to
 * be queued.  VT_E_CLOSED: the peer is gone.  VT_E_RANGE: too long.
 */
int msgch_send(struct msgch *ch, uint16_t type, uint32_t id, const void *data,
    size_t len, const int *fds, unsigned int nfds) VT_CHECK;
int msgch_flush(struct msgch *ch) VT_CHECK;

/*
 * Take the next message.  VT_OK with *ret filled; VT_E_AGAIN: not all there
 * yet; VT_E_CLOSED: end of stream; VT_E_PROTO: bad frame, and every later
 * call says the same; VT_E_NOMEM, VT_E_SYS.
 */
int msgch_recv(struct msgch *ch, struct msg *ret) VT_CHECK;

/* msgch_recv() that waits; timeout_ms -1 is for ever.  Also VT_E_TIMEOUT.
 * Flushes what is queued while it waits. */
int msgch_recv_wait(struct msgch *ch, int timeout_ms, struct msg *ret) VT_CHECK;
/* Wait until everything queued is written. */
int msgch_flush_wait(struct msgch *ch, int timeout_ms) VT_CHECK;

/* Close the descriptors of a message that nobody wants. */
void msg_close_fds(struct msg *m);

#endif
