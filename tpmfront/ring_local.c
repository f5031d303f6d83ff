/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring_local.c - a ring on one host: greeting, page and bells over a Unix
 * socket (tpmback/local.h).
 */
#include "tpmfront/ring_local.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "tpmback/local.h"
#include "tpmfront/ring_impl.h"

#define GREETING_MAX 256

enum { HELLO_MEM, HELLO_TO_BACK, HELLO_TO_FRONT };

struct local_ring {
	struct ring ring; /* first */
	struct msgch *conn;
	struct local_shm *shm;
	int to_back, to_front;
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
local_close(struct ring *r)
{
	struct local_ring *l = local(r);

	if (l->shm != NULL)
		(void)munmap(l->shm, sizeof(*l->shm));
	if (l->to_back != -1)
		(void)close(l->to_back);
	if (l->to_front != -1)
		(void)close(l->to_front);
	msgch_free(l->conn);
	ring_done(r);
	explicit_bzero(l, sizeof(*l));
	free(l);
}

static const struct ring_ops local_ops = {
	.notify = local_notify,
	.hush = local_hush,
	.attend = local_attend,
	.close = local_close,
};

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

static int
greet(struct local_ring *l, int timeout_ms, char holder[RING_TEXT_MAX])
{
	struct msg m;
	struct rd rd;
	int rc;

	if ((rc = msgch_recv_wait(l->conn, timeout_ms, &m)) != VT_OK)
		return rc;
	if (m.type == LOCAL_HELLO) {
		rc = take_hello(l, &m);
	} else if (m.type == LOCAL_BUSY || m.type == LOCAL_REFUSED) {
		rd_init(&rd, m.data, m.len);
		rd_str(&rd, holder, RING_TEXT_MAX);
		rc = m.type == LOCAL_BUSY ? VT_E_BUSY : VT_E_DENIED;
		if (rd_end(&rd) != VT_OK)
			rc = VT_E_PROTO;
	} else {
		rc = VT_E_PROTO;
	}
	msg_close_fds(&m);
	return rc;
}

int
ring_local_connect(const char *path, int timeout_ms, struct ring **ret,
    char holder[RING_TEXT_MAX])
{
	struct local_ring *l;
	int fd, rc, saved;

	if ((fd = unix_connect(path)) == -1)
		return VT_E_SYS;
	if ((l = calloc(1, sizeof(*l))) == NULL) {
		(void)close(fd);
		return VT_E_NOMEM;
	}
	ring_init(&l->ring, &local_ops);
	l->to_back = l->to_front = -1;
	if ((rc = msgch_new(fd, GREETING_MAX, &l->conn)) != VT_OK)
		(void)close(fd);
	else
		rc = greet(l, timeout_ms, holder);
	if (rc != VT_OK) {
		saved = errno;
		ring_close(&l->ring);
		errno = saved;
		return rc;
	}
	l->ring.back_awake = &l->shm->back_awake;
	l->ring.front_awake = &l->shm->front_awake;
	l->ring.conn_fd = msgch_fd(l->conn);
	l->ring.conn_events = POLLRDHUP;
	ring_have(&l->ring, &l->shm->v, l->to_front);
	*ret = &l->ring;
	return VT_OK;
}
