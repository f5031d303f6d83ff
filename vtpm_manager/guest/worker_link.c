/* SPDX-License-Identifier: BSD-3-Clause */
/* worker_link.c - messages to and from one worker. */
#include "vtpm_manager/guest/worker_link.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check_on.h"
#include "base/log.h"
#include "base/token_bucket.h"
#include "base/util.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/core/cgroup.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/core/run_folder.h"
#include "vtpm_manager/guest/guests_priv.h"
#include "vtpm_manager/guest/worker_id.h"
#include "vtpm_manager/guest/worker_requests.h"
#include "vtpm_manager/guest/zygote_link.h"
#include "vtpm_manager/proto/hwtpm_msg.h"
#include "vtpm_manager/tenant/tenant.h"

#define STOP_MS 5000

struct wlink_priv {
	struct msgch *ch;
	sd_event_source *io, *timer;
	struct wreqs reqs;
	unsigned int stores; /* unacknowledged */
	unsigned int refs;   /* calls on the stack */
	bool dead;           /* free when the last reference goes */
	bool broken;         /* closed() is due or was called */
	struct token_bucket messages, bytes; /* unasked for */
	char why[TEXT_MAX_LEN + 1];
	mgr_done_cb spawned;
};

void
wkept_close(struct wkept *k)
{
	unsigned int i;

	for (i = 0; i < k->nfds; i++)
		(void)close(k->fds[i]);
	memset(k, 0, sizeof(*k));
}

static void
link_free(struct wlink *l)
{
	unsigned int i;

	(void)sd_event_source_disable_unref(l->p->io);
	(void)sd_event_source_disable_unref(l->p->timer);
	msgch_free(l->p->ch);
	for (i = 0; i < WLINK_CHANS; i++)
		wkept_close(&l->kept[i]);
	if (l->pidfd != -1)
		(void)close(l->pidfd);
	free(l->p);
	free(l);
}

/* One that was not completed: only its maker has it. */
static void
link_discard(struct wlink *l)
{
	if (l->p->io != NULL)
		LIST_REMOVE(l, entry);
	link_free(l);
}

static void
link_unref(struct wlink *l)
{
	if (--l->p->refs == 0 && l->p->dead)
		link_free(l);
}

static void
watch(struct wlink *l)
{
	uint32_t want = EPOLLIN;

	if (msgch_pending(l->p->ch))
		want |= EPOLLOUT;
	(void)sd_event_source_set_io_events(l->p->io, want);
}

/* Answer every request in flight, then tell the owner. */
static void
report_broken(struct wlink *l)
{
	struct wreq r;
	size_t i;

	l->p->refs++;
	(void)sd_event_source_set_enabled(l->p->io, SD_EVENT_OFF);
	loop_timer_off(l->p->timer);
	for (i = 0; i < WLINK_REQS_MAX && !l->p->dead; i++)
		if (wreqs_take_at(&l->p->reqs, i, &r) && r.cb != NULL)
			r.cb(r.arg, VT_E_CLOSED, NULL);
	if (!l->p->dead && l->ops->closed != NULL)
		l->ops->closed(l->arg, l->p->why);
	link_unref(l);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg);
static int on_io(sd_event_source *s, int fd, uint32_t revents, void *arg);

/* Reported from the loop: the caller may still use the link. */
static void
link_break(struct wlink *l, const char *why)
{
	if (l->p->broken || l->p->dead)
		return;
	l->p->broken = true;
	(void)snprintf(l->p->why, sizeof(l->p->why), "%s", why);
	if (loop_timer(l->m, &l->p->timer, 0, LOOP_PRIO_CHILD, on_timer, l) !=
	    VT_OK)
		loop_fatal(l->m, "cannot set a timer");
}

static void
arm_deadline(struct wlink *l)
{
	const struct wreq *r = wreqs_first_due(&l->p->reqs);
	uint64_t now = now_us();

	if (r == NULL) {
		loop_timer_off(l->p->timer);
		return;
	}
	if (loop_timer(l->m, &l->p->timer,
		r->deadline_us > now ? (r->deadline_us - now) / 1000 + 1 : 0,
		LOOP_PRIO_BUS, on_timer, l) != VT_OK)
		loop_fatal(l->m, "cannot set a timer");
}

static bool
is_late(struct wlink *l)
{
	const struct wreq *r = wreqs_first_due(&l->p->reqs);

	return r != NULL && r->deadline_us <= now_us();
}

static int
on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct wlink *l = arg;

	(void)s;
	(void)usec;
	if (l->p->broken) {
		report_broken(l);
		return 0;
	}
	/* Deadlines come before messages, so the answer may be there. */
	l->p->refs++;
	if (is_late(l))
		(void)on_io(NULL, -1, 0, l);
	if (l->p->dead || l->p->broken || !is_late(l)) {
		if (!l->p->dead && !l->p->broken)
			arm_deadline(l);
		link_unref(l);
		return 0;
	}
	link_unref(l);
	/* A worker that does not answer is as good as dead; killing it makes
	 * that certain, so that its successor is alone. */
	worker_id_kill(l->pidfd);
	l->p->broken = true;
	(void)snprintf(l->p->why, sizeof(l->p->why),
	    "the worker did not answer in time and was killed");
	report_broken(l);
	return 0;
}

static void
on_keep(struct wlink *l, struct msg *msg)
{
	struct wkept *k;
	struct wkeep wk;
	unsigned int i;

	if (msg_get(wkeep, msg->data, msg->len, &wk) != VT_OK || wk.chan == 0 ||
	    wk.chan >= WLINK_CHANS) {
		link_break(l, "the worker sent a bad message (keep)");
		return;
	}
	k = &l->kept[wk.chan];
	wkept_close(k);
	k->told = true;
	if (msg->type == W_UNKEEP)
		return;
	k->localities = wk.localities;
	for (i = 0; i < VT_NELEM(k->fds); i++) {
		k->fds[i] = msg->fds[i];
		msg->fds[i] = -1;
	}
	k->nfds = msg->nfds;
	msg->nfds = 0;
}

static void
on_answer(struct wlink *l, const struct msg *msg)
{
	struct wreq r;

	if (!wreqs_take(&l->p->reqs, msg->id, &r)) {
		link_break(l, "the worker answered a request that is not "
			      "open");
		return;
	}
	if (r.cb != NULL)
		r.cb(r.arg, VT_OK, msg);
	if (!l->p->dead && !l->p->broken)
		arm_deadline(l);
}

static void
on_store(struct wlink *l, const struct msg *msg)
{
	struct wstore st;

	if (msg_get(wstore, msg->data, msg->len, &st) != VT_OK) {
		link_break(l, "the worker sent a bad message (store)");
		return;
	}
	if (++l->p->stores > WLINK_STORES_MAX) {
		link_break(l, "the worker stores without waiting");
		return;
	}
	l->m->n.stores++;
	l->ops->store(l->arg, msg->id, &st);
}

static void
on_hello(struct wlink *l, const struct msg *msg)
{
	struct whello h;

	if (msg_get(whello, msg->data, msg->len, &h) != VT_OK) {
		link_break(l, "the worker sent a bad message (hello)");
		return;
	}
	l->hello = h;
	l->said_hello = true;
	if (l->ops->hello != NULL && l->ops->hello(l->arg, &h) != VT_OK)
		link_break(l, "another process answered on the "
			      "worker's socket");
}

/*
 * What a worker sends unasked is charged: all but answers, of which each has
 * its request, and states, which are charged when they are refused.
 */
static void
charge(struct wlink *l, size_t len)
{
	uint64_t now = now_us();

	if (!check_on("worker-budget") ||
	    (token_bucket_take(&l->p->messages, 1, now) &&
		token_bucket_take(&l->p->bytes, len, now)))
		return;
	worker_id_kill(l->pidfd);
	link_break(l, "its worker flooded the manager with messages and was "
		      "killed");
}

static void
on_message(struct wlink *l, struct msg *msg)
{
	struct wfacts f;
	struct wevent e;
	struct wdeep d;

	switch (msg->type) {
	case W_DONE:
	case W_PROVISIONED:
	case W_ANSWER:
		on_answer(l, msg);
		return;
	case W_HELLO:
		charge(l, msg->len);
		on_hello(l, msg);
		return;
	case W_STORE:
		on_store(l, msg);
		return;
	case W_KEEP:
	case W_UNKEEP:
		charge(l, msg->len);
		on_keep(l, msg);
		return;
	case W_EVENT:
		charge(l, msg->len);
		if (msg_get(wevent, msg->data, msg->len, &e) != VT_OK)
			break;
		if (l->ops->event != NULL)
			l->ops->event(l->arg, &e);
		return;
	case W_FACTS:
		charge(l, msg->len);
		if (msg_get(wfacts, msg->data, msg->len, &f) != VT_OK)
			break;
		if (l->ops->facts != NULL)
			l->ops->facts(l->arg, &f);
		return;
	case W_DEEP:
		charge(l, msg->len);
		if (l->ops->deep == NULL ||
		    msg_get(wdeep, msg->data, msg->len, &d) != VT_OK)
			break;
		l->ops->deep(l->arg, &d);
		return;
	}
	link_break(l, "the worker sent a message that it may not send");
}

/* A bounded number of messages, so that one worker cannot starve others. */
static int
on_io(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct wlink *l = arg;
	struct msg msg;
	int i, rc;

	(void)s;
	(void)fd;
	(void)revents;
	if (l->p->broken)
		return 0;
	l->p->refs++;
	if (msgch_flush(l->p->ch) != VT_OK) {
		link_break(l, "the worker died");
		goto out;
	}
	for (i = 0; i < WLINK_TURN_MAX && !l->p->dead && !l->p->broken; i++) {
		rc = msgch_recv(l->p->ch, &msg);
		if (rc == VT_E_AGAIN)
			break;
		if (rc == VT_E_PROTO)
			link_break(l, "the worker broke the protocol");
		else if (rc != VT_OK)
			link_break(l, "the worker died");
		else {
			on_message(l, &msg);
			msg_close_fds(&msg);
		}
	}
	if (!l->p->dead && !l->p->broken)
		watch(l);
out:
	link_unref(l);
	return 0;
}

static struct wlink *
link_new(struct mgr *m, const uint8_t uuid[UUID_LEN], uint32_t uid,
    const struct wlink_ops *ops, void *arg)
{
	struct wlink *l = calloc(1, sizeof(*l));

	if (l == NULL || (l->p = calloc(1, sizeof(*l->p))) == NULL) {
		free(l);
		return NULL;
	}
	l->m = m;
	l->serial = ++m->guests->link_serial;
	memcpy(l->uuid, uuid, UUID_LEN);
	l->uid = uid;
	l->pidfd = -1;
	l->ops = ops;
	l->arg = arg;
	l->p->refs = 1;
	token_bucket_init(&l->p->messages, WLINK_MESSAGES_BURST,
	    WLINK_MESSAGES_PER_S, 1000000, now_us());
	token_bucket_init(&l->p->bytes, WLINK_BYTES_BURST, WLINK_BYTES_PER_S,
	    1000000, now_us());
	return l;
}

/* Takes ownership of fd, also on failure. */
static int
link_attach(struct wlink *l, int fd)
{
	int rc, r;

	if ((rc = msgch_new(fd, W_MSG_MAX, &l->p->ch)) != VT_OK) {
		(void)close(fd);
		return rc;
	}
	r = sd_event_add_io(l->m->ev, &l->p->io, fd, EPOLLIN, on_io, l);
	if (r < 0) {
		errno = -r;
		return VT_E_SYS;
	}
	LIST_INSERT_HEAD(&l->m->guests->links, l, entry);
	(void)sd_event_source_set_priority(l->p->io, LOOP_PRIO_WORKER);
	wlink_tell_storage(l);
	return VT_OK;
}

static void
on_spawned(void *arg, int rc, uint32_t pid, const char *text)
{
	struct wlink *l = arg;
	mgr_done_cb cb = l->p->spawned;

	if (rc == VT_OK) {
		l->pid = pid;
		l->pidfd = worker_id_pidfd_any(pid);
		cgroup_take(l->m, l->uuid, pid);
	} else
		link_break(l, text);
	if (cb != NULL)
		cb(l->arg, rc, text);
}

int
wlink_spawn(struct mgr *m, const uint8_t uuid[UUID_LEN], uint32_t uid,
    const struct wlink_ops *ops, void *arg, mgr_done_cb spawned,
    struct wlink **ret)
{
	struct zspawn sp = { .uid = uid, .gid = uid, .log_level = LOG_L_INFO };
	struct wlink *l = link_new(m, uuid, uid, ops, arg);
	int sv[2] = { -1, -1 }, lfd = -1, rc = VT_E_SYS, saved;

	if (l == NULL)
		return VT_E_NOMEM;
	l->p->spawned = spawned;
	sp.flags = m->xen != NULL ? ZS_XEN : 0;
	memcpy(sp.uuid, uuid, UUID_LEN);
	if ((lfd = run_listen_worker(m, uuid)) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		goto out;
	rc = link_attach(l, sv[0]);
	if (rc == VT_OK)
		rc = zygote_link_spawn(m->zyg, &sp, sv[1], lfd, on_spawned, l);
	if (rc == VT_OK)
		*ret = l;
out:
	saved = errno;
	if (sv[1] != -1)
		(void)close(sv[1]);
	if (lfd != -1)
		(void)close(lfd);
	if (rc != VT_OK) {
		run_unlink_worker(m, uuid);
		link_discard(l);
	}
	errno = saved;
	return rc;
}

static bool
uid_fits(const struct wlink *l, uint32_t uid)
{
	uint32_t base = l->m->cfg.worker_uid_base;

	if (l->uid == WLINK_UID_ANY)
		return uid == geteuid() ||
		       (uid >= base && uid - base < WORKER_UID_RANGE);
	return uid == (l->uid != (uint32_t)-1 ? l->uid : geteuid());
}

/*
 * Which process listens at RUN/w/UUID?  Only the manager can bind there and
 * only the worker got the socket; it called listen(2) again under its own uid.
 */
static int
check_peer(struct wlink *l, int fd)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred cr;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cr, &len) == -1)
		return VT_E_SYS;
	if (!uid_fits(l, cr.uid)) {
		errno = EPERM;
		return VT_E_DENIED;
	}
	l->pid = (uint32_t)cr.pid;
	l->pidfd = worker_id_pidfd(l->pid);
	return VT_OK;
}

int
wlink_connect(struct mgr *m, const uint8_t uuid[UUID_LEN], uint32_t uid,
    const struct wlink_ops *ops, void *arg, struct wlink **ret)
{
	char path[PATH_MAX], text[UUID_STRLEN + 1];
	struct wlink *l;
	int fd, rc;

	uuid_format(uuid, text);
	rc = run_path(path, sizeof(path), "%s/w/%s", m->cfg.run, text);
	if (rc != VT_OK)
		return rc;
	if ((fd = unix_connect(path)) == -1)
		return VT_E_CLOSED;
	if ((l = link_new(m, uuid, uid, ops, arg)) == NULL) {
		(void)close(fd);
		return VT_E_NOMEM;
	}
	if ((rc = check_peer(l, fd)) != VT_OK) {
		(void)close(fd);
		link_discard(l);
		return rc;
	}
	if ((rc = link_attach(l, fd)) != VT_OK) {
		link_discard(l);
		return rc;
	}
	l->found = true;
	*ret = l;
	return VT_OK;
}

void
wlink_hand_over(struct wlink *l, const struct wlink_ops *ops, void *arg)
{
	l->ops = ops;
	l->arg = arg;
	l->p->spawned = NULL;
}

int
wlink_rename(struct wlink *l, const uint8_t uuid[UUID_LEN])
{
	char from[PATH_MAX], to[PATH_MAX], a[UUID_STRLEN + 1];
	char b[UUID_STRLEN + 1];
	int rc;

	uuid_format(l->uuid, a);
	uuid_format(uuid, b);
	rc = run_path(from, sizeof(from), "%s/w/%s", l->m->cfg.run, a);
	if (rc == VT_OK)
		rc = run_path(to, sizeof(to), "%s/w/%s", l->m->cfg.run, b);
	if (rc != VT_OK)
		return rc;
	if (rename(from, to) == -1)
		return VT_E_SYS;
	memcpy(l->uuid, uuid, UUID_LEN);
	if (l->pid != 0)
		cgroup_take(l->m, uuid, l->pid);
	return VT_OK;
}

void
wlink_close(struct wlink *l)
{
	if (l == NULL || l->p->dead)
		return;
	LIST_REMOVE(l, entry);
	if (l->m->zyg != NULL)
		zygote_link_forget(l->m->zyg, l);
	l->p->dead = true;
	l->ops = NULL;
	(void)sd_event_source_set_enabled(l->p->io, SD_EVENT_OFF);
	loop_timer_off(l->p->timer);
	/* The socket ends now, not when the stack has unwound. */
	if (l->p->ch != NULL)
		(void)shutdown(msgch_fd(l->p->ch), SHUT_RDWR);
	link_unref(l);
}

/* --- a worker that is no longer needed --- */

static void
ending_done(void *arg, int rc, const struct msg *msg)
{
	(void)arg;
	(void)rc;
	(void)msg;
}

static void
ending_store(void *arg, uint32_t id, const struct wstore *s)
{
	struct wlink *l = arg;

	/* Its last volatile state has no reader. */
	wlink_stored(l, id, VT_OK, s->version, s->generation);
}

static void
ending_closed(void *arg, const char *why)
{
	struct wlink *l = arg;

	(void)why;
	worker_id_kill(l->pidfd);
	wlink_close(l);
}

static const struct wlink_ops ending_ops = {
	.store = ending_store,
	.closed = ending_closed,
};

void
wlink_end(struct wlink *l, bool kill)
{
	if (l == NULL || l->p->dead)
		return;
	run_unlink_worker(l->m, l->uuid);
	if (kill || l->p->broken) {
		/* Not ours to kill, or not known yet: at least ask. */
		if (l->pidfd == -1 && !l->p->broken)
			(void)!msgch_send(
			    l->p->ch, W_STOP, 0, NULL, 0, NULL, 0);
		worker_id_kill(l->pidfd);
		wlink_close(l);
		return;
	}
	wlink_hand_over(l, &ending_ops, l);
	if (wlink_request(l, W_STOP, NULL, NULL, 0, STOP_MS, ending_done, l) !=
	    VT_OK) {
		worker_id_kill(l->pidfd);
		wlink_close(l);
	}
}

/* --- sending --- */

int
wlink_request(struct wlink *l, uint16_t type, const struct wr *w,
    const int *fds, unsigned int nfds, uint32_t timeout_ms, wlink_cb cb,
    void *arg)
{
	struct wreq *r;
	uint32_t id;
	int rc;

	if (w != NULL && wr_err(w) != VT_OK)
		return wr_err(w);
	if ((r = wreqs_place(&l->p->reqs, type)) == NULL)
		return VT_E_BUSY;
	id = wreqs_new_id(&l->p->reqs);
	rc = msgch_send(l->p->ch, type, id, w != NULL ? w->buf : NULL,
	    w != NULL ? w->len : 0, fds, nfds);
	if (rc == VT_E_CLOSED) {
		/* Reported by the loop, with all others. */
		link_break(l, "the worker died");
	} else if (rc != VT_OK)
		return rc;
	if (timeout_ms == 0)
		timeout_ms = l->m->cfg.request_timeout_ms;
	r->id = id;
	r->type = type;
	r->cb = cb;
	r->arg = arg;
	r->deadline_us = now_us() + (uint64_t)timeout_ms * 1000;
	if (!l->p->broken) {
		watch(l);
		arm_deadline(l);
	}
	return VT_OK;
}

static void
tell(struct wlink *l, uint16_t type, uint32_t id, const struct wr *w)
{
	if (wr_err(w) != VT_OK || l->p->broken)
		return;
	if (msgch_send(l->p->ch, type, id, w->buf, w->len, NULL, 0) != VT_OK)
		link_break(l, "the worker died");
	else if (msgch_backlog(l->p->ch) > WLINK_BACKLOG_MAX)
		link_break(l, "the worker does not read its messages");
	else
		watch(l);
}

void
wlink_stored(
    struct wlink *l, uint32_t id, int rc, uint64_t version, uint64_t generation)
{
	struct wstored s = {
		.rc = rc, .version = version, .generation = generation
	};
	uint8_t buf[64];
	struct wr w;

	if (l->p->stores > 0)
		l->p->stores--;
	if (rc != VT_OK)
		charge(l, 0);
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wstored, &s);
	tell(l, W_STORED, id, &w);
}

void
wlink_deeped(struct wlink *l, const struct wdeeped *d)
{
	uint8_t buf[WDEEP_ANSWER_MAX + TEXT_MAX_LEN + 64];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wdeeped, d);
	tell(l, W_DEEPED, 0, &w);
}

void
wlink_tell_storage(struct wlink *l)
{
	struct wmanager wm = { .storage_ok = commit_takes_writes(l->m),
		.soft_root = l->m->root_kind == ROOT_SOFT,
		.no_growth = tenants_no_growth(l->m, l->uuid),
		.build = MGR_BUILD };
	uint8_t buf[256];
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wmanager, &wm);
	tell(l, W_MANAGER, 0, &w);
}

int
wlink_done_rc(int rc, const struct msg *msg, char *text, size_t cap)
{
	struct wdone d;

	if (rc != VT_OK) {
		(void)snprintf(text, cap, "%s",
		    rc == VT_E_TIMEOUT ? "the worker does not answer"
				       : "the worker died");
		return rc;
	}
	if (msg->type != W_DONE ||
	    msg_get(wdone, msg->data, msg->len, &d) != VT_OK) {
		(void)snprintf(text, cap, "the worker sent a bad answer");
		return VT_E_PROTO;
	}
	(void)snprintf(text, cap, "%s",
	    d.rc != VT_OK && d.text[0] == '\0' ? vt_strerror(d.rc) : d.text);
	text_clean(text);
	return d.rc;
}
