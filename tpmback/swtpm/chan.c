/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chan.c - chan.h over swtpm's control protocol, as QEMU speaks it.
 *
 * One connection is live, others wait beside it.  The TPM belongs to the
 * connection that says INIT: one that is silent keeps nobody from it.  While
 * one has the TPM, another is the destination of a migration on this host: it
 * probes, stages a state and takes over with INIT; until then it cannot affect
 * the running TPM.  The source stays connected until the guest uses the TPM at
 * its destination: if that dies before, the source has its TPM again.
 */
#include "tpmback/swtpm/chan.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check_on.h"
#include "base/util.h"
#include "tpmback/swtpm/control.h"
#include "tpmback/swtpm/data.h"

#define ANSWER_MAX (SWTPM_BLOB_MAX + 64)

/* --- connections coming and going ----------------------------------------- */

static void
set_live(struct swtpm *s, struct swtpm_conn *c)
{
	struct swtpm_conn *old = s->live;

	(void)pthread_mutex_lock(&s->lock);
	s->live = c;
	if (s->submitter == old)
		s->submitter = NULL;
	(void)pthread_mutex_unlock(&s->lock);
	swtpm_conn_free(old);
	swtpm_keep(s);
}

static void
forget_staged(struct swtpm *s)
{
	(void)s->ch.host->set_blob(
	    s->ch.host_arg, BLOB_PERMANENT, true, NULL, 0);
}

/* The live one has left: the oldest that waits is live, with the rights that
 * it had; one that staged a state goes first, and its INIT still takes over. */
static struct swtpm_conn *
heir(struct swtpm *s)
{
	struct swtpm_conn *c = NULL;
	unsigned int i;

	for (i = 0; i < s->nnext; i++) {
		if (c == NULL || (s->next[i]->staging && !c->staging))
			c = s->next[i];
		if (!s->next[i]->staging)
			s->next[i]->incoming = false;
	}
	if (c != NULL)
		(void)swtpm_unqueue(s, c);
	return c;
}

/* The destination of a migration took the TPM over: the source waits in case
 * it dies before its guest uses the TPM. */
static void
step_back(struct swtpm *s, struct swtpm_conn *c)
{
	struct swtpm_conn *source = s->live;

	source->inited = false;
	source->incoming = true;
	s->next[s->nnext++] = s->source = source;
	(void)pthread_mutex_lock(&s->lock);
	s->live = c;
	(void)pthread_mutex_unlock(&s->lock);
	swtpm_keep(s);
}

/* The destination has left, and the state is still the one that the source
 * gave it: the TPM is the source's again, and no power cycle. */
static void
give_back(struct swtpm *s)
{
	struct swtpm_conn *c = s->source;

	(void)swtpm_unqueue(s, c);
	c->inited = true;
	c->incoming = false;
	set_live(s, c);
	swtpm_note(s, &c->peer, CN_HANDOVER,
	    "the destination of a migration left before its guest used the "
	    "TPM: the source has it again");
	swtpm_wake_after(s, 0);
}

static void
drop_conn(struct swtpm *s, struct swtpm_conn *c)
{
	bool owned = swtpm_owned(s), spoke = c->spoke;
	struct peer peer = c->peer;

	if (c->staging)
		forget_staged(s);
	if (swtpm_unqueue(s, c))
		swtpm_conn_free(c);
	else if (s->source != NULL)
		give_back(s);
	else
		set_live(s, heir(s));
	if (!swtpm_owned(s))
		s->ch.host->release(s->ch.host_arg, &s->ch);
	/* Before the first INIT each may be the hypervisor of this guest; but
	 * for one that did not say a word. */
	if (spoke && (!owned || !swtpm_owned(s)))
		swtpm_note(s, &peer, CN_CLOSED, "the hypervisor disconnected");
}

/* Close the first one that never said anything, to make room. */
static bool
drop_silent(struct swtpm *s)
{
	struct swtpm_conn *c = s->live;
	unsigned int i;

	for (i = 0; c->spoke && i < s->nnext; i++)
		c = s->next[i];
	if (c->spoke)
		return false;
	swtpm_note(s, &c->peer, CN_BUSY, "closed: it is silent, another comes");
	drop_conn(s, c);
	return true;
}

static void
queue(struct swtpm *s, struct swtpm_conn *c)
{
	if (s->live == NULL) {
		set_live(s, c);
		return;
	}
	c->incoming = swtpm_owned(s) || !check_on("init-first");
	s->next[s->nnext++] = c;
}

static void
accept_conn(struct swtpm *s)
{
	int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	const char *why = NULL;
	struct swtpm_conn *c;
	struct peer peer;

	if (fd == -1)
		return;
	peer_of(fd, &peer);
	if (!peer_may(&peer, s->owner))
		why = "refused: it is neither the guest's owner nor root";
	else if (s->nnext == SWTPM_WAITING && !drop_silent(s))
		why = "refused: too many hypervisors are connected";
	else if (swtpm_conn_new(fd, &c) != VT_OK)
		why = "refused: no memory for another connection";
	if (why != NULL) {
		swtpm_note(s, &peer, CN_BUSY, why);
		(void)close(fd);
		return;
	}
	queue(s, c);
	swtpm_stall_note(s, &c->ctl_stall, true, 0, SWTPM_SILENT_US);
	swtpm_note(s, &c->peer, CN_OPEN, "a hypervisor has connected");
}

/* c said INIT, and has the TPM. */
static void
take_over(struct swtpm *s, struct swtpm_conn *c)
{
	bool owned = swtpm_owned(s);
	unsigned int i;

	c->inited = s->begun = true;
	c->incoming = c->staging = c->staged = false;
	for (i = 0; i < s->nnext; i++)
		s->next[i]->incoming = s->next[i] != c;
	if (c == s->live)
		return;
	if (s->live->staging)
		forget_staged(s);
	(void)swtpm_unqueue(s, c);
	swtpm_settle(s); /* of an earlier migration */
	if (owned && !s->running)
		step_back(s, c);
	else
		set_live(s, c);
	swtpm_note(s, &c->peer, CN_HANDOVER,
	    owned ? "the destination of a migration took the TPM over"
		  : "sent INIT first: the TPM is its own");
}

/* --- control requests ------------------------------------------------------
 */

/*
 * While a command runs, CANCEL is taken at once; other requests wait.  Called
 * with the lock held.  Returns true if it took one.
 */
static bool
take_cancel(struct swtpm_conn *c)
{
	struct swtpm_req q;
	uint8_t ok[4];
	size_t used;
	int rc = swtpm_conn_next_req(c, &q, &used);

	c->held = rc != VT_E_TRUNC && !(rc == VT_OK && q.op == SO_CANCEL);
	if (rc != VT_OK || q.op != SO_CANCEL)
		return false;
	swtpm_conn_drop_req(c, q.op, used);
	be32_put(ok, SR_SUCCESS);
	if (!swtpm_stream_send(&c->ctl, ok, sizeof(ok)))
		c->held = true;
	return true;
}

/* One after which no answer to an incomplete command can be expected. */
static bool
ends_command(uint32_t op)
{
	return op == SO_CANCEL || op == SO_INIT || op == SO_STOP ||
	       op == SO_SHUTDOWN;
}

/* Answer one request.  Returns false if c was dropped. */
static bool
handle_req(struct swtpm *s, struct swtpm_conn *c, int rc, struct swtpm_req *q)
{
	enum swtpm_after after = SA_NOTHING;
	struct wr w;
	bool ok;

	if (rc == VT_OK && ends_command(q->op) && c->st->data_len > 0)
		swtpm_give_up_cmd(s, c);
	wr_grow(&w, ANSWER_MAX);
	c->st->ctl_busy = 1;
	if (rc == VT_E_RANGE)
		wr_be32(&w, c->skip_result);
	else
		after = swtpm_ctl_handle(&s->ch, s->localities, c, q, &w);
	if (wr_err(&w) != VT_OK) {
		wr_free(&w);
		drop_conn(s, c); /* out of memory: the peer must not wait for an
				    answer */
		return false;
	}
	c->st->ctl_busy = 0;
	if (after == SA_TAKE_OVER)
		take_over(s, c);
	if (!swtpm_owned(s) && !s->running)
		s->ch.host->release(s->ch.host_arg, &s->ch);
	if (after == SA_DATA && c == s->live)
		swtpm_keep(s);
	ok = swtpm_stream_send(&c->ctl, w.buf, w.len);
	wr_free(&w);
	if (!ok)
		drop_conn(s, c);
	return ok;
}

static bool
is_partial(const struct swtpm_conn *c)
{
	return c->st->ctl_have + c->st->ctl_skip > 0;
}

/* Returns false if c was dropped. */
static bool
process_ctl(struct swtpm *s, struct swtpm_conn *c)
{
	struct swtpm_req q = { 0 };
	size_t used = 0;
	int rc;

	for (;;) {
		if (swtpm_busy(s, c)) {
			(void)pthread_mutex_lock(&s->lock);
			rc = take_cancel(c);
			(void)pthread_mutex_unlock(&s->lock);
			if (!rc)
				return true;
			s->ch.host->cancel(s->ch.host_arg, &s->ch);
			continue;
		}
		c->held = false;
		if (c->ctl.outlen > 0)
			return true;
		rc = swtpm_conn_next_req(c, &q, &used);
		c->spoke = c->spoke || rc != VT_E_TRUNC || is_partial(c);
		swtpm_stall_note(s, &c->ctl_stall,
		    rc == VT_E_TRUNC && (!c->spoke || is_partial(c)),
		    c->st->ctl_have + c->st->ctl_skip, SWTPM_REQ_STALL_US);
		if (rc == VT_E_TRUNC)
			return true;
		if (!handle_req(s, c, rc, &q))
			return false;
		if (c->passed != -1) { /* no request used it */
			(void)close(c->passed);
			c->passed = -1;
		}
		if (rc != VT_E_RANGE)
			swtpm_conn_drop_req(c, q.op, used);
	}
}

static void
ctl_ready(struct swtpm *s, struct swtpm_conn *c, short revents)
{
	int rc = VT_OK;

	if ((revents & POLLOUT) != 0)
		rc = swtpm_stream_flush(&c->ctl);
	if (rc == VT_OK && (revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
		(void)pthread_mutex_lock(&s->lock);
		rc = swtpm_conn_read_ctl(c);
		(void)pthread_mutex_unlock(&s->lock);
	}
	if (rc == VT_E_CLOSED || rc == VT_E_NOMEM)
		drop_conn(s, c);
	else
		(void)process_ctl(s, c);
}

static void
swtpm_watch(struct chan *ch, int stop_fd, int timeout_ms)
{
	struct swtpm *s = swtpm_of(ch);
	struct pollfd p[2] = { { .fd = stop_fd, .events = POLLIN },
		{ .fd = -1, .events = POLLIN } };

	(void)pthread_mutex_lock(&s->lock);
	if (s->running && s->live != NULL && !s->live->held)
		p[1].fd = s->live->ctl.fd;
	(void)pthread_mutex_unlock(&s->lock);
	if (poll(p, 2, timeout_ms) <= 0 || p[1].revents == 0)
		return;
	(void)pthread_mutex_lock(&s->lock);
	if (s->running && s->live != NULL && s->live->ctl.fd == p[1].fd) {
		bool gone = swtpm_conn_read_ctl(s->live) == VT_E_CLOSED;

		/* the loop's thread handles the end of the stream */
		if (gone)
			s->live->held = true;
		if (gone || take_cancel(s->live))
			s->ch.host->cancel(s->ch.host_arg, ch);
	}
	(void)pthread_mutex_unlock(&s->lock);
}

/* --- the loop --------------------------------------------------------------
 */

static int
add_fd(struct pollfd *p, int n, int fd, short events)
{
	p[n].fd = fd;
	p[n].events = events;
	p[n].revents = 0;
	return n + 1;
}

static int
add_conn(
    const struct swtpm *s, const struct swtpm_conn *c, struct pollfd *p, int n)
{
	if (c == NULL)
		return n;
	if (!(swtpm_busy(s, c) && c->held))
		n = add_fd(
		    p, n, c->ctl.fd, c->ctl.outlen > 0 ? POLLOUT : POLLIN);
	/* While its command runs only the end of the connection matters, and
	 * that can wait, too: POLLHUP would be reported again and again. */
	if (c->data.fd != -1 && !swtpm_busy(s, c) && c != s->source)
		n = add_fd(
		    p, n, c->data.fd, c->data.outlen > 0 ? POLLOUT : POLLIN);
	return n;
}

static int
swtpm_pollfds(struct chan *ch, struct pollfd *p)
{
	struct swtpm *s = swtpm_of(ch);
	unsigned int i;
	int n = 0;

	_Static_assert(2 + 2 * (1 + SWTPM_WAITING) <= CHAN_MAX_FDS, "fds");
	s->fresh = false;
	n = add_fd(p, n, s->listen_fd, POLLIN);
	n = add_fd(p, n, s->timer_fd, POLLIN);
	n = add_conn(s, s->live, p, n);
	for (i = 0; i < s->nnext; i++)
		n = add_conn(s, s->next[i], p, n);
	return n;
}

static short
said(const struct pollfd *p, int n, int fd)
{
	int i;

	for (i = 0; i < n; i++)
		if (p[i].fd == fd && fd != -1)
			return p[i].revents;
	return 0;
}

/* The rest of a request is missing.  Returns false if c was dropped. */
static bool
give_up_req(struct swtpm *s, struct swtpm_conn *c)
{
	uint8_t bad[4];

	if (!c->spoke) {
		swtpm_note(s, &c->peer, CN_BUSY, "closed: it is silent");
		drop_conn(s, c);
		return false;
	}
	swtpm_conn_drain_ctl(c);
	be32_put(bad, SR_BAD_PARAMETER);
	if (swtpm_stream_send(&c->ctl, bad, sizeof(bad)))
		return true;
	drop_conn(s, c);
	return false;
}

/* Returns false if c was dropped. */
static bool
conn_timer(struct swtpm *s, struct swtpm_conn *c)
{
	if (swtpm_stall_over(s, &c->data_stall, SWTPM_CMD_STALL_US))
		swtpm_give_up_cmd(s, c);
	if (swtpm_stall_over(s, &c->ctl_stall, SWTPM_REQ_STALL_US) &&
	    !swtpm_busy(s, c) && !give_up_req(s, c))
		return false;
	if (!process_ctl(s, c))
		return false;
	swtpm_process_data(s, c);
	return true;
}

/* What had to wait, and input that stays incomplete.  When one is dropped the
 * others' places may have changed: look again. */
static void
timer_ready(struct swtpm *s)
{
	unsigned int i;
	uint64_t ticks;

	(void)!read(s->timer_fd, &ticks, sizeof(ticks));
	s->wake_us = 0;
	if (s->live != NULL && !conn_timer(s, s->live)) {
		swtpm_wake_after(s, 0);
		return;
	}
	for (i = 0; i < s->nnext; i++)
		if (!conn_timer(s, s->next[i])) {
			swtpm_wake_after(s, 0);
			return;
		}
}

/* Whether poll(2) said something about one of those that wait; one is enough,
 * since handling it may change their places. */
static bool
next_ready(struct swtpm *s, const struct pollfd *p, int n)
{
	struct swtpm_conn *c;
	unsigned int i;
	short ev;

	for (i = 0; i < s->nnext; i++) {
		c = s->next[i];
		if ((ev = said(p, n, c->data.fd)) != 0) {
			swtpm_data_ready(s, c, ev);
			return true;
		}
		if ((ev = said(p, n, c->ctl.fd)) != 0) {
			ctl_ready(s, c, ev);
			return true;
		}
	}
	return false;
}

static void
swtpm_dispatch(struct chan *ch, const struct pollfd *p, int n)
{
	struct swtpm *s = swtpm_of(ch);
	short ev;

	/* Data first and new connections last: a descriptor that is closed and
	 * reused in between is not mistaken for the old one. */
	if (s->live != NULL && (ev = said(p, n, s->live->data.fd)) != 0)
		swtpm_data_ready(s, s->live, ev);
	if (s->live != NULL && (ev = said(p, n, s->live->ctl.fd)) != 0)
		ctl_ready(s, s->live, ev);
	else
		(void)next_ready(s, p, n);
	if (said(p, n, s->timer_fd) != 0)
		timer_ready(s);
	if (said(p, n, s->listen_fd) != 0)
		accept_conn(s);
}

/* --- a successor, begin and end --------------------------------------------
 */

/* Answer what was in flight when the worker died. */
static void
answer_for_the_dead(struct swtpm *s, struct swtpm_conn *c)
{
	struct swtpm_status *st = c->st;
	struct swtpm_req q;
	uint8_t out[4];
	size_t used;

	if (st->data_busy != 0)
		swtpm_send_error(s, c, SE_FAILURE);
	st->data_busy = 0;
	if (st->ctl_busy != 0) {
		if (swtpm_conn_next_req(c, &q, &used) != VT_OK ||
		    !swtpm_op_repeatable(q.op)) {
			be32_put(out, SR_FAIL);
			(void)swtpm_stream_send(&c->ctl, out, sizeof(out));
			st->ctl_have = 0;
			st->ctl_skip = 0;
			st->pad = 0;
		}
	}
	st->ctl_busy = 0;
	swtpm_wake_after(s, 0);
}

static int
swtpm_adopt(struct chan *ch, const int *fds, unsigned int nfds)
{
	struct swtpm *s = swtpm_of(ch);
	struct swtpm_conn *c;
	struct stat sb;
	unsigned int i;
	int rc;

	if (nfds == 0 || nfds > 3 || s->live != NULL) {
		for (i = 0; i < nfds; i++)
			(void)close(fds[i]);
		return VT_E_STATE;
	}
	if ((rc = swtpm_conn_new(fds[0], &c)) != VT_OK) {
		for (i = 0; i < nfds; i++)
			(void)close(fds[i]);
		return rc;
	}
	for (i = 1; i < nfds; i++) {
		if (fstat(fds[i], &sb) == 0 && S_ISSOCK(sb.st_mode) &&
		    c->data.fd == -1) {
			c->data.fd = fds[i];
			continue;
		}
		/* unreadable: as if nothing had been in flight */
		(void)!swtpm_conn_restore(c, fds[i]);
		(void)close(fds[i]);
	}
	/* The TPM that is on is this connection's: only that of the live one
	 * is kept. */
	c->spoke = true;
	c->inited = s->ch.host->powered(s->ch.host_arg) &&
		    s->ch.host->claim(s->ch.host_arg, ch);
	s->begun = c->inited;
	set_live(s, c);
	answer_for_the_dead(s, c);
	return VT_OK;
}

static void
swtpm_free(struct chan *ch)
{
	struct swtpm *s = swtpm_of(ch);

	swtpm_conn_free(s->live);
	while (s->nnext > 0)
		swtpm_conn_free(s->next[--s->nnext]);
	if (s->listen_fd != -1)
		(void)close(s->listen_fd);
	if (s->timer_fd != -1)
		(void)close(s->timer_fd);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static int
swtpm_listen(struct chan *ch, int fd)
{
	struct swtpm *s = swtpm_of(ch);

	if (fd_set_nonblock(fd, true) != VT_OK)
		return VT_E_SYS;
	(void)close(s->listen_fd);
	s->listen_fd = fd;
	return VT_OK;
}

static const struct chan_ops swtpm_ops = {
	.adopt = swtpm_adopt,
	.listen = swtpm_listen,
	.free = swtpm_free,
	.reply = swtpm_reply,
	.pollfds = swtpm_pollfds,
	.dispatch = swtpm_dispatch,
	.spin = swtpm_spin,
	.spin_us = swtpm_spin_us,
	.watch = swtpm_watch,
};

int
chan_new_swtpm(int listen_fd, uint32_t owner, uint8_t localities,
    const struct chan_host *host, void *host_arg, struct chan **ret)
{
	struct swtpm *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return VT_E_NOMEM;
	s->ch.ops = &swtpm_ops;
	s->ch.host = host;
	s->ch.host_arg = host_arg;
	s->localities = localities;
	s->owner = owner;
	s->listen_fd = -1;
	spin_init(&s->spin, SPIN_MAX_US);
	(void)pthread_mutex_init(&s->lock, NULL);
	s->timer_fd =
	    timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (s->timer_fd == -1 || fd_set_nonblock(listen_fd, true) != VT_OK) {
		swtpm_free(&s->ch);
		/* cppcheck-suppress memleak */
		return VT_E_SYS;
	}
	s->listen_fd = listen_fd;
	*ret = &s->ch;
	return VT_OK;
}
