/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmfront/ring.h"

#include <sys/epoll.h>
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
#include "tpmback/spin.h"

#define GREETING_MAX 256
#define TPM_HDR_LEN 10
#define LOOKS_PER_CLOCK 16 /* looks at the page per look at the clock */

enum { HELLO_MEM, HELLO_TO_BACK, HELLO_TO_FRONT };

struct ring {
	struct msgch *conn;
	struct local_shm *shm;
	int to_back, to_front, epoll_fd;
	uint8_t localities, tpm_version;
	bool pending; /* submitted, answer not taken */
	bool polled;  /* the caller sleeps on ring_fd(): never "awake" */
	struct spin spin;
	uint64_t sent_us;
	uint8_t resp[TPMIF_MAX_CMD];
};

static int
take_shm(struct ring *r, int fd)
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
	    NULL, sizeof(*r->shm), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return VT_E_SYS;
	r->shm = p;
	return VT_OK;
}

static int
take_hello(struct ring *r, struct msg *m)
{
	struct rd rd;
	uint16_t version;
	uint32_t size;
	int rc;

	rd_init(&rd, m->data, m->len);
	version = rd_be16(&rd);
	r->localities = rd_u8(&rd);
	r->tpm_version = rd_u8(&rd);
	size = rd_be32(&rd);
	if (rd_end(&rd) != VT_OK || version != LOCAL_VERSION ||
	    size != LOCAL_SHM_SIZE || m->nfds != LOCAL_NFDS)
		return VT_E_PROTO;
	if ((rc = take_shm(r, m->fds[HELLO_MEM])) != VT_OK)
		return rc;
	r->to_back = m->fds[HELLO_TO_BACK];
	r->to_front = m->fds[HELLO_TO_FRONT];
	(void)close(m->fds[HELLO_MEM]);
	m->nfds = 0;
	if (fd_set_nonblock(r->to_back, true) != VT_OK ||
	    fd_set_nonblock(r->to_front, true) != VT_OK)
		return VT_E_SYS;
	return VT_OK;
}

static int
greet(struct ring *r, int timeout_ms, char holder[RING_TEXT_MAX])
{
	struct msg m;
	struct rd rd;
	int rc;

	if ((rc = msgch_recv_wait(r->conn, timeout_ms, &m)) != VT_OK)
		return rc;
	if (m.type == LOCAL_HELLO) {
		rc = take_hello(r, &m);
	} else if (m.type == LOCAL_BUSY) {
		rd_init(&rd, m.data, m.len);
		rd_str(&rd, holder, RING_TEXT_MAX);
		rc = rd_end(&rd) == VT_OK ? VT_E_BUSY : VT_E_PROTO;
	} else {
		rc = VT_E_PROTO;
	}
	msg_close_fds(&m);
	return rc;
}

int
ring_connect(const char *path, int timeout_ms, struct ring **ret,
    char holder[RING_TEXT_MAX])
{
	struct ring *r;
	int fd, rc, saved;

	if ((fd = unix_connect(path)) == -1)
		return VT_E_SYS;
	if ((r = calloc(1, sizeof(*r))) == NULL) {
		(void)close(fd);
		return VT_E_NOMEM;
	}
	r->to_back = r->to_front = r->epoll_fd = -1;
	spin_init(&r->spin, SPIN_MAX_US);
	if ((rc = msgch_new(fd, GREETING_MAX, &r->conn)) != VT_OK)
		(void)close(fd);
	else
		rc = greet(r, timeout_ms, holder);
	if (rc != VT_OK) {
		saved = errno;
		ring_close(r);
		errno = saved;
		return rc;
	}
	*ret = r;
	return VT_OK;
}

void
ring_close(struct ring *r)
{
	if (r == NULL)
		return;
	if (r->shm != NULL)
		(void)munmap(r->shm, sizeof(*r->shm));
	if (r->to_back != -1)
		(void)close(r->to_back);
	if (r->to_front != -1)
		(void)close(r->to_front);
	if (r->epoll_fd != -1)
		(void)close(r->epoll_fd);
	msgch_free(r->conn);
	explicit_bzero(r, sizeof(*r));
	free(r);
}

uint8_t
ring_localities(const struct ring *r)
{
	return r->localities;
}

uint8_t
ring_tpm_version(const struct ring *r)
{
	return r->tpm_version;
}

bool
ring_pending(const struct ring *r)
{
	return r->pending;
}

union tpmif_view *
ring_view(struct ring *r)
{
	return &r->shm->v;
}

void
ring_notify(struct ring *r)
{
	static const uint64_t one = 1;
	ssize_t n;

	do
		n = write(r->to_back, &one, sizeof(one));
	while (n == -1 && errno == EINTR);
}

static void
set_awake(struct ring *r, bool awake)
{
	__atomic_store_n(&r->shm->front_awake, awake, __ATOMIC_RELAXED);
}

int
ring_submit(struct ring *r, uint8_t locality, const uint8_t *cmd, size_t len)
{
	struct tpmif_page *page = &r->shm->v.page;
	uint8_t raw[8];
	uint64_t word;
	struct wr w;

	if (r->pending)
		return VT_E_STATE;
	if (len > TPMIF_MAX_CMD)
		return VT_E_RANGE;
	set_awake(r, !r->polled && r->spin.us > 0);
	memcpy(page->data, cmd, len);
	wr_init(&w, raw, sizeof(raw));
	wr_le32(&w, (uint32_t)len);
	wr_u8(&w, TPMIF_SUBMIT);
	wr_u8(&w, locality);
	wr_be16(&w, 0); /* pad, nr_extra_pages */
	memcpy(&word, raw, sizeof(word));
	r->pending = true;
	r->sent_us = now_us();
	__atomic_store_n(&r->shm->v.header, word, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&r->shm->back_awake, __ATOMIC_RELAXED) != 1)
		ring_notify(r);
	return VT_OK;
}

void
ring_cancel(struct ring *r)
{
	uint8_t want = TPMIF_SUBMIT;

	/* Only over SUBMIT: an answer that is there already stays there. */
	if (r->pending && __atomic_compare_exchange_n(&r->shm->v.page.state,
			      &want, (uint8_t)TPMIF_CANCEL, false,
			      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		ring_notify(r);
}

static bool
answered(const struct ring *r)
{
	uint8_t s = __atomic_load_n(&r->shm->v.page.state, __ATOMIC_ACQUIRE);

	return s == TPMIF_FINISH || s == TPMIF_IDLE;
}

/* IDLE is how a back half says that it did not run what was cancelled. */
static size_t
make_canceled(struct ring *r)
{
	bool tpm12 = r->tpm_version == 1; /* TPM_VER_12 */
	struct wr w;

	wr_init(&w, r->resp, sizeof(r->resp));
	wr_be16(&w, tpm12 ? 0x00c4 : 0x8001);
	wr_be32(&w, TPM_HDR_LEN);
	wr_be32(&w, tpm12 ? 0x09 : 0x909); /* TPM_FAIL, TPM_RC_CANCELED */
	return w.len;
}

static int
take_answer(struct ring *r, const uint8_t **ret, size_t *ret_len)
{
	struct tpmif_page *page = &r->shm->v.page;
	uint64_t word = __atomic_load_n(&r->shm->v.header, __ATOMIC_ACQUIRE);
	uint8_t raw[8];
	struct rd rd;
	size_t len;

	memcpy(raw, &word, sizeof(raw));
	rd_init(&rd, raw, sizeof(raw));
	len = rd_le32(&rd);
	spin_saw(&r->spin, now_us() - r->sent_us);
	r->pending = false;
	if (rd_u8(&rd) == TPMIF_IDLE) {
		len = make_canceled(r);
	} else {
		if (len < TPM_HDR_LEN || len > sizeof(r->resp))
			return VT_E_PROTO;
		memcpy(r->resp, page->data, len);
		__asm__ volatile("" ::: "memory");
		if (be32_get(r->resp + 2) != len)
			return VT_E_PROTO;
	}
	*ret = r->resp;
	*ret_len = len;
	return VT_OK;
}

/* True once the answer is there; false when us are over. */
static bool
spin_for_it(const struct ring *r, unsigned int us)
{
	uint64_t end;
	int i;

	if (answered(r))
		return true;
	if (us == 0)
		return false;
	for (end = now_us() + us; now_us() < end;)
		for (i = 0; i < LOOKS_PER_CLOCK; i++) {
			if (answered(r))
				return true;
			spin_pause();
		}
	return answered(r);
}

static void
hush_bell(const struct ring *r)
{
	uint64_t count;
	ssize_t n;

	do
		n = read(r->to_front, &count, sizeof(count));
	while (n == -1 && errno == EINTR);
}

static int
sleep_for_it(struct ring *r, int timeout_ms)
{
	uint64_t now = now_us(), end = UINT64_MAX;
	struct pollfd p[2];
	int ms, n;

	if (timeout_ms >= 0)
		end = now + (uint64_t)timeout_ms * 1000;
	p[0] = (struct pollfd){ .fd = r->to_front, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = msgch_fd(r->conn), .events = POLLRDHUP };
	/* Say so, then look again: see tpmback/local.h. */
	set_awake(r, false);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (; !answered(r); now = now_us()) {
		if (now >= end && timeout_ms != 0)
			return VT_E_AGAIN;
		ms = -1;
		if (timeout_ms >= 0)
			ms = now < end ? (int)((end - now + 999) / 1000) : 0;
		n = poll(p, 2, ms);
		if (n == -1 && errno != EINTR)
			return VT_E_SYS;
		if (n > 0 && p[0].revents != 0)
			hush_bell(r);
		if (answered(r))
			break;
		if (n > 0 && p[1].revents != 0)
			return VT_E_CLOSED;
		if (timeout_ms == 0)
			return VT_E_AGAIN;
	}
	return VT_OK;
}

int
ring_wait(struct ring *r, int timeout_ms, const uint8_t **ret, size_t *ret_len)
{
	unsigned int us = timeout_ms == 0 ? 0 : r->spin.us;
	int rc;

	if (!r->pending)
		return VT_E_STATE;
	if (timeout_ms > 0 && us / 1000 > (unsigned int)timeout_ms)
		us = (unsigned int)timeout_ms * 1000;
	if (!spin_for_it(r, us) &&
	    (rc = sleep_for_it(r, timeout_ms)) != VT_OK) {
		if (rc == VT_E_CLOSED)
			r->pending = false;
		return rc;
	}
	if (r->polled)
		hush_bell(r); /* the descriptor rests till the next answer */
	return take_answer(r, ret, ret_len);
}

int
ring_fd(struct ring *r)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd, saved;

	if (r->epoll_fd != -1)
		return r->epoll_fd;
	if ((fd = epoll_create1(EPOLL_CLOEXEC)) == -1)
		return -1;
	if (epoll_ctl(fd, EPOLL_CTL_ADD, r->to_front, &ev) == -1)
		goto fail;
	ev.events = EPOLLRDHUP; /* a hang-up is worth a look, too */
	if (epoll_ctl(fd, EPOLL_CTL_ADD, msgch_fd(r->conn), &ev) == -1)
		goto fail;
	r->epoll_fd = fd;
	r->polled = true;
	set_awake(r, false);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r->pending && answered(r)) {
		static const uint64_t one = 1;

		/* Its bell was spared; ring it ourselves. */
		if (write(r->to_front, &one, sizeof(one)) == -1 &&
		    errno != EAGAIN)
			return -1;
	}
	return fd;
fail:
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}
