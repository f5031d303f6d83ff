/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring_local.c - a ring on one host: greeting, page and bells over a Unix
 * socket (tpmback/local.h).
 */
#include "tpmfront/ring_local.h"

#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "tpmback/local.h"
#include "tpmfront/ring_impl.h"

#define GREETING_MAX 256
#define AGAIN_MS 100 /* between two attempts at a socket that is away */

enum { HELLO_MEM, HELLO_TO_BACK, HELLO_TO_FRONT };

struct local_ring {
	struct ring ring;   /* first */
	struct msgch *conn; /* NULL: no page, between two back halves */
	struct local_shm *shm;
	int to_back, to_front;
	struct ring_local_how how;
	char why[RING_WHY_MAX];
	char path[]; /* with NUL */
};

static struct local_ring *
local(struct ring *r)
{
	return (struct local_ring *)r;
}

static void
local_notify(struct ring *r)
{
	static const uint64_t one = 1;
	ssize_t n;

	do
		n = write(local(r)->to_back, &one, sizeof(one));
	while (n == -1 && errno == EINTR);
}

static void
local_hush(struct ring *r)
{
	uint64_t count;
	ssize_t n;

	do
		n = read(local(r)->to_front, &count, sizeof(count));
	while (n == -1 && errno == EINTR);
}

/* Nothing follows the greeting: it can only be a hang-up. */
static int
local_attend(struct ring *r)
{
	(void)r;
	return VT_E_CLOSED;
}

static void
drop_page(struct local_ring *l)
{
	struct ring *r = &l->ring;

	if (r->epoll_fd != -1 && r->conn_fd != -1)
		(void)epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, r->conn_fd, NULL);
	ring_lost(r);
	r->back_awake = r->front_awake = NULL;
	r->conn_fd = -1;
	if (l->shm != NULL)
		(void)munmap(l->shm, sizeof(*l->shm));
	l->shm = NULL;
	if (l->to_back != -1)
		(void)close(l->to_back);
	if (l->to_front != -1)
		(void)close(l->to_front);
	l->to_back = l->to_front = -1;
	msgch_free(l->conn);
	l->conn = NULL;
}

static void
discard(struct local_ring *l)
{
	drop_page(l);
	ring_done(&l->ring);
	explicit_bzero(l, sizeof(*l));
	free(l);
}

static void
local_close(struct ring *r)
{
	discard(local(r));
}

static int
take_shm(struct local_ring *l, int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *p;

	if (fstat(fd, &st) == -1)
		return VT_E_SYS;
	if (seals == -1 || (seals & F_SEAL_SHRINK) == 0 ||
	    st.st_size != LOCAL_SHM_SIZE)
		return VT_E_PROTO;
	p = mmap(
	    NULL, sizeof(*l->shm), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return VT_E_SYS;
	l->shm = p;
	return VT_OK;
}

static int
take_hello(struct local_ring *l, struct msg *m)
{
	struct rd rd;
	uint16_t version;
	uint32_t size;
	int rc;

	rd_init(&rd, m->data, m->len);
	version = rd_be16(&rd);
	l->ring.localities = rd_u8(&rd);
	(void)rd_u8(&rd); /* TPM version */
	size = rd_be32(&rd);
	if (rd_end(&rd) != VT_OK || version != LOCAL_VERSION ||
	    size != LOCAL_SHM_SIZE || m->nfds != LOCAL_NFDS)
		return VT_E_PROTO;
	if ((rc = take_shm(l, m->fds[HELLO_MEM])) != VT_OK)
		return rc;
	l->to_back = m->fds[HELLO_TO_BACK];
	l->to_front = m->fds[HELLO_TO_FRONT];
	(void)close(m->fds[HELLO_MEM]);
	m->nfds = 0;
	if (fd_set_nonblock(l->to_back, true) != VT_OK ||
	    fd_set_nonblock(l->to_front, true) != VT_OK)
		return VT_E_SYS;
	return VT_OK;
}

/* VT_E_AGAIN: another process has the TPM, and the turn is to come. */
static int
take_greeting(struct local_ring *l, struct msg *m, char holder[RING_TEXT_MAX])
{
	struct rd rd;

	if (m->type == LOCAL_HELLO)
		return take_hello(l, m);
	rd_init(&rd, m->data, m->len);
	rd_str(&rd, holder, RING_TEXT_MAX);
	if (rd_end(&rd) != VT_OK)
		return VT_E_PROTO;
	switch (m->type) {
	case LOCAL_BUSY:
		return VT_E_BUSY;
	case LOCAL_REFUSED:
		return VT_E_DENIED;
	case LOCAL_WAIT:
		return VT_E_AGAIN;
	default:
		return VT_E_PROTO;
	}
}

static int
greet(struct local_ring *l, int timeout_ms, int turn_ms,
    char holder[RING_TEXT_MAX])
{
	struct msg m;
	int rc;

	if ((rc = msgch_recv_wait(l->conn, timeout_ms, &m)) != VT_OK)
		return rc;
	rc = take_greeting(l, &m, holder);
	msg_close_fds(&m);
	if (rc != VT_E_AGAIN)
		return rc;
	if (turn_ms == 0)
		return VT_E_BUSY;
	if ((rc = msgch_recv_wait(l->conn, turn_ms, &m)) == VT_E_TIMEOUT)
		return VT_E_BUSY;
	if (rc != VT_OK)
		return rc;
	rc = take_greeting(l, &m, holder);
	msg_close_fds(&m);
	return rc == VT_E_AGAIN ? VT_E_PROTO : rc;
}

/* One attempt; on failure there is no page. */
static int
connect_once(struct local_ring *l, int timeout_ms, int turn_ms,
    char holder[RING_TEXT_MAX])
{
	int fd, rc, saved;

	if ((fd = unix_connect(l->path)) == -1)
		return VT_E_SYS;
	if ((rc = msgch_new(fd, GREETING_MAX, &l->conn)) != VT_OK)
		(void)close(fd);
	else
		rc = greet(l, timeout_ms, turn_ms, holder);
	if (rc != VT_OK) {
		saved = errno;
		drop_page(l);
		errno = saved;
		return rc;
	}
	l->shm->front_keeps = l->how.keeps;
	l->ring.back_awake = &l->shm->back_awake;
	l->ring.front_awake = &l->shm->front_awake;
	l->ring.conn_fd = msgch_fd(l->conn);
	l->ring.conn_events = POLLRDHUP;
	if (l->ring.epoll_fd != -1) {
		struct epoll_event ev = { .events = POLLRDHUP };

		(void)epoll_ctl(
		    l->ring.epoll_fd, EPOLL_CTL_ADD, l->ring.conn_fd, &ev);
	}
	ring_have(&l->ring, &l->shm->v, l->to_front);
	return VT_OK;
}

/* --- the vTPM was stopped and started --------------------------------------
 */

static bool
hung_up(const struct local_ring *l)
{
	struct pollfd p = { .fd = l->ring.conn_fd, .events = POLLRDHUP };

	return l->conn == NULL || poll(&p, 1, 0) > 0;
}

/* No such socket, or none that listens: the manager makes it at a start. */
static bool
may_come(int rc)
{
	return rc == VT_E_CLOSED || rc == VT_E_TIMEOUT || rc == VT_E_BUSY ||
	       (rc == VT_E_SYS && (errno == ENOENT || errno == ECONNREFUSED));
}

static void
say_why(struct local_ring *l, int rc, const char *holder)
{
	if (rc == VT_E_BUSY)
		(void)snprintf(l->why, sizeof(l->why),
		    "it has been started again, and another program has it "
		    "open (%s)",
		    holder);
	else
		(void)snprintf(l->why, sizeof(l->why),
		    "%s: %s; is it started (vtpmctl start)?", l->path,
		    rc == VT_E_SYS ? strerror(errno) : vt_strerror(rc));
}

static int
local_ready(struct ring *r, int timeout_ms)
{
	struct local_ring *l = local(r);
	uint64_t end = now_us() + (uint64_t)timeout_ms * 1000, now;
	char holder[RING_TEXT_MAX] = "";
	int left, rc;

	if (!hung_up(l))
		return VT_OK;
	for (;;) {
		drop_page(l);
		now = now_us();
		left = now < end ? (int)((end - now) / 1000) : 0;
		rc = connect_once(l, left, left, holder);
		if (rc == VT_OK)
			return VT_OK;
		if (!may_come(rc) || left == 0)
			break;
		(void)poll(NULL, 0, AGAIN_MS < left ? AGAIN_MS : left);
	}
	say_why(l, rc, holder);
	return rc;
}

static const char *
local_why(const struct ring *r)
{
	const struct local_ring *l = (const struct local_ring *)r;

	return l->why[0] != '\0' ? l->why : "the back half hung up";
}

/* A ring without ready() says so: what is gone stays gone. */
static const struct ring_ops once_ops = {
	.notify = local_notify,
	.hush = local_hush,
	.attend = local_attend,
	.close = local_close,
};

static const struct ring_ops again_ops = {
	.notify = local_notify,
	.hush = local_hush,
	.attend = local_attend,
	.ready = local_ready,
	.why = local_why,
	.close = local_close,
};

int
ring_local_open(const char *path, const struct ring_local_how *how,
    struct ring **ret, char holder[RING_TEXT_MAX])
{
	size_t len = strlen(path) + 1;
	struct local_ring *l;
	int rc, saved;

	if ((l = calloc(1, sizeof(*l) + len)) == NULL)
		return VT_E_NOMEM;
	ring_init(&l->ring, how->again ? &again_ops : &once_ops);
	l->to_back = l->to_front = -1;
	l->how = *how;
	memcpy(l->path, path, len);
	rc = connect_once(l, how->timeout_ms, how->turn_ms, holder);
	if (rc != VT_OK) {
		saved = errno;
		discard(l);
		errno = saved;
		return rc;
	}
	*ret = &l->ring;
	return VT_OK;
}

int
ring_local_connect(const char *path, int timeout_ms, struct ring **ret,
    char holder[RING_TEXT_MAX])
{
	const struct ring_local_how how = { .timeout_ms = timeout_ms,
		.keeps = true };

	return ring_local_open(path, &how, ret, holder);
}
