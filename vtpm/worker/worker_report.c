/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker_report.c - messages from the worker to its manager.
 */
#include "vtpm/worker/worker_report.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "vtpm/worker/worker_state.h"

void
wk_send(struct worker *w, uint16_t type, uint32_t id, const struct wr *p)
{
	int rc = wr_err(p);

	if (w->mgr == NULL)
		return;
	if (rc == VT_OK)
		rc = msgch_send(w->mgr, type, id, p->buf, p->len, NULL, 0);
	/* A lost connection is noticed where it is read. */
	if (rc != VT_OK && rc != VT_E_CLOSED)
		log_warn("cannot send message %u to the manager: %s", type,
		    vt_strerror(rc));
}

void
wk_done(struct worker *w, uint32_t id, int rc, const char *fmt, ...)
{
	uint8_t buf[TEXT_MAX_LEN + 16];
	struct wdone m = { .rc = rc };
	struct wr p;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(m.text, sizeof(m.text), fmt, ap);
	va_end(ap);
	wr_init(&p, buf, sizeof(buf));
	msg_put(&p, wdone, &m);
	wk_send(w, W_DONE, id, &p);
}

/* Who attaches, or is refused, uses up no other events. */
static struct token_bucket *
bucket_of(struct worker *w, enum wevent_code code)
{
	switch (code) {
	case WE_CHANNEL_OPEN:
	case WE_CHANNEL_CLOSED:
	case WE_HANDOVER:
		return &w->chan_events;
	case WE_CHANNEL_BUSY:
		return &w->refusals;
	default:
		return &w->events;
	}
}

void
wk_event(struct worker *w, enum wevent_code code, const char *fmt, ...)
{
	uint8_t buf[TEXT_MAX_LEN + 16];
	struct wevent m = { .code = (uint8_t)code };
	struct wr p;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(m.text, sizeof(m.text), fmt, ap);
	va_end(ap);
	w->n.attaches_refused += code == WE_CHANNEL_BUSY;
	/* A guest can provoke events, so their rate is limited; but the store
	 * must hear of a launch's end, whatever a guest does, and each wish for
	 * a page follows a W_XEN. */
	if (code != WE_LAUNCH_OVER && code != WE_PAGE_WANTED &&
	    !token_bucket_take(bucket_of(w, code), 1, now_us()))
		return;
	if (code == WE_FAILURE || code == WE_VIOLATION)
		log_warn("%s", m.text);
	else
		log_debug("%s", m.text);
	if (w->mgr == NULL || !w->greeted)
		return;
	wr_init(&p, buf, sizeof(buf));
	msg_put(&p, wevent, &m);
	wk_send(w, W_EVENT, 0, &p);
}
