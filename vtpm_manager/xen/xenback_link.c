/* SPDX-License-Identifier: BSD-3-Clause */
/* xenback_link.c - Xen devices appear, connect and disappear; keeps
 * vtpm-xenback running. */
#include "vtpm_manager/xen/xenback_link.h"

#include <sys/epoll.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/core/child.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_load.h"
#include "vtpm_manager/guest/guest_op.h"
#include "vtpm_manager/guest/guest_store.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/xen/xen_move.h"
#include "vtpm_manager/xen/xen_page.h"
#include "vtpm_manager/xen/xenback_link_impl.h"

#define RESTART_MS 500

static int launch(struct xenback_link *x);
static void on_disconnect(
    struct xenback_link *x, const struct xb_dev *d, bool gone);

bool
xenback_here(void)
{
	size_t len = 0;
	uint8_t *text = NULL;
	bool here;

	if (read_file("/sys/hypervisor/type", 64, &text, &len) != VT_OK)
		return false;
	here = len >= 3 && memcmp(text, "xen", 3) == 0;
	free(text);
	return here;
}

struct held *
xenback_held_of(const struct xenback_link *x, const uint8_t uuid[UUID_LEN])
{
	struct held *h;

	SLIST_FOREACH(h, &x->held, link)
		if (memcmp(h->dev.uuid, uuid, UUID_LEN) == 0)
			break;
	return h;
}

static bool
is_connected(struct mgr *m, const uint8_t uuid[UUID_LEN])
{
	const struct held *h =
	    m->xen != NULL ? xenback_held_of(m->xen, uuid) : NULL;

	return h != NULL && h->there && h->connected;
}

/* --- answers -------------------------------------------------------------- */

void
xenback_watch(struct xenback_link *x)
{
	(void)sd_event_source_set_io_events(
	    x->io, msgch_pending(x->ch) ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void
xenback_answer(
    struct xenback_link *x, uint32_t id, int rc, bool wait, const char *text)
{
	struct xb_answer a = { .rc = rc, .wait = wait };
	uint8_t buf[TEXT_MAX_LEN + 16];
	struct wr w;

	if (x->ch == NULL)
		return;
	(void)snprintf(a.text, sizeof(a.text), "%s", text);
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, xb_answer, &a);
	/* If it is gone, on_io() sees that next. */
	if (wr_err(&w) == VT_OK &&
	    msgch_send(x->ch, XB_ANSWER, id, buf, w.len, NULL, 0) == VT_OK)
		xenback_watch(x);
}

struct ask *
xenback_ask_new(struct xenback_link *x, uint32_t id, const struct xb_dev *d)
{
	struct ask *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->x = x;
	q->id = id;
	q->dev = *d;
	LIST_INSERT_HEAD(&x->asks, q, link);
	return q;
}

void
xenback_ask_done(struct ask *q, int rc, const char *text)
{
	if (q->x != NULL) {
		LIST_REMOVE(q, link);
		if (q->id != 0)
			xenback_answer(q->x, q->id, rc, false, text);
	}
	free(q);
}

/* --- a device appears ------------------------------------------------------
 */

static bool
has_launch(const struct xenback_link *x, const uint8_t uuid[UUID_LEN])
{
	uint8_t *p = NULL;
	size_t len;
	bool has =
	    store_extra_get(x->m->st, uuid, SX_LAUNCH, &p, &len) == VT_OK;

	free(p);
	return has;
}

struct held *
xenback_held_new(struct xenback_link *x, const uint8_t uuid[UUID_LEN])
{
	struct held *h = xenback_held_of(x, uuid);

	if (h != NULL)
		return h;
	if (x->nheld >= XENBACK_DEVICES_MAX ||
	    (h = calloc(1, sizeof(*h))) == NULL)
		return NULL;
	memcpy(h->dev.uuid, uuid, UUID_LEN);
	h->dev.domid = h->cand.domid = NO_DOMAIN;
	SLIST_INSERT_HEAD(&x->held, h, link);
	x->nheld++;
	return h;
}

struct held *
xenback_hold(struct xenback_link *x, const struct xb_dev *d)
{
	struct held *h = xenback_held_new(x, d->uuid);
	bool same = h != NULL && h->dev.domid == d->domid;

	if (h == NULL)
		return NULL;
	h->dev = *d;
	h->there = true;
	h->stale = false;
	if (!same) {
		h->ran = d->resumed;
		h->launched = d->resumed && has_launch(x, d->uuid);
	}
	return h;
}

static void
on_powered(void *arg, int rc, const char *text)
{
	struct ask *q = arg;
	struct xenback_link *x = q->x;
	struct xb_dev d = q->dev;
	struct held *h = x != NULL ? xenback_held_of(x, d.uuid) : NULL;

	if (rc != VT_OK)
		log_err("domain %u has no TPM: %s", d.domid, text);
	if (h != NULL && h->power == q) {
		h->power = NULL;
		if (rc != VT_OK)
			h->there = false;
	}
	xenback_ask_done(q, rc, text);
	if (x != NULL)
		xen_move_release(x, &d, rc, text);
}

/* Its domain waits for what has begun; libxl does not. */
static void
power_begun(struct xenback_link *x, struct held *h, const struct ask *q)
{
	if (h->power != q)
		return; /* it has ended already */
	if (q->id != 0)
		xenback_answer(x, q->id, VT_OK, false, "");
	h->power->id = 0;
}

int
xenback_power(
    struct xenback_link *x, const struct guest *in, struct ask *q, char *text)
{
	struct held *h = xenback_held_new(x, in->uuid), old;
	struct guest_run *g = guest_live(x->m, in->uuid);
	struct xb_dev d = q->dev;
	int rc;

	if (h == NULL)
		return VT_E_NOMEM;
	old = *h;
	if ((h = xenback_hold(x, &d)) == NULL)
		return VT_E_NOMEM;
	h->power = q;
	if (g == NULL || old.power != NULL) { /* starting is a power cycle */
		audit_log(x->m, "manager", "start", in->name, "ok",
		    "for domain %u", d.domid);
		guest_forget_launch(x->m, in);
		rc = guest_start(x->m, in, on_powered, q, text);
	} else if (d.resumed || old.dev.domid == d.domid) {
		on_powered(q, VT_OK, "");
		return VT_OK;
	} else {
		audit_log(x->m, "manager", "power-cycle", in->name, "ok",
		    "new domain %u", d.domid);
		rc = guest_new_run(x->m, in, on_powered, q, text);
	}
	if (rc == VT_OK)
		power_begun(x, h, q);
	else
		*h = old;
	return rc;
}

static void
on_device(struct xenback_link *x, uint32_t id, const struct xb_dev *d)
{
	char uuid[UUID_STRLEN + 1], text[MGR_TEXT_MAX] = "";
	struct held *h = xenback_held_of(x, d->uuid);
	struct guest in;
	struct ask *q;
	int rc;

	uuid_format(d->uuid, uuid);
	rc = store_guest_get(x->m->st, d->uuid, &in);
	if (rc == VT_E_NOTFOUND) {
		(void)snprintf(text, sizeof(text),
		    "no vTPM has UUID %s; create it first: vtpmctl create NAME "
		    "--uuid %s",
		    uuid, uuid);
	} else if (rc == VT_OK && h != NULL &&
		   xen_move_new_domain(x, h, id, d)) {
		return;
	} else if (rc == VT_OK && h != NULL && h->there &&
		   (h->dev.domid != d->domid || h->dev.devid != d->devid)) {
		if (h->stale && (q = xenback_ask_new(x, id, d)) != NULL) {
			q->later = true;
			return;
		}
		rc = VT_E_BUSY;
		(void)snprintf(text, sizeof(text),
		    "guest %s: its vTPM is in use by domain %u", in.name,
		    h->dev.domid);
	}
	if (rc == VT_OK && (q = xenback_ask_new(x, id, d)) != NULL) {
		if ((rc = xenback_power(x, &in, q, text)) == VT_OK)
			return;
		xenback_ask_done(q, rc, text);
		return;
	}
	audit_log(x->m, "manager", "attach", uuid, "refused",
	    "domain %u: %.180s", d->domid, text);
	xenback_answer(x, id, rc != VT_OK ? rc : VT_E_NOMEM, false, text);
}

/* xenback has reported every device: those known to its predecessor only are
 * gone. */
static void
forget_stale(struct xenback_link *x)
{
	struct xb_dev d;
	struct held *h;
	struct ask *q;
	uint32_t id;

	SLIST_FOREACH(h, &x->held, link)
		if (h->stale)
			on_disconnect(x, &h->dev, true);
	for (;;) {
		LIST_FOREACH(q, &x->asks, link)
			if (q->later)
				break;
		if (q == NULL)
			return;
		LIST_REMOVE(q, link);
		d = q->dev;
		id = q->id;
		free(q);
		on_device(x, id, &d);
	}
}

/* --- its front half connects ------------------------------------------------
 */

static void
refuse_unlaunched(struct xenback_link *x, uint32_t id,
    const struct guest_run *g, const struct xb_dev *d)
{
	char text[MGR_TEXT_MAX];

	(void)snprintf(text, sizeof(text),
	    "guest %s: domain %u was not launched measured, and "
	    "xen_require_launch is on; start it with: vtpmctl launch xen CFG",
	    g->in.name, d->domid);
	audit_log(x->m, "manager", "attach", g->in.name, "refused",
	    "domain %u was not launched measured", d->domid);
	xenback_answer(x, id, VT_E_DENIED, false, text);
}

void
xenback_on_connect(struct xenback_link *x, uint32_t id, const struct xb_dev *d)
{
	struct held *h = xenback_held_of(x, d->uuid);
	struct guest_run *g = guest_live(x->m, d->uuid);
	struct ask *q;
	int rc;

	if (h != NULL && (xen_move_is_candidate(h, d) ||
			     (h->power != NULL && h->dev.domid == d->domid))) {
		if ((q = xenback_ask_new(x, id, d)) != NULL)
			q->waiting = true;
		else
			xenback_answer(
			    x, id, VT_E_NOMEM, false, "out of memory");
		return;
	}

	if (h == NULL || !h->there || h->dev.domid != d->domid || g == NULL) {
		xenback_answer(
		    x, id, VT_E_STATE, false, "its vTPM is not running");
		return;
	}
	if (x->m->cfg.xen_require_launch && !h->launched && !d->resumed) {
		refuse_unlaunched(x, id, g, d);
		return;
	}
	if ((q = xenback_ask_new(x, id, d)) == NULL) {
		xenback_answer(x, id, VT_E_NOMEM, false, "out of memory");
		return;
	}
	h->ran = true;
	h->dev = *d;
	h->connected = true; /* also a worker that starts meanwhile */
	if (g->st != IS_RUNNING) {
		xenback_ask_done(q, VT_OK, ""); /* guest_load() connects it */
		return;
	}
	rc = xen_page_connect(g, q, d->resumed);
	if (rc != VT_OK)
		xenback_ask_done(
		    q, rc == VT_E_CLOSED ? VT_OK : rc, vt_strerror(rc));
}

static void
connect_again(struct guest_run *g, bool resumed)
{
	struct xenback_link *x = g->m->xen;
	struct held *h = x != NULL ? xenback_held_of(x, g->in.uuid) : NULL;
	struct ask *q;

	if (h == NULL || !h->there || !h->connected ||
	    (q = xenback_ask_new(x, 0, &h->dev)) == NULL)
		return;
	if (xen_page_connect(g, q, resumed || h->dev.resumed) == VT_OK)
		return;
	log_debug("guest %s: no worker to connect", g->in.name);
	xenback_ask_done(q, VT_E_CLOSED, "");
}

/* A new worker gets the page of its predecessor. */
static void
on_up(struct guest_run *g)
{
	connect_again(g, true);
}

static void
on_page_wanted(struct guest_run *g)
{
	connect_again(g, false);
}

static const struct guest_observer observer = {
	.connected = is_connected,
	.up = on_up,
	.page_wanted = on_page_wanted,
};

static void
on_disconnect(struct xenback_link *x, const struct xb_dev *d, bool gone)
{
	struct held *h = xenback_held_of(x, d->uuid);
	struct guest_run *g = guest_live(x->m, d->uuid);

	if (h != NULL && xen_move_is_candidate(h, d)) {
		xen_move_candidate_left(x, h, gone);
		return;
	}
	if (h == NULL || h->dev.domid != d->domid || h->dev.devid != d->devid)
		return; /* it was refused */
	if (h->power != NULL)
		xen_move_release(x, d, VT_E_CLOSED, "its front half closed");
	if (h->connected && g != NULL && xen_page_leave(g) != VT_OK)
		log_debug("guest %s: no worker to disconnect", g->in.name);
	h->connected = h->stale = false;
	/* Keep the domid: detach and attach are no power cycle. */
	h->there = !gone;
	if (gone)
		xen_move_old_gone(h);
	/* The launch of a moving domain continues in its successor. */
	if (gone && g != NULL && h->launched && h->move != MOVE_LEFT_TWO)
		guest_launch_over(g);
}

/* --- a domain's launch ----------------------------------------------------
 */

int
xenback_may_launch(const struct xenback_link *x, const struct guest *in,
    uint32_t domid, char *text)
{
	const struct held *h;

	if (x == NULL) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "this manager serves no Xen guests (see xen in "
		    "vtpm-managerd.conf(5))");
		return VT_E_UNSUPPORTED;
	}
	h = xenback_held_of(x, in->uuid);
	if (h == NULL || !h->there || h->dev.domid != domid) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: domain %u does not own this vTPM", in->name,
		    domid);
		return VT_E_STATE;
	}
	if (h->ran || h->launched) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "guest %s: domain %u %s; a launch is measured before the "
		    "domain runs",
		    in->name, domid,
		    h->launched ? "was already launched"
				: "has already used its TPM");
		return VT_E_STATE;
	}
	return VT_OK;
}

void
xenback_launched(struct xenback_link *x, const uint8_t uuid[UUID_LEN])
{
	struct held *h = x != NULL ? xenback_held_of(x, uuid) : NULL;

	if (h != NULL && h->there)
		h->launched = true;
}

bool
xenback_launch_waits(struct xenback_link *x, const uint8_t uuid[UUID_LEN],
    mgr_done_cb done, void *arg)
{
	struct held *h = x != NULL ? xenback_held_of(x, uuid) : NULL;
	struct ask *q;

	if (h == NULL || h->power == NULL ||
	    (q = xenback_ask_new(x, 0, &h->dev)) == NULL)
		return false;
	q->waiting = true;
	q->done = done;
	q->arg = arg;
	return true;
}

/* --- the process ------------------------------------------------------------
 */

static void
on_message(struct xenback_link *x, const struct msg *msg)
{
	struct xb_dev d;

	if (msg->type == XB_READY) {
		log_info("watching xenstore for vtpm devices");
		forget_stale(x);
		return;
	}
	if (msg->type == XB_OPENED) {
		xen_page_opened(x, msg);
		return;
	}
	if (msg_get(xb_dev, msg->data, msg->len, &d) != VT_OK) {
		log_warn("vtpm-xenback sent a malformed message");
		return;
	}
	switch (msg->type) {
	case XB_DEVICE:
		on_device(x, msg->id, &d);
		break;
	case XB_CONNECT:
		xenback_on_connect(x, msg->id, &d);
		break;
	case XB_DISCONNECT:
	case XB_GONE:
		on_disconnect(x, &d, msg->type == XB_GONE);
		break;
	default:
		log_warn("vtpm-xenback sent a message of type %u", msg->type);
	}
}

static int
on_io(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct xenback_link *x = arg;
	struct msg msg;
	int rc;

	(void)s;
	(void)fd;
	(void)revents;
	rc = msgch_flush(x->ch);
	while (rc == VT_OK && (rc = msgch_recv(x->ch, &msg)) == VT_OK) {
		on_message(x, &msg);
		msg_close_fds(&msg);
	}
	if (rc == VT_E_AGAIN) {
		xenback_watch(x);
		return 0;
	}
	(void)sd_event_source_set_enabled(x->io, SD_EVENT_OFF);
	if (x->child.pid > 0)
		(void)kill(x->child.pid, SIGKILL);
	return 0;
}

static int
on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct xenback_link *x = arg;
	int rc;

	(void)s;
	(void)usec;
	if ((rc = launch(x)) != VT_OK)
		log_err("cannot start vtpm-xenback: %s", vt_strerror(rc));
	return 0;
}

/* xenback is gone: work for its questions ends without an answer. */
static void
forget_asks(struct xenback_link *x, bool manager_ends)
{
	struct ask *q, *next;

	for (q = LIST_FIRST(&x->asks); q != NULL; q = next) {
		next = LIST_NEXT(q, link);
		if (q->id == 0 && q->opens == 0 && !manager_ends)
			continue;
		LIST_REMOVE(q, link);
		q->x = NULL;
		if (q->done != NULL)
			q->done(q->arg, VT_E_CLOSED, "the manager ends");
		/* Then no message under way refers to it. */
		if (q->later || q->waiting || q->opens != 0)
			free(q);
	}
}

static void
on_exited(void *arg, const char *how)
{
	struct xenback_link *x = arg;
	struct held *h;

	x->io = sd_event_source_disable_unref(x->io);
	msgch_free(x->ch);
	x->ch = NULL;
	forget_asks(x, false);
	SLIST_FOREACH(h, &x->held, link)
		h->stale = h->there;
	log_warn("vtpm-xenback died (%s); restarting it, connected guests "
		 "are not affected",
	    how);
	if (loop_timer(x->m, &x->timer, RESTART_MS, LOOP_PRIO_CHILD, on_timer,
		x) != VT_OK)
		loop_fatal(x->m, "cannot set a timer");
}

static int
launch(struct xenback_link *x)
{
	char path[PATH_MAX], name[] = "vtpm-xenback";
	char *argv[] = { name, NULL };
	int fd, rc;

	rc = child_path(path, sizeof(path), "", "VTPM_XENBACK", name);
	if (rc != VT_OK)
		return rc;
	x->child.exited = on_exited;
	x->child.arg = x;
	rc = child_start(x->m, &x->child, path, argv, &fd);
	if (rc != VT_OK)
		return rc;
	if ((rc = msgch_new(fd, 0, &x->ch)) != VT_OK)
		return rc;
	if (sd_event_add_io(x->m->ev, &x->io, fd, EPOLLIN, on_io, x) < 0)
		return VT_E_NOMEM;
	(void)sd_event_source_set_priority(x->io, LOOP_PRIO_WORKER);
	return VT_OK;
}

int
xenback_new(struct mgr *m, struct xenback_link **ret)
{
	struct xenback_link *x = calloc(1, sizeof(*x));
	int rc;

	if (x == NULL)
		return VT_E_NOMEM;
	x->m = m;
	SLIST_INIT(&x->held);
	LIST_INIT(&x->asks);
	if ((rc = launch(x)) != VT_OK) {
		xenback_free(x);
		return rc;
	}
	guests_observe(m, &observer);
	*ret = x;
	return VT_OK;
}

void
xenback_free(struct xenback_link *x)
{
	struct held *h;

	if (x == NULL)
		return;
	guests_observe(x->m, NULL);
	child_forget(&x->child);
	x->io = sd_event_source_disable_unref(x->io);
	x->timer = sd_event_source_disable_unref(x->timer);
	msgch_free(x->ch);
	forget_asks(x, true);
	while ((h = SLIST_FIRST(&x->held)) != NULL) {
		SLIST_REMOVE_HEAD(&x->held, link);
		free(h);
	}
	free(x);
}
