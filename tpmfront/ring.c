/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmfront/ring.h"

#include <sys/epoll.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "tpmfront/ring_impl.h"

#define TPM_HDR_LEN 10
#define LOOKS_PER_CLOCK 16 /* polls of the page per read of the clock */

void
ring_close(struct ring *r)
{
	if (r != NULL)
		r->ops->close(r);
}

uint8_t
ring_localities(const struct ring *r)
{
	return r->localities;
}

unsigned int
ring_generation(const struct ring *r)
{
	return r->generation;
}

int
ring_bell_fd(const struct ring *r)
{
	return r->bell_fd;
}

int
ring_ready(struct ring *r, int timeout_ms)
{
	if (r->ops->ready != NULL)
		return r->ops->ready(r, timeout_ms);
	return r->view != NULL ? VT_OK : VT_E_CLOSED;
}

const char *
ring_why(const struct ring *r)
{
	return r->ops->why != NULL ? r->ops->why(r) : "the back half hung up";
}

int
ring_attend(struct ring *r)
{
	struct pollfd p[2] = { { .fd = r->bell_fd, .events = POLLIN },
		{ .fd = r->conn_fd, .events = r->conn_events } };

	if (poll(p, 2, 0) <= 0)
		return VT_OK;
	if (p[0].revents != 0)
		r->ops->hush(r);
	return p[1].revents != 0 ? r->ops->attend(r) : VT_OK;
}

static void
set_awake(struct ring *r, bool awake)
{
	if (r->front_awake != NULL)
		__atomic_store_n(r->front_awake, awake, __ATOMIC_RELAXED);
}

int
ring_submit(struct ring *r, uint8_t locality, const uint8_t *cmd, size_t len)
{
	uint8_t raw[8];
	uint64_t word;
	struct wr w;

	if (r->pending)
		return VT_E_STATE;
	if (len > TPMIF_MAX_CMD)
		return VT_E_RANGE;
	if (r->view == NULL)
		return VT_E_CLOSED;
	r->tpm12 = len >= 2 && cmd[0] == 0x00;
	set_awake(r, !r->polled && r->spin.us > 0);
	memcpy(r->view->page.data, cmd, len);
	wr_init(&w, raw, sizeof(raw));
	wr_le32(&w, (uint32_t)len);
	wr_u8(&w, TPMIF_SUBMIT);
	wr_u8(&w, locality);
	wr_be16(&w, 0); /* pad, nr_extra_pages */
	memcpy(&word, raw, sizeof(word));
	r->pending = true;
	r->sent_us = now_us();
	__atomic_store_n(&r->view->header, word, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r->back_awake == NULL ||
	    __atomic_load_n(r->back_awake, __ATOMIC_RELAXED) != 1)
		r->ops->notify(r);
	return VT_OK;
}

void
ring_cancel(struct ring *r)
{
	uint8_t want = TPMIF_SUBMIT;

	/* Only over SUBMIT: an answer already in the page stays. */
	if (r->pending && __atomic_compare_exchange_n(&r->view->page.state,
			      &want, (uint8_t)TPMIF_CANCEL, false,
			      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		r->ops->notify(r);
}

static bool
answered(const struct ring *r)
{
	uint8_t s = __atomic_load_n(&r->view->page.state, __ATOMIC_ACQUIRE);

	return s == TPMIF_FINISH || s == TPMIF_IDLE;
}

/* IDLE: the back half did not run the cancelled command. */
static size_t
make_canceled(struct ring *r)
{
	struct wr w;

	wr_init(&w, r->resp, sizeof(r->resp));
	wr_be16(&w, r->tpm12 ? 0x00c4 : 0x8001);
	wr_be32(&w, TPM_HDR_LEN);
	wr_be32(&w, r->tpm12 ? 0x09 : 0x909); /* TPM_FAIL, TPM_RC_CANCELED */
	return w.len;
}

static int
take_answer(struct ring *r, const uint8_t **ret, size_t *ret_len)
{
	uint64_t word = __atomic_load_n(&r->view->header, __ATOMIC_ACQUIRE);
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
		memcpy(r->resp, r->view->page.data, len);
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

static int
sleep_for_it(struct ring *r, int timeout_ms)
{
	uint64_t now = now_us(), end = UINT64_MAX;
	struct pollfd p[2];
	int ms, n, rc;

	if (timeout_ms >= 0)
		end = now + (uint64_t)timeout_ms * 1000;
	p[0] = (struct pollfd){ .fd = r->bell_fd, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = r->conn_fd, .events = r->conn_events };
	/* Announce the sleep, then look again: see tpmback/local.h. */
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
			r->ops->hush(r);
		if (answered(r))
			break;
		if (n > 0 && p[1].revents != 0 &&
		    (rc = r->ops->attend(r)) != VT_OK)
			return rc;
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
		r->ops->hush(r); /* the descriptor rests till the next answer */
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
	if (r->bell_fd != -1 &&
	    epoll_ctl(fd, EPOLL_CTL_ADD, r->bell_fd, &ev) == -1)
		goto fail;
	ev.events = (uint32_t)r->conn_events; /* a hang-up, too */
	if (epoll_ctl(fd, EPOLL_CTL_ADD, r->conn_fd, &ev) == -1)
		goto fail;
	r->epoll_fd = fd;
	r->polled = true;
	set_awake(r, false);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r->front_awake != NULL && r->pending && answered(r)) {
		static const uint64_t one = 1;

		/* The back half skipped the bell; ring it here. */
		if (write(r->bell_fd, &one, sizeof(one)) == -1 &&
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
