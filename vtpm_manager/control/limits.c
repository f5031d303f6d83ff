/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * limits.c - Limits(): everything that a guest, a group or a caller can use
 * up, with the limit in force, by process.
 */
#include "vtpm_manager/control/limits.h"

#include <stdio.h>

#include "base/limits.h"
#include "vtpm/worker/worker_limits.h"
#include "vtpm_manager/commit/audit_limit.h"
#include "vtpm_manager/control/http_request.h"
#include "vtpm_manager/control/methods.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/host/deep_quote.h"
#include "vtpm_manager/hwtpm/hwtpm_limits.h"
#include "vtpm_manager/store/hash_tree.h"
#include "vtpm_manager/store/store_audit.h"
#include "vtpm_manager/tenant/tenant.h"
#include "vtpm_manager/xen/xenback_link.h"

#define PER_MINUTE(us) (60 * UINT64_C(1000000) / (us))

static void
add_row(json_t *list, const struct limit_row *r)
{
	(void)json_array_append_new(list,
	    json_pack("{s:s,s:s,s:s,s:o,s:s}", "name", r->name, "per", r->per,
		"unit", r->unit, "limit",
		r->limit == LIMIT_NONE ? json_null()
				       : json_integer((json_int_t)r->limit),
		"at_limit", r->at_limit));
}

static void
add_rows(json_t *list, const struct limit_row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		add_row(list, &rows[i]);
}

static json_t *
table_json(const struct limit_table *t)
{
	json_t *list = json_array();

	add_rows(list, t->rows, t->n);
	return json_pack("{s:s,s:o}", "process", t->process, "limits", list);
}

static uint64_t
quota(uint64_t n)
{
	return n > 0 ? n : LIMIT_NONE;
}

static void
add_quotas(json_t *list, const struct tenant *g)
{
	const struct tenant_quota *q = &g->r.quota;
	char names[3][NAME_MAX_LEN + 64];
	const struct limit_row rows[] = {
		{ names[0], "group", "vTPMs", quota(q->vtpms),
		    "no further vTPM is created" },
		{ names[1], "group", "bytes", quota(q->bytes),
		    "no vTPM is created, commands that need NV space fail" },
		{ names[2], "group", "milliseconds per minute", quota(q->hw_ms),
		    "requests wait, then fail after the longest wait" },
	};

	(void)snprintf(
	    names[0], sizeof(names[0]), "vTPMs of group %s", g->r.name);
	(void)snprintf(
	    names[1], sizeof(names[1]), "sealed state of group %s", g->r.name);
	(void)snprintf(
	    names[2], sizeof(names[2]), "TPM time of group %s", g->r.name);
	add_rows(list, rows, VT_NELEM(rows));
}

/* clang-format off */
/* what callers and the host use up */
static void
caller_rows(const struct config *c, json_t *list)
{
	const struct limit_row rows[] = {
		{ "control connections", "host", "connections", BUS_CONNS_MAX,
		    "a further connection is closed" },
		{ "control connections but for root's", "host",
		    "connections", BUS_CONNS_MAX - BUS_CONNS_ROOT,
		    "a further connection is closed" },
		{ "control connections", "user", "connections",
		    BUS_CONNS_USER, "a further one is closed, but root's" },
		{ "idle control connection", "caller", "seconds",
		    c->control_idle_s, "the connection is closed" },
		{ "log lines of refused connections, at once", "host", "lines",
		    BUS_LOG_BURST, "further refusals are counted" },
		{ "log lines of refused connections, then", "host",
		    "lines per minute", PER_MINUTE(BUS_LOG_EVERY_US),
		    "further refusals are counted" },
		{ "signals that a subscriber has not read", "caller",
		    "signals", BUS_SIGNALS_MAX,
		    "further ones are counted, and the count is sent" },
		{ "connections for metrics", "host", "connections",
		    METRICS_CONNS_MAX, "a further connection is closed" },
		{ "connections for metrics", "user", "connections",
		    METRICS_CONNS_USER,
		    "a further one is closed, but root's" },
		{ "time of such a connection", "caller", "milliseconds",
		    METRICS_TIME_MS, "the connection is closed" },
		{ "answers with metrics to all but root, at once", "host",
		    "answers", METRICS_BURST, "the connection is closed" },
		{ "answers with metrics to all but root, then", "host",
		    "answers per minute", PER_MINUTE(METRICS_EVERY_US),
		    "the connection is closed" },
		{ "request for metrics", "caller", "bytes", HTTP_REQUEST_MAX,
		    "the request is refused" },
		{ "launch record", "launch", "bytes", BUS_LAUNCH_MAX,
		    "the launch is refused" },
		{ "audit records of refused requests, at once", "caller",
		    "records", AUDIT_LIMIT_BURST,
		    "further requests are counted in one record" },
		{ "audit records of refused requests, then", "caller",
		    "records per minute", PER_MINUTE(AUDIT_LIMIT_EVERY_US),
		    "further requests are counted in one record" },
		{ "callers whose refused requests are counted apart", "host",
		    "callers", AUDIT_LIMIT_CALLERS,
		    "further callers share one account" },
		{ "audit log", "host", "records", STORE_AUDIT_MAX,
		    "the oldest records are dropped" },
		{ "disk space in reserve", "host", "MiB", c->reserve_mb,
		    "with less free no vTPM is created; running guests use "
		    "the reserve" },
		{ "vTPMs", "host", "vTPMs", HT_MAX_SLOTS,
		    "no further vTPM is created" },
	};

	add_rows(list, rows, VT_NELEM(rows));
}

/* what guests use up */
static void
guest_rows(const struct config *c, json_t *list)
{
	const struct limit_row rows[] = {
		{ "name of a vTPM", "guest", "bytes", NAME_MAX_LEN,
		    "the name is refused" },
		{ "vTPMs made in advance", "host", "vTPMs",
		    c->pool == 0	 ? 0
		    : c->pool_max < c->pool ? c->pool
					 : c->pool_max,
		    "a further vTPM is made on demand" },
		{ "sealed state", "guest", "bytes", STATE_MAX_LEN,
		    "the worker's message is refused, the worker replaced" },
		{ "event log of a launch", "guest", "bytes", RECORD_MAX_LEN,
		    "the launch is refused" },
		{ "states not yet on disk", "guest", "states",
		    WLINK_STORES_MAX, "the worker is killed and replaced" },
		{ "requests to a worker", "guest", "requests", WLINK_REQS_MAX,
		    "a further request is refused: busy" },
		{ "queries to a worker", "guest", "queries",
		    WLINK_QUERIES_MAX, "a further query is refused: busy" },
		{ "messages that a worker does not read", "guest", "bytes",
		    WLINK_BACKLOG_MAX, "the worker is killed and replaced" },
		{ "messages of a worker in one turn", "guest", "messages",
		    WLINK_TURN_MAX, "the other guests come first" },
		{ "messages of a worker unasked, at once", "guest", "messages",
		    WLINK_MESSAGES_BURST, "the worker is killed and replaced" },
		{ "messages of a worker unasked, then", "guest",
		    "messages per second", WLINK_MESSAGES_PER_S,
		    "the worker is killed and replaced" },
		{ "bytes of these messages, at once", "guest", "bytes",
		    WLINK_BYTES_BURST, "the worker is killed and replaced" },
		{ "bytes of these messages, then", "guest", "bytes per second",
		    WLINK_BYTES_PER_S, "the worker is killed and replaced" },
		{ "time of a worker's answer", "guest", "milliseconds",
		    c->request_timeout_ms, "the worker is killed and replaced" },
		{ "crashes of a worker", "guest", "crashes per window",
		    c->crash_limit, "the vTPM stays down until it is started" },
		{ "window of these crashes", "guest", "seconds",
		    c->crash_window_s, "the count starts again" },
		{ "audit records of events, at once", "guest", "records",
		    GUEST_AUDIT_BURST, "further events are counted" },
		{ "audit records of events, then", "guest",
		    "records per minute", PER_MINUTE(GUEST_AUDIT_EVERY_US),
		    "further events are counted" },
		{ "audit records of attaching, at once", "guest", "records",
		    GUEST_AUDIT_BURST, "further events are counted" },
		{ "audit records of attaching, then", "guest",
		    "records per minute", PER_MINUTE(GUEST_AUDIT_EVERY_US),
		    "further events are counted" },
		{ "new AKs of a TPM that was cleared, at once", "guest",
		    "certificates", GUEST_NEW_AK_BURST,
		    "a further one is certified after a later power cycle" },
		{ "new AKs of a TPM that was cleared, then", "guest",
		    "seconds each", GUEST_NEW_AK_EVERY_US / 1000000,
		    "a further one is certified after a later power cycle" },
	};

	add_rows(list, rows, VT_NELEM(rows));
}

/* deep quotes, groups, approvals, devices */
static void
group_rows(const struct config *c, json_t *list)
{
	const struct limit_row rows[] = {
		{ "waiting deep quotes", "guest", "quotes", DEEP_QUOTE_EACH,
		    "a further quote fails: try again later" },
		{ "deep quotes, at once", "guest", "quotes", DEEP_QUOTE_BURST,
		    "a further quote fails: try again later" },
		{ "deep quotes, then", "guest", "quotes per second",
		    DEEP_QUOTE_RATE, "a further quote fails: try again later" },
		{ "waiting deep quotes", "host", "quotes", DEEP_QUOTE_ALL,
		    "a further quote fails: try again later" },
		{ "deep quotes under one quote of the host", "group", "quotes",
		    c->deep_batch_max, "further quotes join the next one" },
		{ "wait for a deep quote", "guest", "milliseconds",
		    c->deep_wait_ms, "the quote fails with the reason" },
		{ "groups", "host", "groups", TENANTS_MAX,
		    "no further group is created" },
		{ "signed configuration", "group", "bytes", TENANT_CONFIG_MAX,
		    "the configuration is refused" },
		{ "launch policies", "group", "policies", TENANT_POLICIES_MAX,
		    "the configuration is refused" },
		{ "administrators", "group", "users", TENANT_ADMINS_MAX,
		    "the configuration is refused" },
		{ "approvals of host states", "host", "approvals",
		    HW_APPROVALS_MAX, "revoke old approvals first" },
		{ "Xen devices", "host", "devices", XENBACK_DEVICES_MAX,
		    "a further device gets no vTPM" },
	};

	add_rows(list, rows, VT_NELEM(rows));
}

/* clang-format on */
static json_t *
manager_json(struct mgr *m)
{
	json_t *list = json_array();
	struct tenant *g;

	caller_rows(&m->cfg, list);
	guest_rows(&m->cfg, list);
	group_rows(&m->cfg, list);
	if (m->start == START_READY)
		for (g = tenants_first(m); g != NULL; g = tenants_next(g))
			add_quotas(list, g);
	return json_pack(
	    "{s:s,s:o}", "process", "vtpm-managerd", "limits", list);
}

int
bus_limits(struct bus_call *c)
{
	bus_call_json(
	    c, json_pack("{s:[o,o,o]}", "processes", manager_json(c->m),
		   table_json(hwtpm_limits()), table_json(worker_limits())));
	return VT_OK;
}
