/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * swclient.h - the little of swtpm's control protocol that a test client
 * needs: power on, and a data connection.
 */
#ifndef TESTS_INTEGRATION_SWCLIENT_H
#define TESTS_INTEGRATION_SWCLIENT_H

#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/rdwr.h"
#include "base/util.h"

#define SWC_INIT 2
#define SWC_SET_DATAFD 0x10

/* One request of len bytes (and fd, unless -1); 0 or the be32 result; -1. */
static int
swc_ask(int ctl, const uint8_t *req, size_t len, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} c;
	struct iovec iov = { (void *)(uintptr_t)req, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	uint8_t ans[4];
	size_t got = 0;

	if (fd != -1) {
		memset(&c, 0, sizeof(c));
		c.align.cmsg_level = SOL_SOCKET;
		c.align.cmsg_type = SCM_RIGHTS;
		c.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&c.align), &fd, sizeof(fd));
		mh.msg_control = c.buf;
		mh.msg_controllen = sizeof(c.buf);
	}
	if (sendmsg(ctl, &mh, MSG_NOSIGNAL) != (ssize_t)len)
		return -1;
	while (got < sizeof(ans)) {
		ssize_t n = read(ctl, ans + got, sizeof(ans) - got);

		if (n <= 0)
			return -1;
		got += (size_t)n;
	}
	return (int)be32_get(ans);
}

/* Connect, hand a data connection over, power on.  *ret_data is the data
 * connection; returns the control connection, or -1. */
static int
swc_open(const char *path, bool power_on, int *ret_data)
{
	struct timeval tv = { .tv_sec = 30 };
	uint8_t req[8];
	int ctl, sv[2];

	if ((ctl = unix_connect(path)) == -1)
		return -1;
	(void)setsockopt(ctl, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1) {
		(void)close(ctl);
		return -1;
	}
	be32_put(req, SWC_SET_DATAFD);
	if (swc_ask(ctl, req, 4, sv[1]) != 0)
		goto fail;
	be32_put(req, SWC_INIT);
	be32_put(req + 4, 0);
	if (power_on && swc_ask(ctl, req, 8, -1) != 0)
		goto fail;
	(void)close(sv[1]);
	(void)setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	*ret_data = sv[0];
	return ctl;
fail:
	(void)close(sv[0]);
	(void)close(sv[1]);
	(void)close(ctl);
	return -1;
}

/* One command on the data connection; bytes of the answer, or -1. */
static inline ssize_t
swc_command(int data, const uint8_t *cmd, size_t len, uint8_t *resp, size_t cap)
{
	size_t got = 0, want = 10;

	if (send(data, cmd, len, MSG_NOSIGNAL) != (ssize_t)len)
		return -1;
	while (got < want) {
		ssize_t n = read(data, resp + got, cap - got);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		got += (size_t)n;
		if (got >= 10 && (want = be32_get(resp + 2)) > cap)
			return -1;
	}
	return (ssize_t)got;
}

#endif
