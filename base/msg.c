/* SPDX-License-Identifier: BSD-3-Clause */
/* msg.c - frames and their descriptors over a non-blocking socket. */
#include "base/msg.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rdwr.h"
#include "base/util.h"

#define MSG_MAGIC 0x56544d31u /* "VTM1" */
#define MSG_KEEP_BUF 32768    /* a larger buffer is freed when empty */

struct out_msg {
	struct out_msg *next;
	int fds[MSG_MAX_FDS];
	unsigned int nfds;
	size_t len, off;
	uint8_t bytes[];
};

struct msgch {
	int fd;
	size_t maxlen;
	int err; /* sticky */
	uint8_t *in;
	size_t in_len, in_cap, in_used; /* in_used: bytes of the last message */
	int in_fds[MSG_MAX_FDS];
	unsigned int in_nfds;
	struct out_msg *head, **tail;
	size_t backlog; /* bytes of all of them */
};

int
msgch_new(int fd, size_t maxlen, struct msgch **ret)
{
	struct msgch *ch = calloc(1, sizeof(*ch));

	if (ch == NULL)
		return VT_E_NOMEM;
	if (fd_set_nonblock(fd, true) != VT_OK) {
		free(ch);
		return VT_E_SYS;
	}
	ch->fd = fd;
	ch->maxlen = maxlen != 0 ? maxlen : MSG_MAX_LEN;
	ch->tail = &ch->head;
	*ret = ch;
	return VT_OK;
}

static void
close_all(int *fds, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		(void)close(fds[i]);
}

static void
out_free(struct out_msg *o)
{
	close_all(o->fds, o->nfds);
	explicit_bzero(o->bytes, o->len);
	free(o);
}

void
msgch_free(struct msgch *ch)
{
	struct out_msg *o;

	if (ch == NULL)
		return;
	while ((o = ch->head) != NULL) {
		ch->head = o->next;
		out_free(o);
	}
	close_all(ch->in_fds, ch->in_nfds);
	if (ch->in != NULL)
		explicit_bzero(ch->in, ch->in_cap);
	free(ch->in);
	(void)close(ch->fd);
	free(ch);
}

int
msgch_fd(const struct msgch *ch)
{
	return ch->fd;
}

bool
msgch_pending(const struct msgch *ch)
{
	return ch->head != NULL;
}

size_t
msgch_backlog(const struct msgch *ch)
{
	return ch->backlog;
}

static ssize_t
send_some(int fd, struct out_msg *o)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * MSG_MAX_FDS)];
	} ctl;
	struct iovec iov = { o->bytes + o->off, o->len - o->off };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (o->off == 0 && o->nfds > 0) {
		memset(&ctl, 0, sizeof(ctl));
		mh.msg_control = ctl.buf;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * o->nfds);
		c = (struct cmsghdr *)ctl.buf; /* = CMSG_FIRSTHDR(&mh) */
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * o->nfds);
		memcpy(CMSG_DATA(c), o->fds, sizeof(int) * o->nfds);
	}
	return sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int
msgch_flush(struct msgch *ch)
{
	struct out_msg *o;
	ssize_t n;

	while ((o = ch->head) != NULL) {
		if ((n = send_some(ch->fd, o)) == -1) {
			if (errno == EINTR)
				continue;
			/* ETOOMANYREFS: the user's limit of descriptors in
			 * flight is reached until a peer takes some. */
			if (errno == EAGAIN || errno == EWOULDBLOCK ||
			    errno == ETOOMANYREFS)
				return VT_OK;
			if (errno == EPIPE || errno == ECONNRESET)
				return VT_E_CLOSED;
			return VT_E_SYS;
		}
		o->off += (size_t)n;
		if (o->off < o->len)
			continue;
		if ((ch->head = o->next) == NULL)
			ch->tail = &ch->head;
		ch->backlog -= o->len;
		out_free(o);
	}
	return VT_OK;
}

static int
dup_fds(struct out_msg *o, const int *fds, unsigned int nfds)
{
	for (o->nfds = 0; o->nfds < nfds; o->nfds++) {
		int fd = fcntl(fds[o->nfds], F_DUPFD_CLOEXEC, 0);

		if (fd == -1)
			return VT_E_SYS;
		o->fds[o->nfds] = fd;
	}
	return VT_OK;
}

int
msgch_send(struct msgch *ch, uint16_t type, uint32_t id, const void *data,
    size_t len, const int *fds, unsigned int nfds)
{
	struct out_msg *o;
	struct wr w;

	if (len > ch->maxlen || nfds > MSG_MAX_FDS)
		return VT_E_RANGE;
	if ((o = calloc(1, sizeof(*o) + MSG_HDR_LEN + len)) == NULL)
		return VT_E_NOMEM;
	o->len = MSG_HDR_LEN + len;
	if (dup_fds(o, fds, nfds) != VT_OK) {
		out_free(o);
		return VT_E_SYS;
	}
	wr_init(&w, o->bytes, o->len);
	wr_be32(&w, MSG_MAGIC);
	wr_be16(&w, type);
	wr_be16(&w, (uint16_t)nfds);
	wr_be32(&w, id);
	wr_be32(&w, (uint32_t)len);
	wr_bytes(&w, data, len);
	*ch->tail = o;
	ch->tail = &o->next;
	ch->backlog += o->len;
	return msgch_flush(ch);
}

/* More descriptors than fit are a violation, and all of them are closed. */
static int
take_fds(struct msgch *ch, struct msghdr *mh)
{
	int fd, rc = VT_OK;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		size_t i, n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(
			    &fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (ch->in_nfds < MSG_MAX_FDS)
				ch->in_fds[ch->in_nfds++] = fd;
			else {
				(void)close(fd);
				rc = VT_E_PROTO;
			}
		}
	}
	return (mh->msg_flags & MSG_CTRUNC) != 0 ? VT_E_PROTO : rc;
}

/*
 * Never read past the current frame: the next frame's descriptors would arrive
 * with this frame's bytes.
 */
static int
read_some(struct msgch *ch, size_t want)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * MSG_MAX_FDS)];
	} ctl;
	struct iovec iov;
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ctl.buf,
		.msg_controllen = sizeof(ctl.buf) };
	uint8_t *nbuf;
	ssize_t n;

	if (want > ch->in_cap) {
		if ((nbuf = realloc(ch->in, want)) == NULL)
			return VT_E_NOMEM;
		ch->in = nbuf;
		ch->in_cap = want;
	}
	iov.iov_base = ch->in + ch->in_len;
	iov.iov_len = want - ch->in_len;
	do
		n = recvmsg(ch->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return VT_E_AGAIN;
		return errno == ECONNRESET ? VT_E_CLOSED : VT_E_SYS;
	}
	if (n == 0)
		return VT_E_CLOSED;
	ch->in_len += (size_t)n;
	return take_fds(ch, &mh);
}

static int
frame_length(struct msgch *ch, size_t *ret)
{
	struct rd r;
	uint32_t magic, len;
	uint16_t nfds;

	rd_init(&r, ch->in, MSG_HDR_LEN);
	magic = rd_be32(&r);
	(void)rd_be16(&r);
	nfds = rd_be16(&r);
	(void)rd_be32(&r);
	len = rd_be32(&r);
	if (magic != MSG_MAGIC || nfds > MSG_MAX_FDS || len > ch->maxlen)
		return VT_E_PROTO;
	*ret = MSG_HDR_LEN + (size_t)len;
	return VT_OK;
}

static void
drop_last(struct msgch *ch)
{
	if (ch->in_used == 0)
		return;
	ch->in_used = 0;
	ch->in_len = 0;
	if (ch->in_cap > MSG_KEEP_BUF) {
		explicit_bzero(ch->in, ch->in_cap);
		free(ch->in);
		ch->in = NULL;
		ch->in_cap = 0;
	}
}

static int
hand_over(struct msgch *ch, size_t total, struct msg *ret)
{
	struct rd r;
	unsigned int i, nfds;

	rd_init(&r, ch->in + 4, MSG_HDR_LEN - 4);
	ret->type = rd_be16(&r);
	nfds = rd_be16(&r);
	ret->id = rd_be32(&r);
	if (nfds != ch->in_nfds)
		return VT_E_PROTO;
	ret->data = ch->in + MSG_HDR_LEN;
	ret->len = total - MSG_HDR_LEN;
	for (i = 0; i < MSG_MAX_FDS; i++)
		ret->fds[i] = i < nfds ? ch->in_fds[i] : -1;
	ret->nfds = nfds;
	ch->in_nfds = 0;
	ch->in_used = total;
	return VT_OK;
}

int
msgch_recv(struct msgch *ch, struct msg *ret)
{
	size_t want = MSG_HDR_LEN;
	int rc;

	if (ch->err != VT_OK)
		return ch->err;
	drop_last(ch);
	for (;;) {
		if (ch->in_len >= MSG_HDR_LEN) {
			if ((rc = frame_length(ch, &want)) != VT_OK)
				break;
			if (ch->in_len == want) {
				if ((rc = hand_over(ch, want, ret)) != VT_OK)
					break;
				return VT_OK;
			}
		}
		if ((rc = read_some(ch, want)) != VT_OK)
			break;
	}
	if (rc == VT_E_PROTO || (rc == VT_E_CLOSED && ch->in_len == 0))
		ch->err = rc;
	else if (rc == VT_E_CLOSED)
		ch->err = rc = VT_E_PROTO; /* ended inside a frame */
	return rc;
}

static int
wait_fd(struct msgch *ch, short events, uint64_t end_us)
{
	struct pollfd p = { .fd = ch->fd, .events = events };
	uint64_t now = now_us();
	int ms = -1, n;

	if (end_us != UINT64_MAX)
		ms = end_us > now ? (int)((end_us - now + 999) / 1000) : 0;
	n = poll(&p, 1, ms);
	if (n == -1 && errno != EINTR)
		return VT_E_SYS;
	return n == 0 ? VT_E_TIMEOUT : VT_OK;
}

static uint64_t
deadline(int timeout_ms)
{
	if (timeout_ms < 0)
		return UINT64_MAX;
	return now_us() + (uint64_t)timeout_ms * 1000;
}

int
msgch_recv_wait(struct msgch *ch, int timeout_ms, struct msg *ret)
{
	uint64_t end = deadline(timeout_ms);
	short ev;
	int rc;

	while ((rc = msgch_recv(ch, ret)) == VT_E_AGAIN) {
		ev = msgch_pending(ch) ? POLLIN | POLLOUT : POLLIN;
		if ((rc = wait_fd(ch, ev, end)) != VT_OK)
			return rc;
		if (msgch_pending(ch) && (rc = msgch_flush(ch)) != VT_OK)
			return rc;
	}
	return rc;
}

int
msgch_flush_wait(struct msgch *ch, int timeout_ms)
{
	uint64_t end = deadline(timeout_ms);
	int rc;

	for (;;) {
		if ((rc = msgch_flush(ch)) != VT_OK || !msgch_pending(ch))
			return rc;
		if ((rc = wait_fd(ch, POLLOUT, end)) != VT_OK)
			return rc;
	}
}

void
msg_close_fds(struct msg *m)
{
	close_all(m->fds, m->nfds);
	m->nfds = 0;
}
