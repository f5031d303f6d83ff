/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/ctl.h"
#include "vtpm_manager/deepq.h"
#include "vtpm_manager/groups.h"
#include "vtpm_manager/hwlink.h"
#include "vtpm_manager/inst.h"
#include "vtpm_manager/manager_anchor.h"
#include "vtpm_manager/pool.h"
#include "vtpm_manager/zyg.h"

int
ctl_reply_json(sd_bus_message *msg, json_t *j)
{
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
	int r;

	json_decref(j);
	if (text == NULL)
		return ctl_fail(msg, VT_E_NOMEM, "");
	r = sd_bus_reply_method_return(msg, "s", text);
	free(text);
	return r;
}

int
ctl_list(sd_bus_message *msg, struct mgr *m)
{
	return ctl_reply_json(msg, inst_json_list(m));
}

/* --- questions that the worker answers --- */

struct ask {
	sd_bus_message *msg;
	struct mgr *m;
	uint8_t uuid[UUID_LEN];
	enum store_extra instead; /* what the store has, 0: nothing */
};

static struct ask *
ask_new(sd_bus_message *msg, struct mgr *m, const struct inst *in)
{
	struct ask *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->msg = sd_bus_message_ref(msg);
	a->m = m;
	memcpy(a->uuid, in->uuid, UUID_LEN);
	return a;
}

static void
ask_free(struct ask *a)
{
	sd_bus_message_unref(a->msg);
	free(a);
}

static void
on_info(void *arg, int rc, const char *text, const uint8_t *p, size_t len)
{
	struct ask *a = arg;
	struct inst in;

	(void)text;
	if (store_inst_get(a->m->st, a->uuid, &in) != VT_OK)
		(void)ctl_fail(a->msg, VT_E_NOTFOUND, "it is gone");
	else
		(void)ctl_reply_json(a->msg,
		    inst_json_show(a->m, &in, rc == VT_OK ? p : NULL, len));
	ask_free(a);
}

int
ctl_show(sd_bus_message *msg, struct mgr *m)
{
	char text[MGR_TEXT_MAX];
	struct inst in;
	struct ask *a;
	int r;

	if (!ctl_find(msg, m, &in, &r))
		return r;
	if ((a = ask_new(msg, m, &in)) == NULL)
		return ctl_fail(msg, VT_E_NOMEM, "");
	if (inst_query(m, &in, WQ_INFO, on_info, a, text) == VT_OK)
		return 1;
	ask_free(a);
	return ctl_reply_json(msg, inst_json_show(m, &in, NULL, 0));
}

int
ctl_reply_bytes(sd_bus_message *msg, const uint8_t *p, size_t len)
{
	sd_bus_message *re = NULL;
	int r;

	r = sd_bus_message_new_method_return(msg, &re);
	if (r >= 0)
		r = sd_bus_message_append_array(re, 'y', p, len);
	if (r >= 0)
		r = sd_bus_send(NULL, re, NULL);
	sd_bus_message_unref(re);
	return r;
}

static int
reply_stored(sd_bus_message *msg, struct mgr *m, const uint8_t uuid[UUID_LEN],
    enum store_extra x, const char *why)
{
	uint8_t *p = NULL;
	size_t len = 0;
	int r;

	if (x == 0 || store_extra_get(m->st, uuid, x, &p, &len) != VT_OK)
		return ctl_fail(msg, VT_E_STATE, why);
	r = ctl_reply_bytes(msg, p, len);
	free(p);
	return r;
}

static void
on_bytes(void *arg, int rc, const char *text, const uint8_t *p, size_t len)
{
	struct ask *a = arg;

	if (rc == VT_OK)
		(void)ctl_reply_bytes(a->msg, p, len);
	else
		(void)reply_stored(a->msg, a->m, a->uuid, a->instead, text);
	ask_free(a);
}

int
ctl_log(sd_bus_message *msg, struct mgr *m)
{
	static const struct {
		const char *name;
		enum wquery_what what;
		enum store_extra instead;
	} kinds[] = {
		{ "log", WQ_LOG, SX_LOG },
		{ "journal", WQ_JOURNAL, 0 },
		{ "pcrs", WQ_PCRS, 0 },
	};
	char text[MGR_TEXT_MAX] = "";
	const char *what;
	struct inst in;
	struct ask *a;
	size_t i;
	int r;

	if (!ctl_find(msg, m, &in, &r))
		return r;
	if ((r = sd_bus_message_read(msg, "s", &what)) < 0)
		return r;
	for (i = 0; i < VT_NELEM(kinds); i++)
		if (strcmp(kinds[i].name, what) == 0)
			break;
	if (i == VT_NELEM(kinds))
		return ctl_fail(
		    msg, VT_E_FORMAT, "there are: log, journal, pcrs");
	if ((a = ask_new(msg, m, &in)) == NULL)
		return ctl_fail(msg, VT_E_NOMEM, "");
	a->instead = kinds[i].instead;
	if (inst_query(m, &in, kinds[i].what, on_bytes, a, text) == VT_OK)
		return 1;
	r = reply_stored(msg, m, in.uuid, a->instead, text);
	ask_free(a);
	return r;
}

/* --- audit --- */

struct audit_arg {
	json_t *list;
	uint32_t left;
};

static int
audit_one(const struct audit_rec *r, void *arg)
{
	struct audit_arg *a = arg;
	char hash[2 * 32 + 1];
	json_t *o = json_object();

	hex_encode(r->hash, sizeof(r->hash), hash);
	(void)json_object_set_new(o, "seq", json_integer((json_int_t)r->seq));
	(void)json_object_set_new(
	    o, "time_ms", json_integer((json_int_t)r->wall_ms));
	(void)json_object_set_new(o, "who", json_string(r->who));
	(void)json_object_set_new(o, "action", json_string(r->action));
	(void)json_object_set_new(o, "object", json_string(r->object));
	(void)json_object_set_new(o, "result", json_string(r->result));
	(void)json_object_set_new(o, "detail", json_string(r->detail));
	(void)json_object_set_new(o, "hash", json_string(hash));
	(void)json_array_append_new(a->list, o);
	return --a->left == 0;
}

int
ctl_audit(sd_bus_message *msg, struct mgr *m)
{
	struct audit_arg a = { 0 };
	uint64_t from;
	uint32_t max;
	int r, rc;

	if ((r = sd_bus_message_read(msg, "tu", &from, &max)) < 0)
		return r;
	mgr_audit_counted(m);
	/* What is not committed yet is not seen: make it so first. */
	if (m->unlocked && m->storage_ok && mgr_commit_now(m) != VT_OK)
		return ctl_fail(msg, VT_E_SPACE, "the store takes no data");
	a.list = json_array();
	a.left = max == 0 || max > 5000 ? 5000 : max;
	rc = store_audit_each(m->st, from, audit_one, &a);
	if (rc < 0) {
		json_decref(a.list);
		return ctl_fail(msg, rc, store_why(m->st));
	}
	return ctl_reply_json(msg, a.list);
}

/* --- status --- */

struct status {
	sd_bus_message *msg;
	struct mgr *m;
};

static json_t *
child_json(uint32_t pid, uint64_t restarts)
{
	return json_pack("{s:o,s:I}", "pid",
	    pid != 0 ? json_integer(pid) : json_null(), "restarts",
	    (json_int_t)restarts);
}

static int
count_one(const struct inst *in, void *arg)
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
		    inst_state_name((enum inst_state)i),
		    json_integer(inst_count(m, (enum inst_state)i)));
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
	struct deepq_counters c;

	deepq_counters(m, &c);
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "asked",
	    (json_int_t)c.asked, "answered", (json_int_t)c.answered, "failed",
	    (json_int_t)c.failed, "host_quotes", (json_int_t)c.host_quotes,
	    "batch_max", (json_int_t)c.batch_max, "host_quote_us_last",
	    (json_int_t)c.us_last, "waiting", (json_int_t)c.waiting);
}

static json_t *
tpm_json(struct mgr *m, const struct hw_answer *a)
{
	struct hw_status s;

	if (a->rc != VT_OK || hw_status_get(a->body, a->body_len, &s) != VT_OK)
		return json_pack("{s:b,s:s}", "up", 0, "why",
		    a->text[0] != '\0' ? a->text : vt_strerror(a->rc));
	return json_pack("{s:b,s:s,s:s,s:s,s:I,s:I,s:I}", "up", s.up,
	    "manufacturer", s.manufacturer, "firmware", s.firmware, "tcti",
	    hwlink_tcti(m->hw), "commands", (json_int_t)s.commands, "retries",
	    (json_int_t)s.retries, "failures", (json_int_t)s.failures);
}

static void
on_tpm_status(void *arg, const struct hw_answer *a)
{
	struct status *s = arg;
	struct store_space sp;
	struct mgr *m = s->m;
	const struct wblob ca = { m->ca_cert, (uint32_t)m->ca_cert_len };
	json_t *o = json_object();

	store_space(m->st, &sp);
	(void)json_object_set_new(o, "version", json_string(MGR_VERSION));
	(void)json_object_set_new(o, "deep_quotes", deep_json(m));
	(void)json_object_set_new(o, "pid", json_integer((json_int_t)getpid()));
	(void)json_object_set_new(
	    o, "started_ms", json_integer((json_int_t)m->started_ms));
	(void)json_object_set_new(o, "root",
	    json_string(m->root_kind == ROOT_SOFT ? "software" : "hardware"));
	(void)json_object_set_new(o, "state", json_string(m->cfg.state));
	(void)json_object_set_new(o, "run", json_string(m->cfg.run));
	(void)json_object_set_new(o, "separated", json_boolean(m->separated));
	/* what a verifier needs to know, and must get from here */
	if (ca.len > 0)
		(void)json_object_set_new(
		    o, "ca_certificate", inst_json_pem(&ca));
	(void)json_object_set_new(o, "tpm", tpm_json(m, a));
	(void)json_object_set_new(o, "anchor", anchorq_json(m));
	(void)json_object_set_new(
	    o, "zygote", child_json(zyg_pid(m->zyg), zyg_restarts(m->zyg)));
	(void)json_object_set_new(
	    o, "hwtpm", child_json(hwlink_pid(m->hw), hwlink_restarts(m->hw)));
	if (m->root_kind == ROOT_SOFT)
		(void)json_object_set_new(o, "soft_root",
		    json_pack("{s:I,s:s}", "pid", (json_int_t)root_pid(m),
			"state", root_state(m)));
	(void)json_object_set_new(o, "space",
	    json_pack("{s:b,s:b,s:b,s:I}", "ok", sp.ok, "reserve_used",
		sp.reserve_used, "storage_ok", m->storage_ok, "free_bytes",
		(json_int_t)sp.free_bytes));
	(void)json_object_set_new(o, "pool",
	    json_pack("{s:I,s:I}", "size", (json_int_t)m->cfg.pool, "ready",
		(json_int_t)pool_ready(m->pool)));
	(void)json_object_set_new(o, "xen",
	    json_pack("{s:b,s:b,s:b}", "serves", m->xen != NULL, "require_vtpm",
		m->cfg.xen_require_vtpm, "require_launch",
		m->cfg.xen_require_launch));
	(void)json_object_set_new(o, "vtpms", vtpms_json(m));
	(void)json_object_set_new(o, "counters", counters_json(&m->n));
	(void)json_object_set_new(
	    o, "groups", groups_json_list(m, (uint32_t)-1));
	(void)ctl_reply_json(s->msg, o);
	sd_bus_message_unref(s->msg);
	free(s);
}

static void
on_hw_usage(void *arg, const struct hw_answer *a)
{
	groups_take_usage(arg, a);
}

int
ctl_status(sd_bus_message *msg, struct mgr *m)
{
	struct status *s = calloc(1, sizeof(*s));
	struct hw_answer busy = { .rc = VT_E_CLOSED };

	if (s == NULL)
		return ctl_fail(msg, VT_E_NOMEM, "");
	s->msg = sd_bus_message_ref(msg);
	s->m = m;
	/* While that process is being started anew nobody has to wait.  The
	 * usage is answered first. */
	if (hwlink_pid(m->hw) == 0 ||
	    hwlink_request(m->hw, HW_USAGE, NULL, on_hw_usage, m) != VT_OK ||
	    hwlink_request(m->hw, HW_STATUS, NULL, on_tpm_status, s) != VT_OK)
		on_tpm_status(s, &busy);
	return 1;
}
