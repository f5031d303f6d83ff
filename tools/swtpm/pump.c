/* SPDX-License-Identifier: BSD-3-Clause */
/* pump.c - bytes, and descriptors, between a client and the worker. */
#include "tools/swtpm/pump.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "tools/swtpm/client.h"

#define FDS_MAX 32 /* that a client can make us receive, to be closed */

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

static void
half_empty(struct half *h)
{
	close_fd(&h->passed);
	h->len = h->off = 0;
}

int
pump_init(struct pump *p, int worker, bool control)
{
	memset(p, 0, sizeof(*p));
	p->client = -1;
	p->worker = worker;
	p->control = control;
	p->up.passed = p->down.passed = -1;
	p->up.buf = malloc(PUMP_BUF);
	p->down.buf = malloc(PUMP_BUF);
	if (p->up.buf != NULL && p->down.buf != NULL &&
	    fd_set_nonblock(worker, true) == VT_OK)
		return VT_OK;
	pump_free(p);
	return VT_E_NOMEM;
}

void
pump_free(struct pump *p)
{
	close_fd(&p->client);
	close_fd(&p->worker);
	half_empty(&p->up);
	half_empty(&p->down);
	free(p->up.buf);
	free(p->down.buf);
	memset(p, 0, sizeof(*p));
	p->client = p->worker = p->up.passed = p->down.passed = -1;
}

void
pump_attach(struct pump *p, int client)
{
	(void)!fd_set_nonblock(client, true);
	p->client = client;
	memset(&p->tap, 0, sizeof(p->tap));
	p->has_data = false;
}

bool
pump_idle(const struct pump *p)
{
	return p->client == -1 && p->worker != -1 && !p->waiting &&
	       p->up.len == 0;
}

void
pump_poll(const struct pump *p, struct pollfd f[2])
{
	f[0] = (struct pollfd){ .fd = p->client };
	f[1] = (struct pollfd){ .fd = p->worker };
	if (p->up.len == 0)
		f[0].events |= POLLIN;
	else
		f[1].events |= POLLOUT;
	if (p->down.len == 0)
		f[1].events |= POLLIN;
	else
		f[0].events |= POLLOUT;
	/* poll(2) reports a hang-up even where nothing is waited for */
	if (f[0].events == 0)
		f[0].fd = -1;
	if (f[1].events == 0)
		f[1].fd = -1;
}

/* The first descriptor is the request's; no request has two. */
static void
take_fds(struct half *h, struct msghdr *m)
{
	struct cmsghdr *c;
	size_t i, n;
	int fd;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (h->passed == -1)
				h->passed = fd;
			else
				(void)close(fd);
		}
	}
}

/* VT_OK, VT_E_CLOSED. */
static int
fill(struct half *h, int fd)
{
	_Alignas(struct cmsghdr) char c[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct iovec iov = { h->buf, PUMP_BUF };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = c,
		.msg_controllen = sizeof(c) };
	ssize_t n;

	if (h->len > 0)
		return VT_OK;
	n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? VT_OK : VT_E_CLOSED;
	take_fds(h, &m);
	if (n == 0) {
		close_fd(&h->passed);
		return VT_E_CLOSED;
	}
	h->len = (size_t)n;
	h->off = 0;
	return VT_OK;
}

/* VT_OK, VT_E_CLOSED. */
static int
flush(struct half *h, int fd)
{
	long n;

	if (h->len == 0)
		return VT_OK;
	n = fd_send(fd, h->buf + h->off, h->len - h->off, h->passed);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? VT_OK : VT_E_CLOSED;
	close_fd(&h->passed);
	h->off += (size_t)n;
	if (h->off == h->len)
		h->len = h->off = 0;
	return VT_OK;
}

static int
from_client(struct pump *p)
{
	uint32_t seen;
	int rc;

	if (p->up.len > 0)
		return VT_OK;
	if ((rc = fill(&p->up, p->client)) != VT_OK || p->up.len == 0)
		return rc;
	p->waiting = true;
	if (!p->control) {
		close_fd(&p->up.passed);
		return VT_OK;
	}
	seen = tap_feed(&p->tap, p->up.buf, p->up.len);
	p->off = p->off || (seen & UINT32_C(1) << SO_SHUTDOWN) != 0;
	if ((seen & UINT32_C(1) << SO_SET_DATAFD) != 0)
		p->has_data = true;
	else
		close_fd(&p->up.passed);
	return VT_OK;
}

static int
from_worker(struct pump *p)
{
	if (p->down.len > 0)
		return VT_OK;
	if (fill(&p->down, p->worker) != VT_OK)
		return VT_E_STATE;
	close_fd(&p->down.passed);
	if (p->down.len == 0)
		return VT_OK;
	p->waiting = false;
	if (p->client == -1) /* whom it was for has gone */
		half_empty(&p->down);
	return VT_OK;
}

static int
end_client(struct pump *p)
{
	close_fd(&p->client);
	half_empty(&p->down);
	return VT_E_CLOSED;
}

int
pump_move(struct pump *p, const struct pollfd f[2])
{
	int rc = VT_OK;
	bool answered;

	if (p->client != -1 && f[0].revents != 0)
		rc = from_client(p);
	if (flush(&p->up, p->worker) != VT_OK)
		return VT_E_STATE;
	if (f[1].revents != 0 && from_worker(p) != VT_OK)
		return VT_E_STATE;
	answered = p->down.len > 0;
	if (rc == VT_OK && p->client != -1)
		rc = flush(&p->down, p->client);
	if (rc != VT_OK || (p->once && answered && p->down.len == 0))
		return p->client != -1 ? end_client(p) : VT_OK;
	return VT_OK;
}
