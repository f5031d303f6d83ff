/* SPDX-License-Identifier: BSD-3-Clause */
/* xen_page.c - gives a worker the page and the port of its guest. */
#include "vtpm_manager/xen/xen_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/xen/xenback_link_impl.h"

static bool
same_front(const struct xb_dev *a, const struct xb_dev *b)
{
	return memcmp(a->uuid, b->uuid, UUID_LEN) == 0 &&
	       a->domid == b->domid && a->devid == b->devid &&
	       a->gref == b->gref && a->port == b->port;
}

static void
finish(struct ask *q, int rc, const char *text)
{
	struct held *h =
	    q->x != NULL ? xenback_held_of(q->x, q->dev.uuid) : NULL;

	if (rc == VT_E_CLOSED)
		rc = VT_OK; /* the next worker connects when it is up */
	if (rc != VT_OK && q->id == 0)
		log_warn(
		    "a Xen guest's page could not be mapped again: %s", text);
	else if (rc != VT_OK && h != NULL && same_front(&h->dev, &q->dev))
		h->connected = false;
	xenback_ask_done(q, rc, text);
}

/* --- the worker has it -----------------------------------------------------
 */

static void
on_given(void *arg, int rc, const struct msg *msg)
{
	char text[TEXT_MAX_LEN + 1];

	rc = wlink_done_rc(rc, msg, text, sizeof(text));
	finish(arg, rc, text);
}

static int
give(struct guest_run *g, struct ask *q, const struct xb_opened *o,
    const int fds[2])
{
	struct wpage m = { q->dev.domid, q->dev.gref, q->dev.port, o->local };
	uint8_t buf[32];
	struct wr w;

	/* Another worker than the one that asked: it asks itself. */
	if (g == NULL || g->link == NULL || g->link->serial != q->worker)
		return VT_E_CLOSED;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wpage, &m);
	return wlink_request(g->link, W_PAGE, &w, fds, 2, 0, on_given, q);
}

void
xen_page_opened(struct xenback_link *x, const struct msg *msg)
{
	struct xb_opened o;
	struct ask *q;
	int rc;

	LIST_FOREACH(q, &x->asks, link)
		if (q->opens == msg->id && msg->id != 0)
			break;
	if (q == NULL)
		return;
	q->opens = 0;
	rc = msg_get(xb_opened, msg->data, msg->len, &o);
	if (rc == VT_OK && (rc = o.rc) == VT_OK && msg->nfds != 2)
		rc = VT_E_PROTO;
	if (rc == VT_OK)
		rc = give(guest_live(x->m, q->dev.uuid), q, &o, msg->fds);
	else if (o.text[0] != '\0') {
		finish(q, rc, o.text);
		return;
	}
	if (rc != VT_OK)
		finish(q, rc, vt_strerror(rc));
}

/* --- xenback opens it ------------------------------------------------------
 */

/* An earlier request for the same front half is under way: it ends both. */
static bool
join(struct ask *q)
{
	struct ask *e;

	LIST_FOREACH(e, &q->x->asks, link)
		if (e != q && e->page && same_front(&e->dev, &q->dev))
			break;
	if (e == NULL)
		return false;
	e->worker = q->worker;
	if (q->id != 0)
		e->id = q->id;
	q->id = 0;
	xenback_ask_done(q, VT_OK, "");
	return true;
}

static void
open_page(struct ask *q)
{
	struct xenback_link *x = q->x;
	uint8_t buf[64];
	struct wr w;

	if (x == NULL || x->ch == NULL) { /* the next xenback says connect */
		finish(q, VT_E_CLOSED, "");
		return;
	}
	if (join(q))
		return;
	q->page = true;
	if (++x->opens == 0)
		x->opens = 1;
	q->opens = x->opens;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, xb_dev, &q->dev);
	if (wr_err(&w) != VT_OK ||
	    msgch_send(x->ch, XB_OPEN, q->opens, buf, w.len, NULL, 0) != VT_OK)
		finish(q, VT_E_CLOSED, "");
	else
		xenback_watch(x);
}

/* --- the worker is asked ---------------------------------------------------
 */

static void
on_asked(void *arg, int rc, const struct msg *msg)
{
	char text[TEXT_MAX_LEN + 1];

	rc = wlink_done_rc(rc, msg, text, sizeof(text));
	if (rc == VT_E_AGAIN)
		open_page(arg);
	else
		finish(arg, rc, text);
}

static int
send_xen(struct guest_run *g, const struct wxen *m, wlink_cb cb, void *arg)
{
	uint8_t buf[32];
	struct wr w;

	if (g->link == NULL)
		return VT_E_CLOSED;
	wr_init(&w, buf, sizeof(buf));
	msg_put(&w, wxen, m);
	return wlink_request(g->link, W_XEN, &w, NULL, 0, 0, cb, arg);
}

int
xen_page_connect(struct guest_run *g, struct ask *q, bool resumed)
{
	struct wxen m = { .connect = 1,
		.localities = g->m->cfg.xen_localities,
		.domid = q->dev.domid,
		.gref = q->dev.gref,
		.port = q->dev.port,
		.resumed = resumed };

	if (g->link != NULL)
		q->worker = g->link->serial;
	return send_xen(g, &m, on_asked, q);
}

static void
on_left(void *arg, int rc, const struct msg *msg)
{
	(void)arg;
	(void)rc;
	(void)msg; /* a worker that is gone has no page either */
}

int
xen_page_leave(struct guest_run *g)
{
	struct wxen m = { .localities = g->m->cfg.xen_localities };

	return send_xen(g, &m, on_left, NULL);
}
