/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * local_chan.c - the ring between two processes of one host.
 *
 * Layer:  tpmback.
 * Spec:   tpmback/local.h.
 * Trust:  the front half is hostile.  It may write anything to the shared
 *         memory and the eventfd at any time, connect as often as it likes,
 *         and die.  The back half writes its hint and reads only the front
 *         half's.
 * Limits: one attachment; LOCAL_WAITING front halves that wait for it;
 *         ACCEPT_MAX connections turned away per round;
 *         NOTE_BURST notes at once, then one per NOTE_EVERY_US.
 */
#include "tpmback/local_chan.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
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
#include "base/token_bucket.h"
#include "base/util.h"
#include "tpmback/back_core.h"
#include "tpmback/chan_impl.h"
#include "tpmback/local.h"
#include "tpmback/local_queue.h"
#include "tpmback/peer.h"
#include "tpmback/spin.h"

#define ACCEPT_MAX 8
#define NOTE_BURST 32
#define NOTE_EVERY_US 1000000
#define SPIN_ROUNDS 32 /* polls of the page per chan_spin() */
#define MEMFD_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define TPM12 1 /* TPM_VER_12 of vtpm/proto/worker_msg.h */

enum { KEEP_CONN, KEEP_MEM, KEEP_TO_BACK, KEEP_TO_FRONT, KEEP_N };

struct local_chan {
	struct chan ch; /* first */
	int listen_fd;
	bool deaf; /* accept(2) lacked a resource: not polled */
	uint8_t localities, tpm_version;
	uint32_t owner; /* uid that may attach, beside root */

	/* one attachment; all unset while detached */
	struct msgch *conn;
	int mem_fd, to_back, to_front;
	struct local_shm *shm;
	struct peer peer;
	bool awake; /* what our hint says */
	bool keeps; /* the last one wanted its objects kept */
	struct local_queue queue;

	struct spin spin;
	bool fresh; /* answered since the last sleep: spinning may pay */
	uint64_t answered_us;
	struct token_bucket notes, refusals; /* CN_BUSY has its own */
	struct back core;
};

static void
note(struct local_chan *lc, enum chan_note n, const char *text)
{
	struct token_bucket *b = n == CN_BUSY ? &lc->refusals : &lc->notes;

	if (lc->ch.host->note != NULL && token_bucket_take(b, 1, now_us()))
		lc->ch.host->note(lc->ch.host_arg, &lc->ch, n, text);
}

/* --- hints and notification ----------------------------------------------- */

static void
set_awake(struct local_chan *lc, bool awake)
{
	if (lc->awake == awake)
		return;
	lc->awake = awake;
	__atomic_store_n(&lc->shm->back_awake, awake, __ATOMIC_RELAXED);
}

static void
ring_bell(int fd)
{
	static const uint64_t one = 1;
	ssize_t n;

	/* EAGAIN: the counter is at its maximum. */
	do
		n = write(fd, &one, sizeof(one));
	while (n == -1 && errno == EINTR);
}

static void
hush_bell(int fd)
{
	uint64_t count;
	ssize_t n;

	do
		n = read(fd, &count, sizeof(count));
	while (n == -1 && errno == EINTR);
}

/* --- what the core asks of us ----------------------------------------------
 */

static void
lc_submit(void *arg, uint8_t locality, const uint8_t *cmd, size_t len)
{
	struct local_chan *lc = arg;

	if (lc->answered_us != 0)
		spin_saw(&lc->spin, now_us() - lc->answered_us);
	lc->ch.host->submit(lc->ch.host_arg, &lc->ch, locality, cmd, len);
}

static void
lc_cancel(void *arg)
{
	struct local_chan *lc = arg;

	lc->ch.host->cancel(lc->ch.host_arg, &lc->ch);
}

static void
lc_notify(void *arg)
{
	struct local_chan *lc = arg;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&lc->shm->front_awake, __ATOMIC_RELAXED) != 1)
		ring_bell(lc->to_front);
}

static void
drop_attachment(struct local_chan *lc)
{
	msgch_free(lc->conn);
	lc->conn = NULL;
	if (lc->shm != NULL)
		(void)munmap(lc->shm, sizeof(*lc->shm));
	lc->shm = NULL;
	if (lc->mem_fd != -1)
		(void)close(lc->mem_fd);
	if (lc->to_back != -1)
		(void)close(lc->to_back);
	if (lc->to_front != -1)
		(void)close(lc->to_front);
	lc->mem_fd = lc->to_back = lc->to_front = -1;
	lc->awake = lc->fresh = lc->deaf = false;
	lc->answered_us = 0;
}

static void
lc_unmap(void *arg)
{
	struct local_chan *lc = arg;

	lc->keeps =
	    __atomic_load_n(&lc->shm->front_keeps, __ATOMIC_RELAXED) == 1;
	drop_attachment(lc);
	if (lc->ch.host->keep != NULL)
		lc->ch.host->keep(lc->ch.host_arg, &lc->ch, NULL, 0);
	lc->ch.host->release(lc->ch.host_arg, &lc->ch);
	note(lc, CN_CLOSED, lc->peer.text);
}

static void
lc_closed(void *arg)
{
	struct local_chan *lc = arg;

	/* The next one is attached before the loop sleeps. */
	if (lc->ch.host->ended != NULL)
		lc->ch.host->ended(lc->ch.host_arg, &lc->ch, lc->keeps);
}

static void
lc_violation(void *arg, const char *text)
{
	note(arg, CN_VIOLATION, text);
}

static const struct back_ops core_ops = {
	.submit = lc_submit,
	.cancel = lc_cancel,
	.notify = lc_notify,
	.unmap = lc_unmap,
	.closed = lc_closed,
	.violation = lc_violation,
};

/* --- attaching -------------------------------------------------------------
 */

static int
map_shm(int fd, struct local_shm **ret)
{
	void *p;

	p = mmap(NULL, sizeof(struct local_shm), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return VT_E_SYS;
	*ret = p;
	return VT_OK;
}

/* Sealed: the front half cannot truncate it under our mapping. */
static int
make_shm(struct local_chan *lc)
{
	lc->mem_fd = memfd_create("vtpm-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (lc->mem_fd == -1 ||
	    ftruncate(lc->mem_fd, sizeof(struct local_shm)) == -1 ||
	    fcntl(lc->mem_fd, F_ADD_SEALS, MEMFD_SEALS) == -1)
		return VT_E_SYS;
	lc->to_back = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	lc->to_front = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lc->to_back == -1 || lc->to_front == -1)
		return VT_E_SYS;
	return map_shm(lc->mem_fd, &lc->shm);
}

static int
send_hello(struct local_chan *lc)
{
	int fds[LOCAL_NFDS] = { lc->mem_fd, lc->to_back, lc->to_front };
	uint8_t buf[LOCAL_HELLO_LEN];
	struct wr w;
	int rc;

	wr_init(&w, buf, sizeof(buf));
	wr_be16(&w, LOCAL_VERSION);
	wr_u8(&w, lc->localities);
	wr_u8(&w, lc->tpm_version);
	wr_be32(&w, LOCAL_SHM_SIZE);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	rc = msgch_send(
	    lc->conn, LOCAL_HELLO, 0, buf, sizeof(buf), fds, LOCAL_NFDS);
	if (rc == VT_OK && msgch_pending(lc->conn))
		return VT_E_PROTO; /* a new socket has room for the greeting */
	return rc;
}

static void
begin(struct local_chan *lc)
{
	int fds[KEEP_N];

	peer_of(msgch_fd(lc->conn), &lc->peer);
	fds[KEEP_CONN] = msgch_fd(lc->conn);
	fds[KEEP_MEM] = lc->mem_fd;
	fds[KEEP_TO_BACK] = lc->to_back;
	fds[KEEP_TO_FRONT] = lc->to_front;
	if (lc->ch.host->keep != NULL)
		lc->ch.host->keep(lc->ch.host_arg, &lc->ch, fds, KEEP_N);
	note(lc, CN_OPEN, lc->peer.text);
	if (lc->ch.host->began != NULL)
		lc->ch.host->began(lc->ch.host_arg, &lc->ch);
	back_open(&lc->core, &lc->shm->v);
}

/* The TPM is claimed for conn, which is owned from here on. */
static void
attach(struct local_chan *lc, struct msgch *conn)
{
	int rc;

	lc->conn = conn;
	if ((rc = make_shm(lc)) == VT_OK)
		rc = send_hello(lc);
	if (rc != VT_OK) {
		if (rc != VT_E_CLOSED)
			note(lc, CN_VIOLATION, vt_strerror(rc));
		drop_attachment(lc);
		lc->ch.host->release(lc->ch.host_arg, &lc->ch);
		return;
	}
	begin(lc);
}

static void
turn_away(struct local_chan *lc, int fd, const struct peer *peer,
    enum local_msg type, const char *text)
{
	char line[sizeof(peer->text) + sizeof(lc->peer.text) + 64];
	struct msgch *ch;
	uint8_t buf[128];
	struct wr w;

	(void)snprintf(line, sizeof(line), "%s: refused: %s%s", peer->text,
	    type == LOCAL_BUSY ? "in use by " : "", text);
	note(lc, CN_BUSY, line);
	if (msgch_new(fd, sizeof(buf), &ch) != VT_OK) {
		(void)close(fd);
		return;
	}
	wr_init(&w, buf, sizeof(buf));
	wr_str(&w, text);
	if (wr_err(&w) != VT_OK ||
	    msgch_send(ch, type, 0, buf, w.len, NULL, 0) != VT_OK) {
		/* it gets an end without a text */
	}
	msgch_free(ch);
}

static void
attach_fd(struct local_chan *lc, int fd)
{
	struct msgch *conn;

	if (msgch_new(fd, LOCAL_HELLO_LEN, &conn) == VT_OK) {
		attach(lc, conn);
		return;
	}
	lc->ch.host->release(lc->ch.host_arg, &lc->ch);
	(void)close(fd);
}

/* Two front halves would read each other's answers. */
static void
admit(struct local_chan *lc, int fd)
{
	struct peer peer;

	peer_of(fd, &peer);
	if (!peer_may(&peer, lc->owner))
		turn_away(lc, fd, &peer, LOCAL_REFUSED,
		    "this user is neither the guest's owner nor root");
	else if (lc->conn != NULL || lc->core.state == BK_DRAINING) {
		if (!local_queue_add(&lc->queue, fd, lc->peer.text))
			turn_away(lc, fd, &peer, LOCAL_BUSY, lc->peer.text);
	} else if (!lc->ch.host->claim(lc->ch.host_arg, &lc->ch))
		turn_away(lc, fd, &peer, LOCAL_BUSY, "another channel");
	else
		attach_fd(lc, fd);
}

/* The turn of the one that waits longest.  While a guest has the TPM through
 * another channel they go on waiting, each as long as it likes. */
static void
serve_next(struct local_chan *lc)
{
	struct msgch *conn;

	while (lc->conn == NULL && lc->core.state == BK_CLOSED &&
	       lc->queue.n > 0 &&
	       lc->ch.host->claim(lc->ch.host_arg, &lc->ch)) {
		if ((conn = local_queue_take(&lc->queue)) == NULL)
			lc->ch.host->release(lc->ch.host_arg, &lc->ch);
		else
			attach(lc, conn);
	}
}

/* After the greeting the front half sends nothing: bytes count as a hang-up. */
static void
see_conn(struct local_chan *lc)
{
	uint8_t byte;
	ssize_t n = recv(msgch_fd(lc->conn), &byte, 1, MSG_DONTWAIT);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		note(lc, CN_VIOLATION, "sent data on the connection");
	back_gone(&lc->core);
}

static bool
can_accept(const struct local_chan *lc)
{
	/* While a dead front half's command drains, the next one waits. */
	return !lc->deaf && lc->core.state != BK_DRAINING;
}

static void
accept_some(struct local_chan *lc)
{
	int fd, i;

	for (i = 0; i < ACCEPT_MAX && can_accept(lc); i++) {
		fd = accept4(
		    lc->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd == -1) {
			/* Out of descriptors or memory: poll(2) would return
			 * at once, again and again.  Retry after the next
			 * detach. */
			lc->deaf = errno != EAGAIN && errno != EINTR &&
				   errno != ECONNABORTED && lc->conn != NULL;
			return;
		}
		if (lc->conn != NULL)
			see_conn(lc); /* it may have left just now */
		serve_next(lc);
		admit(lc, fd);
	}
}

/* --- the channel's own operations ------------------------------------------
 */

static struct local_chan *
local(struct chan *ch)
{
	return (struct local_chan *)ch;
}

static int
check_shm(int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals == -1 || fstat(fd, &st) == -1)
		return VT_E_SYS;
	if ((seals & MEMFD_SEALS) != MEMFD_SEALS ||
	    st.st_size != LOCAL_SHM_SIZE)
		return VT_E_FORMAT;
	return VT_OK;
}

static int
local_adopt(struct chan *ch, const int *fds, unsigned int nfds)
{
	struct local_chan *lc = local(ch);
	unsigned int i;
	int rc = VT_E_STATE;

	if (lc->conn != NULL || nfds != KEEP_N ||
	    !lc->ch.host->claim(lc->ch.host_arg, ch))
		goto fail;
	if ((rc = check_shm(fds[KEEP_MEM])) != VT_OK)
		goto fail;
	if ((rc = map_shm(fds[KEEP_MEM], &lc->shm)) != VT_OK)
		goto fail;
	rc = msgch_new(fds[KEEP_CONN], LOCAL_HELLO_LEN, &lc->conn);
	if (rc != VT_OK) {
		(void)munmap(lc->shm, sizeof(*lc->shm));
		lc->shm = NULL;
		goto fail;
	}
	lc->mem_fd = fds[KEEP_MEM];
	lc->to_back = fds[KEEP_TO_BACK];
	lc->to_front = fds[KEEP_TO_FRONT];
	lc->awake = true; /* whatever the dead worker left there */
	set_awake(lc, false);
	begin(lc);
	back_fail_pending(&lc->core);
	ring_bell(lc->to_front); /* a notification that it owed is not lost */
	return VT_OK;
fail:
	if (lc->conn == NULL)
		lc->ch.host->release(lc->ch.host_arg, ch);
	for (i = 0; i < nfds; i++)
		(void)close(fds[i]);
	return rc;
}

static void
local_free(struct chan *ch)
{
	struct local_chan *lc = local(ch);

	back_stop(&lc->core);
	drop_attachment(lc);
	local_queue_clear(&lc->queue);
	(void)close(lc->listen_fd);
	explicit_bzero(lc, sizeof(*lc));
	free(lc);
}

static void
local_reply(struct chan *ch, const uint8_t *resp, size_t len)
{
	struct local_chan *lc = local(ch);

	if (lc->shm != NULL && lc->spin.us > 0)
		set_awake(lc, true); /* until chan_pollfds() */
	back_reply(&lc->core, resp, len);
	if (lc->shm == NULL)
		return;
	lc->fresh = true;
	lc->answered_us = now_us();
}

static int
local_pollfds(struct chan *ch, struct pollfd *p)
{
	struct local_chan *lc = local(ch);
	int n = 0;

	lc->fresh = false;
	serve_next(lc);
	if (can_accept(lc))
		p[n++] =
		    (struct pollfd){ .fd = lc->listen_fd, .events = POLLIN };
	if (lc->conn == NULL)
		return n;
	p[n++] = (struct pollfd){ .fd = msgch_fd(lc->conn),
		.events = POLLIN | POLLRDHUP };
	p[n++] = (struct pollfd){ .fd = lc->to_back, .events = POLLIN };
	set_awake(lc, false);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (back_waiting(&lc->core))
		ring_bell(lc->to_back);
	return n;
}

static void
local_dispatch(struct chan *ch, const struct pollfd *p, int n)
{
	struct local_chan *lc = local(ch);
	int i;

	for (i = 0; i < n; i++) {
		if (p[i].revents == 0)
			continue;
		if (p[i].fd == lc->listen_fd)
			continue; /* below, since this may permit an accept */
		if (lc->conn != NULL && p[i].fd == msgch_fd(lc->conn))
			see_conn(lc);
		else if (lc->conn != NULL && p[i].fd == lc->to_back)
			hush_bell(lc->to_back);
	}
	for (i = 0; i < n; i++)
		if (p[i].fd == lc->listen_fd && p[i].revents != 0)
			accept_some(lc);
	(void)back_look(&lc->core);
}

static bool
local_spin(struct chan *ch)
{
	struct local_chan *lc = local(ch);
	int i;

	if (lc->shm == NULL)
		return false;
	set_awake(lc, true);
	for (i = 0; i < SPIN_ROUNDS; i++) {
		if (back_waiting(&lc->core))
			return back_look(&lc->core);
		spin_pause();
	}
	return false;
}

static unsigned int
local_spin_us(struct chan *ch)
{
	struct local_chan *lc = local(ch);

	return lc->fresh && lc->core.state == BK_IDLE ? lc->spin.us : 0;
}

static void
local_watch(struct chan *ch, int stop_fd, int timeout_ms)
{
	struct local_chan *lc = local(ch);
	uint64_t now = now_us(), end = UINT64_MAX;
	struct pollfd p[3];

	if (lc->conn == NULL)
		return;
	if (timeout_ms >= 0)
		end = now + (uint64_t)timeout_ms * 1000;
	p[0] = (struct pollfd){ .fd = stop_fd, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = lc->to_back, .events = POLLIN };
	p[2] = (struct pollfd){ .fd = msgch_fd(lc->conn), .events = POLLRDHUP };
	for (; now < end; now = now_us()) {
		int ms = -1;

		if (timeout_ms >= 0)
			ms = (int)((end - now + 999) / 1000);
		if (poll(p, VT_NELEM(p), ms) == -1 && errno != EINTR)
			return;
		if (p[0].revents != 0)
			return;
		if (p[1].revents != 0)
			hush_bell(lc->to_back);
		if (back_cancel_seen(&lc->core) || p[2].revents != 0) {
			lc_cancel(lc);
			return;
		}
	}
}

static int
local_listen(struct chan *ch, int fd)
{
	struct local_chan *lc = local(ch);

	if (fd_set_nonblock(fd, true) != VT_OK)
		return VT_E_SYS;
	(void)close(lc->listen_fd);
	lc->listen_fd = fd;
	return VT_OK;
}

static const struct chan_ops local_ops = {
	.adopt = local_adopt,
	.listen = local_listen,
	.free = local_free,
	.reply = local_reply,
	.pollfds = local_pollfds,
	.dispatch = local_dispatch,
	.spin = local_spin,
	.spin_us = local_spin_us,
	.watch = local_watch,
};

int
chan_new_local(int listen_fd, uint32_t owner, uint8_t localities,
    uint8_t tpm_version, const struct chan_host *host, void *host_arg,
    struct chan **ret)
{
	struct local_chan *lc;

	if (fd_set_nonblock(listen_fd, true) != VT_OK)
		return VT_E_SYS;
	if ((lc = calloc(1, sizeof(*lc))) == NULL)
		return VT_E_NOMEM;
	lc->ch = (struct chan){ &local_ops, host, host_arg };
	lc->listen_fd = listen_fd;
	lc->owner = owner;
	lc->localities = localities;
	lc->tpm_version = tpm_version;
	lc->mem_fd = lc->to_back = lc->to_front = -1;
	token_bucket_init(&lc->notes, NOTE_BURST, 1, NOTE_EVERY_US, now_us());
	lc->refusals = lc->notes;
	spin_init(&lc->spin, SPIN_MAX_US);
	back_init(&lc->core, localities, tpm_version == TPM12, &core_ops, lc);
	*ret = &lc->ch;
	return VT_OK;
}
