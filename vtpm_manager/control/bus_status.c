/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_status.c - Status(): how the manager and the host's TPM are.
 *
 * vtpm-hwtpm answers between two requests only, and a request may take long
 * (a key, a TPM that hangs).  Who asks for the status is not made to wait for
 * that: after ANSWER_MS he is told what was seen last, and since when
 * vtpm-hwtpm has been busy.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/control/bus.h"
#include "vtpm_manager/host/deep_quote.h"
#include "vtpm_manager/tenant/tenant.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/commit/anchor.h"
#include "vtpm_manager/host/host_keys.h"
#include "vtpm_manager/guest/pool.h"
#include "vtpm_manager/guest/zygote_link.h"

#define ANSWER_MS 100

struct waiter {
	struct waiter *next;
	sd_bus_message *msg;
};

struct bus_statusq {
	struct mgr *m;
	sd_event_source *timer;
	struct waiter *first;
	bool asked;        /* vtpm-hwtpm, and it has not answered yet */
	uint64_t at_ms;    /* when it last did, wall clock; 0: never */
	uint64_t restarts; /* of that process, then */
	struct hw_status last;
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
	json_t *o = json_object();
	json_int_t all = 0;
	unsigned int i;

	if (store_inst_each(m->st, count_one, &all) != VT_OK)
		all = -1;
	(void)json_object_set_new(o, "known", json_integer(all));
	for (i = IS_SPAWNING; i < IS_NSTATES; i++)
		(void)json_object_set_new(o,
		    guest_state_name((enum guest_state)i),
		    json_integer(guest_count(m, (enum guest_state)i)));
	return o;
}

static json_t *
counters_json(const struct mgr_counters *n)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "creates",
	    (json_int_t)n->creates, "create_us_last",
	    (json_int_t)n->create_us_last, "create_us_min",
	    (json_int_t)n->create_us_min, "stores", (json_int_t)n->stores,
	    "commits", (json_int_t)n->commits, "commit_failures",
	    (json_int_t)n->commit_failures, "commit_us_last",
	    (json_int_t)n->commit_us_last, "commit_us_max",
	    (json_int_t)n->commit_us_max, "batch_max", (json_int_t)n->batch_max,
	    "worker_crashes", (json_int_t)n->crashes);
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

/* A time of now_us() by the wall clock. */
static json_int_t
wall_of(uint64_t us)
{
	return (json_int_t)(wall_ms() - (now_us() - us) / 1000);
}

/* why: it does not answer, and why; NULL: it does, or is busy. */
static json_t *
tpm_json(const struct bus_statusq *q, const char *why)
{
	uint64_t busy = q->asked ? hwlink_busy_since(q->m->hw) : 0;
	const struct hw_status *s = &q->last;
	json_t *o;

	if (why == NULL && q->at_ms == 0)
		why = "vtpm-hwtpm is busy and has not said yet how it is";
	if (why == NULL && q->restarts != hwlink_restarts(q->m->hw))
		why = "vtpm-hwtpm was started anew and has not said yet how it "
		      "is";
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

static void
set(json_t *o, const char *key, json_t *val)
{
	(void)json_object_set_new(o, key, val);
}

/* What there is to say whether the store is open or not. */
static void
add_processes(const struct bus_statusq *q, const char *why, json_t *o)
{
	struct mgr *m = q->m;
	const struct wblob ca = { m->ca_cert, (uint32_t)m->ca_cert_len };

	set(o, "version", json_string(VT_VERSION));
	set(o, "pid", json_integer((json_int_t)getpid()));
	set(o, "started_ms", json_integer((json_int_t)m->started_ms));
	set(o, "sealed", json_boolean(host_keys_sealed(m)));
	if (host_keys_sealed(m))
		set(o, "why", json_string(m->host->why));
	set(o, "ready", json_boolean(m->ready));
	set(o, "root",
	    json_string(m->root_kind == ROOT_SOFT ? "software" : "hardware"));
	set(o, "state", json_string(m->cfg.state));
	set(o, "run", json_string(m->cfg.run));
	set(o, "separated", json_boolean(m->separated));
	/* what a verifier needs to know, and must get from here */
	if (ca.len > 0)
		set(o, "ca_certificate", guest_json_pem(&ca));
	set(o, "tpm", tpm_json(q, why));
	set(o, "zygote",
	    child_json(zygote_link_pid(m->zyg), zygote_link_restarts(m->zyg)));
	set(o, "hwtpm", child_json(hwlink_pid(m->hw), hwlink_restarts(m->hw)));
	if (m->root_kind == ROOT_SOFT)
		set(o, "soft_root",
		    json_pack("{s:I,s:s}", "pid", (json_int_t)root_pid(m),
			"state", root_state(m)));
}

static json_t *
status_json(const struct bus_statusq *q, const char *why)
{
	struct mgr *m = q->m;
	json_t *o = json_object();
	struct store_space sp;

	add_processes(q, why, o);
	if (!m->ready)
		return o;
	store_space(m->st, &sp);
	set(o, "deep_quotes", deep_json(m));
	set(o, "anchor", anchorq_json(m));
	set(o, "space",
	    json_pack("{s:b,s:b,s:b,s:I}", "ok", sp.ok, "reserve_used",
		sp.reserve_used, "storage_ok", m->storage_ok, "free_bytes",
		(json_int_t)sp.free_bytes));
	set(o, "pool",
	    json_pack("{s:I,s:I}", "size", (json_int_t)m->cfg.pool, "ready",
		(json_int_t)pool_ready(m->pool)));
	set(o, "xen",
	    json_pack("{s:b,s:b,s:b}", "serves", m->xen != NULL, "require_vtpm",
		m->cfg.xen_require_vtpm, "require_launch",
		m->cfg.xen_require_launch));
	set(o, "vtpms", vtpms_json(m));
	set(o, "counters", counters_json(&m->n));
	set(o, "groups", tenants_json_list(m, (uint32_t)-1));
	return o;
}

static void
tell_all(struct bus_statusq *q, const char *why)
{
	struct waiter *w;

	mgr_timer_off(q->timer);
	while ((w = q->first) != NULL) {
		q->first = w->next;
		(void)bus_reply_json(w->msg, status_json(q, why));
		sd_bus_message_unref(w->msg);
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
	    (rc = hw_status_get(a->body, a->body_len, &s)) == VT_OK) {
		q->last = s;
		q->at_ms = wall_ms();
		q->restarts = hwlink_restarts(q->m->hw);
		tell_all(q, s.up ? NULL
			    : a->text[0] != '\0'
				? a->text
				: "the connection is lost, and is "
				  "being made again");
		return;
	}
	tell_all(q, a->text[0] != '\0' ? a->text : vt_strerror(rc));
}

/* The usage is answered first. */
static int
ask(struct bus_statusq *q)
{
	int rc;

	if (q->asked)
		return VT_OK;
	/* While that process is being started anew nobody has to wait. */
	if (hwlink_pid(q->m->hw) == 0)
		return VT_E_CLOSED;
	rc = hwlink_request(q->m->hw, HW_USAGE, NULL, on_usage, q->m);
	if (rc == VT_OK)
		rc = hwlink_request(q->m->hw, HW_STATUS, NULL, on_status, q);
	q->asked = rc == VT_OK;
	return rc;
}

int
bus_status(sd_bus_message *msg, struct mgr *m)
{
	struct bus_statusq *q = m->ctl->status;
	struct waiter *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return bus_fail(msg, VT_E_NOMEM, "");
	w->msg = sd_bus_message_ref(msg);
	w->next = q->first;
	q->first = w;
	if ((rc = ask(q)) != VT_OK)
		tell_all(q, vt_strerror(rc));
	else if (w->next == NULL && mgr_timer(m, &q->timer, ANSWER_MS,
					MGR_PRIO_CTL, on_late, q) != VT_OK)
		tell_all(q, NULL);
	return 1;
}

int
bus_status_new(struct mgr *m, struct bus_statusq **ret)
{
	struct bus_statusq *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return VT_E_NOMEM;
	q->m = m;
	*ret = q;
	/* So that something is known when it is busy later. */
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
	while ((w = q->first) != NULL) {
		q->first = w->next;
		sd_bus_message_unref(w->msg);
		free(w);
	}
	(void)sd_event_source_disable_unref(q->timer);
	free(q);
}
