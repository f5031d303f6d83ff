/* SPDX-License-Identifier: BSD-3-Clause */
/* ring_impl.c - what a kind of ring (local, Xen) reports to the ring. */
#include "tpmfront/ring_impl.h"

#include <sys/epoll.h>

#include <unistd.h>

void
ring_init(struct ring *r, const struct ring_ops *ops)
{
	r->ops = ops;
	r->bell_fd = r->conn_fd = r->epoll_fd = -1;
	spin_init(&r->spin, SPIN_MAX_US);
}

void
ring_done(struct ring *r)
{
	if (r->epoll_fd != -1)
		(void)close(r->epoll_fd);
	r->epoll_fd = -1;
}

void
ring_have(struct ring *r, union tpmif_view *view, int bell_fd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	r->view = view;
	r->bell_fd = bell_fd;
	r->generation++;
	/* It cannot fail for want of anything but memory; then the bell of
	 * this page is not heard by who polls, and its waits time out. */
	if (r->epoll_fd != -1)
		(void)epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, bell_fd, &ev);
}

void
ring_lost(struct ring *r)
{
	if (r->epoll_fd != -1 && r->bell_fd != -1)
		(void)epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, r->bell_fd, NULL);
	r->view = NULL;
	r->bell_fd = -1;
	r->pending = false;
}
