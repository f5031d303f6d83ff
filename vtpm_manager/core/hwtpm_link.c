/* SPDX-License-Identifier: BSD-3-Clause */
/* hwtpm_link.c - requests to vtpm-hwtpm, and its restarts. */
#include "vtpm_manager/core/hwtpm_link.h"

#include <sys/epoll.h>
#include <sys/queue.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "vtpm_manager/core/child.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/core/run_folder.h"

#define HW_WAIT_MIN_MS 100
#define HW_WAIT_MAX_MS 10000
#define HW_TRIES 8 /* in a row without one good answer */
#define HW_PAYLOAD_MAX 65536

/* clang-format off */
static const char *const kind_names[] = {
	[HW_INIT] = "init", [HW_LOAD] = "load", [HW_CERTS] = "certificates",
	[HW_RANDOM] = "random", [HW_STATUS] = "status", [HW_PCRS] = "pcrs",
	[HW_COUNTER] = "counter", [HW_BIND] = "bind",
	[HW_IDENTITY] = "identity", [HW_ACTIVATE] = "activate",
	[HW_AK] = "group-key", [HW_QUOTE] = "quote", [HW_QUOTA] = "quota",
	[HW_USAGE] = "usage", [HW_APPROVALS] = "approvals",
};
/* clang-format on */

struct hreq {
	TAILQ_ENTRY(hreq) entry;
	uint32_t id;
	uint16_t type;
	bool sent;
	uint64_t sent_us;
	hw_cb cb; /* NULL: forgotten */
	void *arg;
	struct wr w; /* encoded; kept to be sent again */
};

struct hwlink {
	struct mgr *m;
	char tcti[300];
	struct child child;
	struct msgch *ch;
	sd_event_source *io, *timer;
	bool loaded; /* this process knows the host blob, or needs none */
	uint32_t load_id;
	struct backoff backoff;
	uint64_t restarts;
	uint64_t silent_us; /* since then, if something was sent */
	uint32_t next_id;
	TAILQ_HEAD(, hreq) reqs;
	struct wr host;  /* encoded struct hw_load; len 0: none yet */
	struct wr quota; /* encoded struct hw_quota; likewise */
	struct hwlink_kind kinds[VT_NELEM(kind_names)]; /* name is unused */
};

static int hw_launch(struct hwlink *h);

static void
req_free(struct hreq *r)
{
	wr_free(&r->w);
	free(r);
}

static void
req_done(struct hwlink *h, struct hreq *r, const struct hw_answer *a)
{
	struct hwlink_kind *k = &h->kinds[r->type];

	TAILQ_REMOVE(&h->reqs, r, entry);
	k->requests++;
	k->failures += a->rc != VT_OK;
	if (r->sent)
		k->us += now_us() - r->sent_us;
	if (r->cb != NULL)
		r->cb(r->arg, a);
	req_free(r);
}

/* All requests end with the same failure. */
static void
fail_all(struct hwlink *h, int rc, const char *text)
{
	struct hw_answer a = { .rc = rc };

	(void)snprintf(a.text, sizeof(a.text), "%s", text);
	while (!TAILQ_EMPTY(&h->reqs))
		req_done(h, TAILQ_FIRST(&h->reqs), &a);
}

static void
watch(struct hwlink *h)
{
	uint32_t want = EPOLLIN;

	if (msgch_pending(h->ch))
		want |= EPOLLOUT;
	(void)sd_event_source_set_io_events(h->io, want);
}

static bool
has_work(const struct hwlink *h)
{
	const struct hreq *r;

	TAILQ_FOREACH(r, &h->reqs, entry)
		if (r->sent)
			return true;
	return h->load_id != 0;
}

/* Its answer is ignored. */
static void
send_quota(struct hwlink *h)
{
	if (h->ch == NULL || !h->loaded || h->quota.len == 0)
		return;
	if (msgch_send(h->ch, HW_QUOTA, ++h->next_id, h->quota.buf,
		h->quota.len, NULL, 0) != VT_OK)
		log_warn("vtpm-hwtpm is gone already");
}

static void
send_waiting(struct hwlink *h)
{
	struct hreq *r;

	if (h->ch == NULL || !h->loaded)
		return;
	TAILQ_FOREACH(r, &h->reqs, entry) {
		if (r->sent)
			continue;
		if (!has_work(h))
			h->silent_us = now_us();
		if (msgch_send(h->ch, r->type, r->id, r->w.buf, r->w.len, NULL,
			0) != VT_OK)
			break; /* the exit handler sorts it out */
		r->sent = true;
		r->sent_us = now_us();
	}
	watch(h);
}

/* The answer to the HW_LOAD that a new process is sent first. */
static void
on_loaded(struct hwlink *h, const struct hw_answer *a)
{
	char text[TEXT_MAX_LEN + 1];
	struct hw_loaded l;

	if (a->rc != VT_OK) {
		(void)snprintf(text, sizeof(text),
		    "the host's TPM could not reload its keys: %.200s",
		    a->text);
		log_err("%s", text);
		fail_all(h, a->rc, text);
		if (h->child.pid > 0)
			(void)kill(h->child.pid, SIGKILL);
		return;
	}
	if (msg_get(hw_loaded, a->body, a->body_len, &l) != VT_OK ||
	    !mem_equal(l.master, h->m->master, sizeof(l.master))) {
		loop_fatal(h->m, "the host's TPM gave a different master key "
				 "than before; nothing is changed: find out "
				 "which TPM --root names");
		return;
	}
	explicit_bzero(&l, sizeof(l));
	h->loaded = true;
	backoff_reset(&h->backoff);
	log_info("vtpm-hwtpm runs again");
	send_quota(h);
	send_waiting(h);
}

static void
on_message(struct hwlink *h, const struct msg *msg)
{
	struct hw_answer a;
	struct hreq *r;

	h->silent_us = now_us();
	if (msg->type != HW_ANSWER ||
	    msg_get(hw_answer, msg->data, msg->len, &a) != VT_OK) {
		log_warn("vtpm-hwtpm sent a message of type %u that is not "
			 "an answer",
		    msg->type);
		return;
	}
	if (h->load_id != 0 && msg->id == h->load_id) {
		h->load_id = 0;
		on_loaded(h, &a);
		return;
	}
	TAILQ_FOREACH(r, &h->reqs, entry)
		if (r->sent && r->id == msg->id)
			break;
	if (r == NULL)
		return;
	if (a.rc == VT_OK)
		backoff_reset(&h->backoff);
	req_done(h, r, &a);
}

static int
on_io(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct hwlink *h = arg;
	struct msg msg;
	int rc;

	(void)s;
	(void)fd;
	(void)revents;
	if (msgch_flush(h->ch) != VT_OK)
		goto gone;
	while ((rc = msgch_recv(h->ch, &msg)) == VT_OK) {
		on_message(h, &msg);
		msg_close_fds(&msg);
		if (h->ch == NULL)
			return 0;
	}
	if (rc == VT_E_AGAIN) {
		watch(h);
		return 0;
	}
gone:
	(void)sd_event_source_set_enabled(h->io, SD_EVENT_OFF);
	if (h->child.pid > 0)
		(void)kill(h->child.pid, SIGKILL);
	return 0;
}

static int
on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct hwlink *h = arg;
	int rc;

	(void)s;
	(void)usec;
	if ((rc = hw_launch(h)) != VT_OK) {
		log_err("cannot start vtpm-hwtpm: %s", vt_strerror(rc));
		fail_all(h, VT_E_CLOSED, "vtpm-hwtpm does not start");
	}
	return 0;
}

static void
on_exit_(void *arg, const char *how)
{
	struct hwlink *h = arg;
	unsigned int wait_ms;
	struct hreq *r;

	h->io = sd_event_source_disable_unref(h->io);
	msgch_free(h->ch);
	h->ch = NULL;
	h->loaded = false;
	h->load_id = 0;
	h->restarts++;
	TAILQ_FOREACH(r, &h->reqs, entry)
		r->sent = false;
	log_warn("vtpm-hwtpm died (%s), restarting it", how);
	wait_ms = backoff_failed(&h->backoff);
	if (h->backoff.tries % HW_TRIES == 0)
		fail_all(h, VT_E_CLOSED,
		    "vtpm-hwtpm, which talks to the host's TPM, keeps dying; "
		    "its messages in the manager's log say why");
	if (loop_timer(h->m, &h->timer, wait_ms, LOOP_PRIO_CHILD, on_timer,
		h) != VT_OK)
		loop_fatal(h->m, "cannot set a timer");
}

uint32_t
hwlink_uid(const struct mgr *m)
{
	return m->separated ? m->cfg.worker_uid_base + WORKER_UID_HWTPM
			    : geteuid();
}

static int
hw_launch(struct hwlink *h)
{
	char path[PATH_MAX], uid[16], name[] = "vtpm-hwtpm", opt[] = "--tcti",
				      opt_uid[] = "--uid";
	char *argv[] = { name, opt, h->tcti, opt_uid, uid, NULL };
	int fd, rc, r;

	(void)snprintf(uid, sizeof(uid), "%u", hwlink_uid(h->m));
	if (!h->m->separated)
		argv[3] = NULL;

	rc = child_path(
	    path, sizeof(path), h->m->cfg.hwtpm, "VTPM_HWTPM", "vtpm-hwtpm");
	if (rc != VT_OK)
		return rc;
	if ((rc = child_start(h->m, &h->child, path, argv, &fd)) != VT_OK)
		return rc;
	if ((rc = msgch_new(fd, HW_PAYLOAD_MAX, &h->ch)) != VT_OK) {
		(void)close(fd);
		return rc;
	}
	r = sd_event_add_io(h->m->ev, &h->io, fd, EPOLLIN, on_io, h);
	if (r < 0) {
		errno = -r;
		return VT_E_SYS;
	}
	if (h->host.len == 0) {
		h->loaded = true;
		send_waiting(h);
		return VT_OK;
	}
	h->load_id = ++h->next_id;
	h->silent_us = now_us();
	if (msgch_send(h->ch, HW_LOAD, h->load_id, h->host.buf, h->host.len,
		NULL, 0) != VT_OK)
		log_warn("vtpm-hwtpm is gone already");
	watch(h);
	return VT_OK;
}

int
hwlink_new(struct mgr *m, const char *tcti, struct hwlink **ret)
{
	struct hwlink *h = calloc(1, sizeof(*h));
	int rc;

	if (h == NULL)
		return VT_E_NOMEM;
	h->m = m;
	TAILQ_INIT(&h->reqs);
	backoff_init(&h->backoff, HW_WAIT_MIN_MS, HW_WAIT_MAX_MS);
	h->child.exited = on_exit_;
	h->child.arg = h;
	wr_grow(&h->host, HW_PAYLOAD_MAX);
	wr_grow(&h->quota, HW_PAYLOAD_MAX);
	if ((rc = run_path(h->tcti, sizeof(h->tcti), "%s", tcti)) != VT_OK ||
	    (rc = hw_launch(h)) != VT_OK) {
		hwlink_free(h);
		return rc;
	}
	*ret = h;
	return VT_OK;
}

void
hwlink_free(struct hwlink *h)
{
	struct hreq *r;

	if (h == NULL)
		return;
	while ((r = TAILQ_FIRST(&h->reqs)) != NULL) {
		TAILQ_REMOVE(&h->reqs, r, entry);
		req_free(r);
	}
	(void)sd_event_source_disable_unref(h->io);
	(void)sd_event_source_disable_unref(h->timer);
	child_forget(&h->child);
	msgch_free(h->ch);
	wr_free(&h->host);
	wr_free(&h->quota);
	free(h);
}

int
hwlink_request(
    struct hwlink *h, uint16_t type, const struct wr *w, hw_cb cb, void *arg)
{
	struct hreq *r;

	if (w != NULL && wr_err(w) != VT_OK)
		return wr_err(w);
	if (type >= VT_NELEM(kind_names))
		return VT_E_RANGE;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return VT_E_NOMEM;
	r->id = ++h->next_id;
	r->type = type;
	r->cb = cb;
	r->arg = arg;
	wr_grow(&r->w, HW_PAYLOAD_MAX);
	if (w != NULL)
		wr_bytes(&r->w, w->buf, w->len);
	if (wr_err(&r->w) != VT_OK) {
		req_free(r);
		return VT_E_NOMEM;
	}
	TAILQ_INSERT_TAIL(&h->reqs, r, entry);
	send_waiting(h);
	return VT_OK;
}

void
hwlink_forget(struct hwlink *h, void *arg)
{
	struct hreq *r;

	TAILQ_FOREACH(r, &h->reqs, entry)
		if (r->arg == arg)
			r->cb = NULL;
}

int
hwlink_set_host(struct hwlink *h, const struct hw_load *l)
{
	wr_free(&h->host);
	wr_grow(&h->host, HW_PAYLOAD_MAX);
	msg_put(&h->host, hw_load, l);
	return wr_err(&h->host);
}

int
hwlink_set_quota(struct hwlink *h, const struct wr *w)
{
	wr_free(&h->quota);
	wr_grow(&h->quota, HW_PAYLOAD_MAX);
	wr_bytes(&h->quota, w->buf, w->len);
	if (wr_err(&h->quota) != VT_OK)
		return wr_err(&h->quota);
	send_quota(h);
	if (h->ch != NULL)
		watch(h);
	return VT_OK;
}

void
hwlink_restart(struct hwlink *h)
{
	if (h != NULL && h->child.pid > 0)
		(void)kill(h->child.pid, SIGKILL);
}

uint64_t
hwlink_busy_since(const struct hwlink *h)
{
	return h != NULL && has_work(h) ? h->silent_us : 0;
}

uint32_t
hwlink_pid(const struct hwlink *h)
{
	return h != NULL ? (uint32_t)h->child.pid : 0;
}

uint64_t
hwlink_restarts(const struct hwlink *h)
{
	return h != NULL ? h->restarts : 0;
}

const char *
hwlink_tcti(const struct hwlink *h)
{
	return h != NULL ? h->tcti : "";
}

bool
hwlink_kind(const struct hwlink *h, size_t i, struct hwlink_kind *ret)
{
	if (h == NULL || i + 1 >= VT_NELEM(kind_names))
		return false;
	*ret = h->kinds[i + 1]; /* enum hw_type begins with 1 */
	ret->name = kind_names[i + 1];
	return true;
}
