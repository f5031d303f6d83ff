/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_status.c - Status(): what the manager knows, and what vtpm-hwtpm says of
 * itself within ANSWER_MS.
 */
#include "vtpm_manager/control/bus_status.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/json_histogram.h"
#include "vtpm_manager/commit/anchor.h"
#include "vtpm_manager/control/methods.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/guest/guest_identity.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/guest/pool.h"
#include "vtpm_manager/guest/soft_root.h"
#include "vtpm_manager/guest/zygote_link.h"
#include "vtpm_manager/host/deep_quote.h"
#include "vtpm_manager/host/host_keys.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/tenant/tenant.h"
#include "vtpm_manager/tenant/tenant_json.h"

#define ANSWER_MS 100

struct waiter {
	SLIST_ENTRY(waiter) link;
	bus_status_cb cb; /* NULL: forgotten */
	void *arg;
};

struct bus_statusq {
	struct mgr *m;
	sd_event_source *timer;
	SLIST_HEAD(, waiter) waiters;
	bool asked; /* vtpm-hwtpm has not answered yet */
	struct hw_status last;
	uint64_t at_ms;    /* of last, wall clock; 0: there is none */
	uint64_t restarts; /* of vtpm-hwtpm before last */
};

static json_t *
child_json(uint32_t pid, uint64_t restarts)
{
	return json_pack("{s:o,s:I}", "pid",
	    pid != 0 ? json_integer(pid) : json_null(), "restarts",
	    (json_int_t)restarts);
}

static int
count_one(const struct guest *in, void *arg)
{
	json_int_t *n = arg;

	(void)in;
	(*n)++;
	return 0;
}

static json_t *
vtpms_json(struct mgr *m)
{
	json_int_t all = 0;
	unsigned int i;
	json_t *o;

	if (store_guest_each(m->st, count_one, &all) != VT_OK)
		all = -1;
	o = json_pack("{s:I}", "known", all);
	for (i = IS_SPAWNING; i < IS_NSTATES; i++)
		(void)json_object_set_new(o,
		    guest_state_name((enum guest_state)i),
		    json_integer(guest_count(m, (enum guest_state)i)));
	(void)json_object_set_new(
	    o, "tampered", json_integer(guests_tampered(m)));
	return o;
}

static json_t *
counters_json(const struct mgr_counters *n)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,"
			 "s:I,s:I,s:I,s:I,s:o}",
	    "creates", (json_int_t)n->creates, "create_us_last",
	    (json_int_t)n->create_us_last, "create_us_min",
	    (json_int_t)n->create_us_min, "stores", (json_int_t)n->stores,
	    "commits", (json_int_t)n->commits, "commit_failures",
	    (json_int_t)n->commit_failures, "commit_us_last",
	    (json_int_t)n->commit_us_last, "commit_us_max",
	    (json_int_t)n->commit_us_max, "batch_max", (json_int_t)n->batch_max,
	    "worker_crashes", (json_int_t)n->crashes, "pool_hits",
	    (json_int_t)n->pool_hits, "pool_misses", (json_int_t)n->pool_misses,
	    "audit_records", (json_int_t)n->audit_records, "calls",
	    (json_int_t)n->calls, "calls_refused", (json_int_t)n->calls_refused,
	    "connections_refused", (json_int_t)n->conns_refused, "commit_time",
	    json_histogram(&n->commit_time));
}

static json_t *
deep_json(const struct mgr *m)
{
	struct deep_quote_counters c;

	deep_quote_counters(m, &c);
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "asked",
	    (json_int_t)c.asked, "answered", (json_int_t)c.answered, "failed",
	    (json_int_t)c.failed, "host_quotes", (json_int_t)c.host_quotes,
	    "batch_max", (json_int_t)c.batch_max, "host_quote_us_last",
	    (json_int_t)c.us_last, "waiting", (json_int_t)c.waiting);
}

/* A time of now_us() on the wall clock. */
static json_int_t
wall_of(uint64_t us)
{
	return (json_int_t)(wall_ms() - (now_us() - us) / 1000);
}

/* why: vtpm-hwtpm does not answer; NULL: it has answered or is busy. */
static json_t *
tpm_json(const struct bus_statusq *q, const char *why)
{
	uint64_t busy = q->asked ? hwlink_busy_since(q->m->hw) : 0;
	const struct hw_status *s = &q->last;
	json_t *o;

	if (why == NULL && q->at_ms == 0)
		why = "vtpm-hwtpm is busy and has not reported its state yet";
	if (why == NULL && q->restarts != hwlink_restarts(q->m->hw))
		why = "vtpm-hwtpm was restarted and has not reported its state "
		      "yet";
	if (why != NULL)
		o = json_pack("{s:b,s:s}", "up", 0, "why", why);
	else
		o = json_pack("{s:b,s:s,s:s,s:s,s:I,s:I,s:I,s:I}", "up", s->up,
		    "manufacturer", s->manufacturer, "firmware", s->firmware,
		    "tcti", hwlink_tcti(q->m->hw), "commands",
		    (json_int_t)s->commands, "retries", (json_int_t)s->retries,
		    "failures", (json_int_t)s->failures, "as_of_ms",
		    (json_int_t)q->at_ms);
	if (busy != 0)
		(void)json_object_set_new(
		    o, "busy_since_ms", json_integer(wall_of(busy)));
	return o;
}

/* What was asked of vtpm-hwtpm, by kind. */
static json_t *
requests_json(const struct hwlink *h)
{
	json_t *list = json_array();
	struct hwlink_kind k;
	size_t i;

	for (i = 0; hwlink_kind(h, i, &k); i++)
		(void)json_array_append_new(
		    list, json_pack("{s:s,s:I,s:I,s:I}", "kind", k.name,
			      "requests", (json_int_t)k.requests, "failures",
			      (json_int_t)k.failures, "us", (json_int_t)k.us));
	return list;
}

static json_t *
hwtpm_json(const struct hwlink *h)
{
	json_t *o = child_json(hwlink_pid(h), hwlink_restarts(h));

	(void)json_object_set_new(o, "requests", requests_json(h));
	return o;
}

/* json_pack()'s "o*" leaves out a member that is NULL: one that is not there,
 * or text that is not UTF-8. */
static json_t *
text_if(bool there, const char *text)
{
	return there ? json_string(text) : NULL;
}

/* The part that does not need the store. */
static json_t *
processes_json(const struct bus_statusq *q, const char *why)
{
	struct mgr *m = q->m;
	const struct wblob ca = { m->ca_cert, (uint32_t)m->ca_cert_len };
	bool soft = m->root_kind == ROOT_SOFT, sealed = host_keys_sealed(m);

	return json_pack("{s:s,s:I,s:I,s:b,s:o*,s:b,s:s,s:o*,s:o*,s:b,s:o*,"
			 "s:o*,s:o,s:o,s:o*}",
	    "version", VT_VERSION, "pid", (json_int_t)getpid(), "started_ms",
	    (json_int_t)m->started_ms, "sealed", sealed, "why",
	    text_if(sealed, m->host->why), "ready", m->start == START_READY,
	    "root", soft ? "software" : "hardware", "state",
	    json_string(m->cfg.state), "run", json_string(m->cfg.run),
	    "separated", m->separated,
	    /* a verifier has to get this certificate from here */
	    "ca_certificate", ca.len > 0 ? guest_json_pem(&ca) : NULL, "tpm",
	    tpm_json(q, why), "zygote",
	    child_json(zygote_link_pid(m->zyg), zygote_link_restarts(m->zyg)),
	    "hwtpm", hwtpm_json(m->hw), "soft_root",
	    soft ? json_pack("{s:I,s:s}", "pid", (json_int_t)root_pid(m),
		       "state", root_state(m))
		 : NULL);
}

static json_t *
space_json(const struct mgr *m)
{
	struct store_space sp;

	store_space(m->st, &sp);
	return json_pack("{s:b,s:b,s:b,s:b,s:o*,s:I}", "ok", sp.ok,
	    "reserve_used", sp.reserve_used, "storage_ok", m->storage_ok,
	    "storage_error", m->storage_error, "storage_why",
	    text_if(!m->storage_ok, m->storage_why), "free_bytes",
	    (json_int_t)sp.free_bytes);
}

static json_t *
status_json(const struct bus_statusq *q, const char *why)
{
	json_t *o = processes_json(q, why), *more;
	struct mgr *m = q->m;

	if (m->start != START_READY)
		return o;
	more = json_pack(
	    "{s:o,s:o*,s:o,s:{s:I,s:I,s:I},s:{s:b,s:b,s:b},s:o,s:o,"
	    "s:o*}",
	    "deep_quotes", deep_json(m), "anchor", anchorq_json(m), "space",
	    space_json(m), "pool", "size", (json_int_t)m->cfg.pool, "wanted",
	    (json_int_t)pool_wanted(m->pool), "ready",
	    (json_int_t)pool_ready(m->pool), "xen", "serves", m->xen != NULL,
	    "require_vtpm", m->cfg.xen_require_vtpm, "require_launch",
	    m->cfg.xen_require_launch, "vtpms", vtpms_json(m), "counters",
	    counters_json(&m->n), "groups", tenants_json_list(m, (uint32_t)-1));
	if (more == NULL || json_object_update(o, more) != 0) {
		json_decref(o);
		o = NULL;
	}
	json_decref(more);
	return o;
}

static void
tell_all(struct bus_statusq *q, const char *why)
{
	struct waiter *w;

	loop_timer_off(q->timer);
	while ((w = SLIST_FIRST(&q->waiters)) != NULL) {
		SLIST_REMOVE_HEAD(&q->waiters, link);
		if (w->cb != NULL)
			w->cb(w->arg, status_json(q, why));
		free(w);
	}
}

static int
on_late(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	tell_all(arg, NULL);
	return 0;
}

static void
on_usage(void *arg, const struct hw_answer *a)
{
	tenants_take_usage(arg, a);
}

static void
on_status(void *arg, const struct hw_answer *a)
{
	struct bus_statusq *q = arg;
	struct hw_status s;
	int rc = a->rc;

	q->asked = false;
	if (rc == VT_OK &&
	    (rc = msg_get(hw_status, a->body, a->body_len, &s)) == VT_OK) {
		q->last = s;
		q->at_ms = wall_ms();
		q->restarts = hwlink_restarts(q->m->hw);
		tell_all(q, s.up ? NULL
			    : a->text[0] != '\0'
				? a->text
				: "the connection is lost; "
				  "vtpm-hwtpm is reconnecting");
		return;
	}
	tell_all(q, a->text[0] != '\0' ? a->text : vt_strerror(rc));
}

static int
ask(struct bus_statusq *q)
{
	int rc;

	if (q->asked)
		return VT_OK;
	/* Nobody has to wait for a restart of that process. */
	if (hwlink_pid(q->m->hw) == 0)
		return VT_E_CLOSED;
	/* The status is answered last, when the usage is there, too. */
	rc = hwlink_request(q->m->hw, HW_USAGE, NULL, on_usage, q->m);
	if (rc == VT_OK)
		rc = hwlink_request(q->m->hw, HW_STATUS, NULL, on_status, q);
	q->asked = rc == VT_OK;
	return rc;
}

int
bus_status_ask(struct bus_statusq *q, bus_status_cb cb, void *arg)
{
	struct waiter *w = calloc(1, sizeof(*w));
	bool first = SLIST_EMPTY(&q->waiters);
	int rc;

	if (w == NULL)
		return VT_E_NOMEM;
	w->cb = cb;
	w->arg = arg;
	SLIST_INSERT_HEAD(&q->waiters, w, link);
	if ((rc = ask(q)) != VT_OK)
		tell_all(q, vt_strerror(rc));
	else if (first && loop_timer(q->m, &q->timer, ANSWER_MS, LOOP_PRIO_BUS,
			      on_late, q) != VT_OK)
		tell_all(q, NULL);
	return VT_OK;
}

void
bus_status_forget(struct bus_statusq *q, const void *arg)
{
	struct waiter *w;

	SLIST_FOREACH(w, &q->waiters, link)
		if (w->arg == arg)
			w->cb = NULL;
}

static void
on_call(void *arg, json_t *status)
{
	bus_call_json(arg, status);
}

int
bus_status(struct bus_call *c)
{
	return bus_status_ask(c->status, on_call, c);
}

int
bus_status_new(struct mgr *m, struct bus_statusq **ret)
{
	struct bus_statusq *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return VT_E_NOMEM;
	q->m = m;
	SLIST_INIT(&q->waiters);
	*ret = q;
	/* Ask now, so that a later Status has an answer while it is busy. */
	return ask(q) == VT_E_NOMEM ? VT_E_NOMEM : VT_OK;
}

void
bus_status_free(struct bus_statusq *q)
{
	struct waiter *w;

	if (q == NULL)
		return;
	if (q->m->hw != NULL)
		hwlink_forget(q->m->hw, q);
	while ((w = SLIST_FIRST(&q->waiters)) != NULL) {
		SLIST_REMOVE_HEAD(&q->waiters, link);
		if (w->cb != NULL)
			w->cb(w->arg, NULL);
		free(w);
	}
	(void)sd_event_source_disable_unref(q->timer);
	free(q);
}
