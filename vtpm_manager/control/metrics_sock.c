/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * metrics_sock.c - a connection that asks for the metrics: read the request,
 * gather the numbers, write the answer, close.
 */
#include "vtpm_manager/control/metrics_sock.h"

#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/token_bucket.h"
#include "vtpm_manager/control/bus_roles.h"
#include "vtpm_manager/control/bus_status.h"
#include "vtpm_manager/control/http_request.h"
#include "vtpm_manager/control/limits.h"
#include "vtpm_manager/control/metrics.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/core/run_folder.h"
#include "vtpm_manager/guest/guest_stats.h"
#include "vtpm_manager/guest/guest_stats_json.h"

#define HEAD_MAX 256

struct mconn {
	LIST_ENTRY(mconn) link;
	struct metrics_sock *owner;
	uid_t uid;
	int fd;
	sd_event_source *io, *timer;
	char in[HTTP_REQUEST_MAX];
	size_t in_len;
	bool asked; /* the numbers are on their way */
	json_t *status;
	char *out; /* heap; NULL: no answer yet */
	size_t out_len, sent;
};

struct metrics_sock {
	struct mgr *m;
	struct bus_statusq *status;
	int listen_fd;
	sd_event_source *io;
	struct token_bucket budget;
	LIST_HEAD(, mconn) conns;
};

static void
mconn_free(struct mconn *c)
{
	LIST_REMOVE(c, link);
	bus_status_forget(c->owner->status, c);
	guest_stats_forget(c->owner->m, c);
	(void)sd_event_source_disable_unref(c->io);
	(void)sd_event_source_disable_unref(c->timer);
	(void)close(c->fd);
	json_decref(c->status);
	free(c->out);
	free(c);
}

/* --- the answer --- */

static void
write_more(struct mconn *c)
{
	ssize_t n;

	n = send(c->fd, c->out + c->sent, c->out_len - c->sent,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		n = 0;
	c->sent += n > 0 ? (size_t)n : 0;
	if (n == -1 || c->sent == c->out_len)
		mconn_free(c);
	else
		(void)sd_event_source_set_io_events(c->io, EPOLLOUT);
}

/* body is borrowed. */
static void
answer(struct mconn *c, enum http_verdict v, const char *body, size_t len)
{
	char head[HEAD_MAX];
	int n;

	n = snprintf(head, sizeof(head),
	    "HTTP/1.0 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "Connection: close\r\n\r\n",
	    (int)v, http_reason(v),
	    v == HTTP_OK ? METRICS_TYPE : "text/plain; charset=utf-8", len);
	c->out_len = (size_t)n + len;
	if ((c->out = malloc(c->out_len)) == NULL) {
		mconn_free(c);
		return;
	}
	memcpy(c->out, head, (size_t)n);
	memcpy(c->out + n, body, len);
	write_more(c);
}

static void
refuse(struct mconn *c, enum http_verdict v)
{
	char body[HEAD_MAX];

	(void)snprintf(
	    body, sizeof(body), "%s; there is /metrics\n", http_reason(v));
	answer(c, v, body, strlen(body));
}

static void
render(struct mconn *c, json_t *status)
{
	char *text = NULL;
	size_t len = 0;

	if (metrics_text(status, &text, &len) != VT_OK)
		mconn_free(c); /* out of memory */
	else
		answer(c, HTTP_OK, text, len);
	free(text);
}

static void
on_stats(void *arg, int rc)
{
	struct mconn *c = arg;
	json_t *stats = rc == VT_OK ? guest_stats_json(c->owner->m) : NULL;

	if (stats == NULL || json_object_update(c->status, stats) != 0)
		mconn_free(c);
	else
		render(c, c->status);
	json_decref(stats);
}

static void
on_status(void *arg, json_t *status)
{
	struct mconn *c = arg;
	struct mgr *m = c->owner->m;

	c->status = status;
	if (status == NULL)
		mconn_free(c);
	else if (m->start != START_READY)
		render(c, status);
	else if (guest_stats_gather(m, on_stats, c) != VT_OK)
		mconn_free(c);
}

/* --- the request --- */

static void
read_more(struct mconn *c)
{
	enum http_verdict v;
	ssize_t n;

	n = recv(
	    c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		mconn_free(c);
		return;
	}
	c->in_len += (size_t)n;
	if ((v = http_judge(c->in, c->in_len, "/metrics")) == HTTP_MORE)
		return;
	if (v != HTTP_OK) {
		refuse(c, v);
		return;
	}
	c->asked = true;
	(void)sd_event_source_set_io_events(c->io, 0);
	if (bus_status_ask(c->owner->status, on_status, c) != VT_OK)
		mconn_free(c);
}

static int
on_io(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct mconn *c = arg;

	(void)s;
	(void)fd;
	if (c->out != NULL)
		write_more(c);
	else if (c->asked || (revents & EPOLLIN) == 0)
		mconn_free(c); /* EPOLLHUP: the reader is gone */
	else
		read_more(c);
	return 0;
}

static int
on_late(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	mconn_free(arg);
	return 0;
}

/* --- connections --- */

static const char *
no_place(struct metrics_sock *s, const struct bus_who *who)
{
	bool limited = who->uid != 0 && who->uid != geteuid();
	const struct mconn *c;
	unsigned int all = 0, own = 0;

	if (who->role < ROLE_READER && !who->metrics)
		return "the user is no reader and not in metrics_group";
	LIST_FOREACH(c, &s->conns, link) {
		all++;
		own += c->uid == who->uid;
	}
	if (all >= METRICS_CONNS_MAX)
		return "too many connections are open";
	if (limited && own >= METRICS_CONNS_USER)
		return "the user has too many open connections";
	if (limited && !token_bucket_take(&s->budget, 1, now_us()))
		return "too many requests";
	return NULL;
}

static int
mconn_start(struct metrics_sock *s, int fd, uid_t uid)
{
	struct mconn *c = calloc(1, sizeof(*c));
	int r;

	if (c == NULL) {
		(void)close(fd);
		return VT_E_NOMEM;
	}
	c->owner = s;
	c->fd = fd;
	c->uid = uid;
	LIST_INSERT_HEAD(&s->conns, c, link);
	r = sd_event_add_io(s->m->ev, &c->io, fd, EPOLLIN, on_io, c);
	if (r >= 0)
		r = sd_event_source_set_priority(c->io, LOOP_PRIO_BUS);
	if (r >= 0 && loop_timer(s->m, &c->timer, METRICS_TIME_MS,
			  LOOP_PRIO_BUS, on_late, c) == VT_OK)
		return VT_OK;
	mconn_free(c);
	return VT_E_SYS;
}

static int
on_accept(sd_event_source *src, int lfd, uint32_t revents, void *arg)
{
	struct metrics_sock *s = arg;
	struct bus_who who;
	const char *why;
	int fd;

	(void)src;
	(void)revents;
	fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1)
		return 0;
	if (bus_who_of_socket(&s->m->cfg, fd, &who) != VT_OK) {
		(void)close(fd);
		return 0;
	}
	if ((why = no_place(s, &who)) != NULL) {
		s->m->n.conns_refused++;
		log_debug("metrics refused: %s: %s", who.text, why);
		(void)close(fd);
	} else if (mconn_start(s, fd, who.uid) != VT_OK)
		log_warn("metrics: a connection cannot be served");
	return 0;
}

static int
listen_metrics(struct metrics_sock *s, const char *path)
{
	const struct config *c = &s->m->cfg;
	int rc, r;

	if ((s->listen_fd = unix_listen(path, 0660)) == -1)
		return VT_E_SYS;
	rc = run_set_group(path,
	    c->metrics_group[0] != '\0' ? c->metrics_group : c->control_group);
	if (rc != VT_OK)
		return rc;
	r = sd_event_add_io(
	    s->m->ev, &s->io, s->listen_fd, EPOLLIN, on_accept, s);
	if (r >= 0)
		r = sd_event_source_set_priority(s->io, LOOP_PRIO_BUS);
	if (r < 0) {
		errno = -r;
		return VT_E_SYS;
	}
	return VT_OK;
}

int
metrics_sock_new(
    struct mgr *m, struct bus_statusq *status, struct metrics_sock **ret)
{
	struct metrics_sock *s;
	char path[PATH_MAX];
	int rc;

	if ((rc = run_path(
		 path, sizeof(path), "%s/metrics.sock", m->cfg.run)) != VT_OK)
		return rc;
	if (!m->cfg.metrics) {
		(void)unlink(path); /* of a former manager */
		*ret = NULL;
		return VT_OK;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return VT_E_NOMEM;
	s->m = m;
	s->status = status;
	s->listen_fd = -1;
	token_bucket_init(
	    &s->budget, METRICS_BURST, 1, METRICS_EVERY_US, now_us());
	LIST_INIT(&s->conns);
	if ((rc = listen_metrics(s, path)) != VT_OK) {
		metrics_sock_free(s);
		return rc;
	}
	*ret = s;
	return VT_OK;
}

void
metrics_sock_free(struct metrics_sock *s)
{
	int saved = errno;

	if (s == NULL)
		return;
	while (!LIST_EMPTY(&s->conns))
		mconn_free(LIST_FIRST(&s->conns));
	(void)sd_event_source_disable_unref(s->io);
	if (s->listen_fd != -1)
		(void)close(s->listen_fd);
	free(s);
	errno = saved;
}
