/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmback/swtpm/conn.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_FIRST 4096 /* bytes; grows for blobs only */
#define IN_MAX (SWTPM_HEAD_MAX + SWTPM_BLOB_MAX)
#define DRAIN_MAX 64 /* reads; more is a flood */

static int
map_status(struct swtpm_conn *c)
{
	void *p;

	c->st_fd =
	    memfd_create("swtpm-status", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (c->st_fd == -1)
		return VT_E_SYS;
	if (ftruncate(c->st_fd, sizeof(*c->st)) == -1 ||
	    fcntl(c->st_fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == -1)
		return VT_E_SYS;
	p = mmap(NULL, sizeof(*c->st), PROT_READ | PROT_WRITE, MAP_SHARED,
	    c->st_fd, 0);
	if (p == MAP_FAILED)
		return VT_E_SYS;
	c->st = p;
	c->st->magic = SWTPM_STATUS_MAGIC;
	return VT_OK;
}

int
swtpm_conn_new(int ctl_fd, struct swtpm_conn **ret)
{
	struct swtpm_conn *c = calloc(1, sizeof(*c));
	int rc = VT_E_NOMEM;

	if (c == NULL)
		return VT_E_NOMEM;
	c->ctl.fd = c->data.fd = c->passed = c->st_fd = -1;
	if ((c->in = malloc(IN_FIRST)) == NULL)
		goto out;
	c->in_cap = IN_FIRST;
	if ((rc = map_status(c)) != VT_OK)
		goto out;
	c->ctl.fd = ctl_fd;
	peer_of(ctl_fd, &c->peer);
	*ret = c;
	return VT_OK;
out:
	swtpm_conn_free(c);
	return rc;
}

static void
stream_close(struct swtpm_stream *s)
{
	if (s->fd != -1)
		(void)close(s->fd);
	s->fd = -1;
	free(s->out);
	s->out = NULL;
	s->outlen = s->outoff = 0;
}

void
swtpm_conn_free(struct swtpm_conn *c)
{
	if (c == NULL)
		return;
	stream_close(&c->ctl);
	stream_close(&c->data);
	if (c->passed != -1)
		(void)close(c->passed);
	if (c->st != NULL)
		(void)munmap(c->st, sizeof(*c->st));
	if (c->st_fd != -1)
		(void)close(c->st_fd);
	swtpm_conn_drop_blob(c);
	free(c->in);
	free(c);
}

void
swtpm_conn_drop_blob(struct swtpm_conn *c)
{
	free(c->blob);
	c->blob = NULL;
	c->blob_len = 0;
	c->blob_type = 0;
}

void
swtpm_conn_close_data(struct swtpm_conn *c)
{
	stream_close(&c->data);
	c->st->data_len = c->st->data_hand = 0;
	c->data_stall.since_us = 0;
}

/* Skip the rest of a body whose beginning was lost with the predecessor. */
static void
restore_ctl(struct swtpm_conn *c, const struct swtpm_status *old)
{
	uint64_t size;

	c->st->ctl_skip = old->ctl_skip;
	c->skip_result = SR_FAIL;
	if (old->ctl_have <= SWTPM_HEAD_MAX) {
		memcpy(c->in, old->ctl_head, old->ctl_have);
		memcpy(c->st->ctl_head, old->ctl_head, old->ctl_have);
		c->st->ctl_have = old->ctl_have;
	} else if (old->ctl_skip == 0 &&
		   swtpm_req_size(old->ctl_head, SWTPM_HEAD_MAX, &size) ==
		       VT_OK &&
		   size > old->ctl_have) {
		c->st->ctl_skip = size - old->ctl_have;
	}
}

int
swtpm_conn_restore(struct swtpm_conn *c, int fd)
{
	struct swtpm_status old;
	ssize_t n = pread(fd, &old, sizeof(old), 0);
	int rc;

	if (n == -1)
		return VT_E_SYS;
	if ((size_t)n != sizeof(old))
		return VT_E_FORMAT;
	if ((rc = swtpm_status_check(&old)) != VT_OK)
		return rc;
	c->st->locality = old.locality;
	c->st->data_busy = old.data_busy;
	c->st->ctl_busy = old.ctl_busy;
	c->st->pad = old.pad;
	c->st->cmd_max = old.cmd_max;
	c->st->data_len = old.data_len - old.data_hand;
	memcpy(c->st->data, old.data + old.data_hand, c->st->data_len);
	restore_ctl(c, &old);
	return VT_OK;
}

static int
grow_in(struct swtpm_conn *c)
{
	size_t cap = c->in_cap * 2 < IN_MAX ? c->in_cap * 2 : IN_MAX;
	uint8_t *p;

	if (c->in_cap == IN_MAX)
		return VT_E_AGAIN; /* full: the request at the front must be
				      handled first */
	if ((p = realloc(c->in, cap)) == NULL)
		return VT_E_NOMEM;
	c->in = p;
	c->in_cap = cap;
	return VT_OK;
}

/* Keep at most one descriptor; close any others. */
static void
take_fds(struct swtpm_conn *c, struct msghdr *m)
{
	struct cmsghdr *h;
	size_t i, n;
	int fd;

	for (h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(h) + i * sizeof(fd), sizeof(fd));
			if (c->passed != -1)
				(void)close(c->passed);
			c->passed = fd;
		}
	}
}

static void
note_head(struct swtpm_conn *c)
{
	size_t n = c->st->ctl_have;

	memcpy(c->st->ctl_head, c->in, n < SWTPM_HEAD_MAX ? n : SWTPM_HEAD_MAX);
}

int
swtpm_conn_read_ctl(struct swtpm_conn *c)
{
	_Alignas(struct cmsghdr) uint8_t cbuf[CMSG_SPACE(4 * sizeof(int))];
	struct iovec iov;
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = cbuf,
		.msg_controllen = sizeof(cbuf) };
	uint32_t have = c->st->ctl_have;
	ssize_t n;
	int rc;

	if (have == c->in_cap && (rc = grow_in(c)) != VT_OK)
		return rc;
	iov.iov_base = c->in + have;
	iov.iov_len = c->in_cap - have;
	n = recvmsg(c->ctl.fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? VT_E_AGAIN
							 : VT_E_CLOSED;
	take_fds(c, &m);
	if (n == 0)
		return VT_E_CLOSED;
	c->st->ctl_have = have + (uint32_t)n;
	note_head(c);
	return VT_OK;
}

static void
drop_ctl(struct swtpm_conn *c, size_t n)
{
	memmove(c->in, c->in + n, c->st->ctl_have - n);
	c->st->ctl_have -= (uint32_t)n;
	note_head(c);
}

/* Returns true when all of a refused request was skipped. */
static bool
skip_some(struct swtpm_conn *c)
{
	size_t n = c->st->ctl_have;

	if (n > c->st->ctl_skip)
		n = (size_t)c->st->ctl_skip;
	drop_ctl(c, n);
	c->st->ctl_skip -= n;
	return c->st->ctl_skip == 0;
}

int
swtpm_conn_next_req(
    struct swtpm_conn *c, struct swtpm_req *ret, size_t *ret_used)
{
	size_t used, n;
	int rc;

	if (c->st->ctl_skip > 0) {
		if (!skip_some(c))
			return VT_E_TRUNC;
		memset(ret, 0, sizeof(*ret));
		*ret_used = 0;
		return VT_E_RANGE;
	}
	n = swtpm_skip_pad(c->in, c->st->ctl_have, c->st->pad);
	if (n > 0) {
		drop_ctl(c, n);
		c->st->pad = 0;
	}
	rc = swtpm_req_get(c->in, c->st->ctl_have, ret, &used);
	if (rc == VT_E_RANGE) {
		c->st->ctl_skip = used;
		c->skip_result = SR_BAD_PARAMETER;
		return swtpm_conn_next_req(c, ret, ret_used);
	}
	if (rc == VT_E_UNSUPPORTED)
		used = c->st->ctl_have;
	if (rc == VT_OK || rc == VT_E_UNSUPPORTED)
		*ret_used = used;
	return rc;
}

void
swtpm_conn_drop_req(struct swtpm_conn *c, uint32_t op, size_t used)
{
	unsigned int pad = swtpm_req_pad(op);
	uint32_t left;

	drop_ctl(c, used);
	left = c->st->ctl_have;
	if (left > 0 && left <= pad) {
		/* the rest of QEMU's padded structure, whatever is in it */
		drop_ctl(c, left);
		pad -= left;
	} else if (pad == 0 && !swtpm_looks_like_req(c->in, left)) {
		drop_ctl(c, left);
	}
	c->st->pad = (uint8_t)pad;
}

int
swtpm_conn_read_data(struct swtpm_conn *c)
{
	struct swtpm_status *st = c->st;
	ssize_t n;

	if (st->data_len >= sizeof(st->data))
		return VT_E_AGAIN;
	n = recv(c->data.fd, st->data + st->data_len,
	    sizeof(st->data) - st->data_len, MSG_DONTWAIT);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? VT_E_AGAIN
							 : VT_E_CLOSED;
	if (n == 0)
		return VT_E_CLOSED;
	st->data_len += (uint32_t)n;
	return VT_OK;
}

void
swtpm_conn_drop_cmd(struct swtpm_conn *c, size_t len)
{
	struct swtpm_status *st = c->st;

	st->data_hand = 0;
	st->data_len -= (uint32_t)len;
	if (st->data_len > 0)
		memmove(st->data, st->data + len, st->data_len);
}

bool
swtpm_conn_data_trails(const struct swtpm_conn *c, size_t max, bool tpm2)
{
	uint8_t next[TPM_HDR_LEN];
	ssize_t n;

	if (c->st->data_len < sizeof(c->st->data))
		return false;
	n = recv(c->data.fd, next, sizeof(next), MSG_DONTWAIT | MSG_PEEK);
	return n > 0 && !swtpm_are_cmds(next, (size_t)n, max, tpm2, false);
}

void
swtpm_conn_drain_ctl(struct swtpm_conn *c)
{
	c->st->ctl_have = 0;
	c->st->ctl_skip = 0;
	c->st->pad = 0;
}

void
swtpm_conn_drain_data(struct swtpm_conn *c)
{
	int i;

	for (i = 0; i < DRAIN_MAX; i++) {
		c->st->data_len = 0;
		if (swtpm_conn_read_data(c) != VT_OK)
			break;
	}
	c->st->data_len = 0;
}

bool
swtpm_stream_send(struct swtpm_stream *s, const uint8_t *p, size_t len)
{
	ssize_t n;

	if (s->fd == -1 || s->outlen > 0)
		return false;
	n = send(s->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == -1 && errno != EAGAIN && errno != EINTR)
		return false;
	if (n == -1)
		n = 0;
	if ((size_t)n == len)
		return true;
	s->outlen = len - (size_t)n;
	s->outoff = 0;
	if ((s->out = malloc(s->outlen)) == NULL) {
		s->outlen = 0;
		return false;
	}
	memcpy(s->out, p + n, s->outlen);
	return true;
}

int
swtpm_stream_flush(struct swtpm_stream *s)
{
	ssize_t n;

	if (s->outlen == 0 || s->fd == -1)
		return VT_OK;
	n = send(
	    s->fd, s->out + s->outoff, s->outlen, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? VT_OK : VT_E_CLOSED;
	s->outoff += (size_t)n;
	s->outlen -= (size_t)n;
	if (s->outlen == 0) {
		free(s->out);
		s->out = NULL;
		s->outoff = 0;
	}
	return VT_OK;
}
