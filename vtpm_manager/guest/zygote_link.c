/* SPDX-License-Identifier: BSD-3-Clause */
/* zygote_link.c - asks the zygote for workers, and restarts it. */
#include "vtpm_manager/guest/zygote_link.h"

#include <sys/epoll.h>
#include <sys/queue.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/msg.h"
#include "vtpm_manager/core/cgroup.h"
#include "vtpm_manager/core/child.h"
#include "vtpm_manager/core/loop.h"

#define ZYGOTE_LINK_WAIT_MIN_MS 50
#define ZYGOTE_LINK_WAIT_MAX_MS 5000
#define ZYGOTE_LINK_TRIES_AT_START 5
#define ZYGOTE_LINK_MSG_MAX 4096

struct zreq {
	TAILQ_ENTRY(zreq) entry;
	uint32_t id;
	bool sent;
	struct zspawn sp;
	int fds[2];        /* ours until sent */
	zygote_link_cb cb; /* NULL: forgotten */
	void *arg;
};

struct zygote_link {
	struct mgr *m;
	struct child child;
	struct msgch *ch;
	sd_event_source *io, *timer;
	bool up, was_up;
	struct backoff backoff;
	uint64_t restarts;
	uint32_t next_id;
	TAILQ_HEAD(, zreq) reqs;
	mgr_done_cb ready;
	void *ready_arg;
};

static int zygote_link_launch(struct zygote_link *z);

static void
req_free(struct zreq *r)
{
	if (r->fds[0] != -1)
		(void)close(r->fds[0]);
	if (r->fds[1] != -1)
		(void)close(r->fds[1]);
	free(r);
}

static void
req_done(struct zygote_link *z, struct zreq *r, int rc, uint32_t pid,
    const char *text)
{
	TAILQ_REMOVE(&z->reqs, r, entry);
	if (r->cb != NULL)
		r->cb(r->arg, rc, pid, text);
	req_free(r);
}

static void
watch(struct zygote_link *z)
{
	uint32_t want = EPOLLIN;

	if (msgch_pending(z->ch))
		want |= EPOLLOUT;
	(void)sd_event_source_set_io_events(z->io, want);
}

static void
send_waiting(struct zygote_link *z)
{
	uint8_t buf[64];
	struct zreq *r;
	struct wr w;

	if (!z->up)
		return;
	TAILQ_FOREACH(r, &z->reqs, entry) {
		if (r->sent)
			continue;
		wr_init(&w, buf, sizeof(buf));
		msg_put(&w, zspawn, &r->sp);
		if (wr_err(&w) != VT_OK ||
		    msgch_send(z->ch, Z_SPAWN, r->id, w.buf, w.len, r->fds,
			2) != VT_OK)
			break; /* the exit handler sorts it out */
		r->sent = true;
		(void)close(r->fds[0]);
		(void)close(r->fds[1]);
		r->fds[0] = r->fds[1] = -1;
	}
	watch(z);
}

static void
on_message(struct zygote_link *z, const struct msg *msg)
{
	struct zspawned sd;
	struct zexited ze;
	struct zreq *r;

	switch (msg->type) {
	case Z_READY:
		z->up = true;
		backoff_reset(&z->backoff);
		if (!z->was_up) {
			z->was_up = true;
			z->ready(z->ready_arg, VT_OK, "");
		}
		send_waiting(z);
		return;
	case Z_SPAWNED:
		TAILQ_FOREACH(r, &z->reqs, entry)
			if (r->sent && r->id == msg->id)
				break;
		if (r == NULL ||
		    msg_get(zspawned, msg->data, msg->len, &sd) != VT_OK)
			return;
		if (sd.pid == 0)
			req_done(z, r, VT_E_SYS, 0, sd.text);
		else
			req_done(z, r, VT_OK, sd.pid, "");
		return;
	case Z_EXITED:
		/* The worker's control socket tells its link; this is only
		 * to know how it ended. */
		if (msg_get(zexited, msg->data, msg->len, &ze) == VT_OK)
			log_debug("worker %u ended, wait status 0x%x", ze.pid,
			    ze.status);
		cgroup_sweep(z->m);
		return;
	default:
		log_warn("the zygote sent a message of type %u", msg->type);
	}
}

static int
on_io(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct zygote_link *z = arg;
	struct msg msg;
	int rc;

	(void)s;
	(void)fd;
	(void)revents;
	if (msgch_flush(z->ch) != VT_OK)
		goto gone;
	while ((rc = msgch_recv(z->ch, &msg)) == VT_OK) {
		on_message(z, &msg);
		msg_close_fds(&msg);
		if (z->ch == NULL)
			return 0;
	}
	if (rc == VT_E_AGAIN) {
		watch(z);
		return 0;
	}
gone:
	/* The exit handler does the rest; make sure that it comes. */
	z->up = false;
	(void)sd_event_source_set_enabled(z->io, SD_EVENT_OFF);
	if (z->child.pid > 0)
		(void)kill(z->child.pid, SIGKILL);
	return 0;
}

static int
on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct zygote_link *z = arg;
	int rc;

	(void)s;
	(void)usec;
	if ((rc = zygote_link_launch(z)) != VT_OK)
		loop_fatal(
		    z->m, "cannot start vtpm-zygote: %s", vt_strerror(rc));
	return 0;
}

static void
on_exit_(void *arg, const char *how)
{
	struct zygote_link *z = arg;
	struct zreq *r, *next;
	unsigned int wait_ms;
	struct msg msg;

	/* What it still said counts: workers that it had forked live. */
	while (z->ch != NULL && msgch_recv(z->ch, &msg) == VT_OK) {
		on_message(z, &msg);
		msg_close_fds(&msg);
	}
	z->up = false;
	z->io = sd_event_source_disable_unref(z->io);
	msgch_free(z->ch);
	z->ch = NULL;
	z->restarts++;
	wait_ms = backoff_failed(&z->backoff);
	if (!z->was_up && z->backoff.tries >= ZYGOTE_LINK_TRIES_AT_START) {
		loop_fatal(z->m, "vtpm-zygote does not start (%s)", how);
		return;
	}
	log_warn("the zygote died (%s), restarting it; running vTPMs are not "
		 "affected",
	    how);
	for (r = TAILQ_FIRST(&z->reqs); r != NULL; r = next) {
		next = TAILQ_NEXT(r, entry);
		if (r->sent)
			req_done(z, r, VT_E_CLOSED, 0,
			    "the zygote died during the request");
	}
	if (loop_timer(z->m, &z->timer, wait_ms, LOOP_PRIO_CHILD, on_timer,
		z) != VT_OK)
		loop_fatal(z->m, "cannot set a timer");
}

static int
zygote_link_launch(struct zygote_link *z)
{
	char path[PATH_MAX], cgroup[PATH_MAX], name[] = "vtpm-zygote";
	char *argv[] = { name, NULL };
	int fd, rc, r;

	rc = child_path(
	    path, sizeof(path), z->m->cfg.zygote, "VTPM_ZYGOTE", "vtpm-zygote");
	if (rc != VT_OK)
		return rc;
	cgroup_make(z->m, CGROUP_ZYGOTE, cgroup);
	z->child.cgroup = cgroup; /* read before child_start() returns */
	if ((rc = child_start(z->m, &z->child, path, argv, &fd)) != VT_OK)
		return rc;
	if ((rc = msgch_new(fd, ZYGOTE_LINK_MSG_MAX, &z->ch)) != VT_OK) {
		(void)close(fd);
		return rc;
	}
	r = sd_event_add_io(z->m->ev, &z->io, fd, EPOLLIN, on_io, z);
	if (r < 0) {
		errno = -r;
		return VT_E_SYS;
	}
	return VT_OK;
}

int
zygote_link_new(
    struct mgr *m, mgr_done_cb ready, void *arg, struct zygote_link **ret)
{
	struct zygote_link *z = calloc(1, sizeof(*z));
	int rc;

	if (z == NULL)
		return VT_E_NOMEM;
	z->m = m;
	TAILQ_INIT(&z->reqs);
	z->ready = ready;
	z->ready_arg = arg;
	backoff_init(
	    &z->backoff, ZYGOTE_LINK_WAIT_MIN_MS, ZYGOTE_LINK_WAIT_MAX_MS);
	z->child.exited = on_exit_;
	z->child.arg = z;
	if ((rc = zygote_link_launch(z)) != VT_OK) {
		zygote_link_free(z);
		return rc;
	}
	*ret = z;
	return VT_OK;
}

void
zygote_link_free(struct zygote_link *z)
{
	struct zreq *r;

	if (z == NULL)
		return;
	while ((r = TAILQ_FIRST(&z->reqs)) != NULL) {
		TAILQ_REMOVE(&z->reqs, r, entry);
		req_free(r);
	}
	(void)sd_event_source_disable_unref(z->io);
	(void)sd_event_source_disable_unref(z->timer);
	child_forget(&z->child);
	msgch_free(z->ch);
	free(z);
}

int
zygote_link_spawn(struct zygote_link *z, const struct zspawn *sp, int control,
    int listen_fd, zygote_link_cb cb, void *arg)
{
	struct zreq *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return VT_E_NOMEM;
	r->sp = *sp;
	r->cb = cb;
	r->arg = arg;
	r->id = ++z->next_id;
	r->fds[0] = fcntl(control, F_DUPFD_CLOEXEC, 3);
	r->fds[1] = fcntl(listen_fd, F_DUPFD_CLOEXEC, 3);
	if (r->fds[0] == -1 || r->fds[1] == -1) {
		req_free(r);
		return VT_E_SYS;
	}
	TAILQ_INSERT_TAIL(&z->reqs, r, entry);
	send_waiting(z);
	return VT_OK;
}

void
zygote_link_forget(struct zygote_link *z, void *arg)
{
	struct zreq *r;

	TAILQ_FOREACH(r, &z->reqs, entry)
		if (r->arg == arg)
			r->cb = NULL;
}

uint32_t
zygote_link_pid(const struct zygote_link *z)
{
	return z != NULL ? (uint32_t)z->child.pid : 0;
}

uint64_t
zygote_link_restarts(const struct zygote_link *z)
{
	return z != NULL ? z->restarts : 0;
}
