/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_query.c - the methods that only read: List, Show, Log, Stats,
 * Subscribe, Audit.
 */
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/control/bus_methods.h"
#include "vtpm_manager/control/limits.h"
#include "vtpm_manager/control/methods.h"
#include "vtpm_manager/guest/guest_json.h"
#include "vtpm_manager/guest/guest_op.h"
#include "vtpm_manager/guest/guest_stats.h"
#include "vtpm_manager/guest/guest_stats_json.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_audit.h"
#include "vtpm_manager/store/store_blob.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/tenant/tenant.h"

/* --- List --- */

struct own {
	const struct bus_call *c;
	json_t *list;
};

static int
own_one(const struct guest *in, void *arg)
{
	const struct own *o = arg;

	if (tenants_admin(o->c->m, o->c->who.uid, in->group))
		(void)json_array_append_new(o->list, guest_json(o->c->m, in));
	return 0;
}

int
bus_list(struct bus_call *c)
{
	struct own o = { .c = c };

	if (!c->limited) {
		bus_call_json(c, guest_json_list(c->m));
		return VT_OK;
	}
	o.list = json_array();
	if (store_guest_each(c->m->st, own_one, &o) != VT_OK) {
		json_decref(o.list);
		o.list = NULL;
	}
	bus_call_json(c, o.list);
	return VT_OK;
}

/* --- Show, Log: the worker answers if there is one --- */

struct query {
	uint8_t uuid[UUID_LEN];
	enum store_extra instead; /* the store's copy; 0: it has none */
};

static struct query *
query_new(struct bus_call *c, const struct guest *in)
{
	struct query *q = bus_call_state(c, sizeof(*q));

	if (q != NULL)
		memcpy(q->uuid, in->uuid, UUID_LEN);
	return q;
}

static void
on_info(void *arg, int rc, const char *text, const uint8_t *p, size_t len)
{
	struct bus_call *c = arg;
	const struct query *q = c->state;
	struct guest in;

	(void)text;
	if (store_guest_get(c->m->st, q->uuid, &in) != VT_OK)
		bus_call_fail(c, VT_E_NOTFOUND, "the vTPM was destroyed");
	else
		bus_call_json(
		    c, guest_json_show(c->m, &in, rc == VT_OK ? p : NULL, len));
}

int
bus_show(struct bus_call *c)
{
	struct guest in;

	if (!bus_call_find(c, &in))
		return VT_OK;
	if (query_new(c, &in) == NULL)
		return VT_E_NOMEM;
	if (guest_query(c->m, &in, WQ_INFO, on_info, c, c->text) != VT_OK)
		bus_call_json(c, guest_json_show(c->m, &in, NULL, 0));
	return VT_OK;
}

/* why: the worker did not answer, and the store may have no copy. */
static void
reply_stored(struct bus_call *c, int rc, const char *why)
{
	const struct query *q = c->state;
	uint8_t *p = NULL;
	size_t len = 0;

	if (q->instead == 0 ||
	    store_extra_get(c->m->st, q->uuid, q->instead, &p, &len) != VT_OK)
		bus_call_fail(c, rc, why);
	else
		bus_call_bytes(c, p, len);
	free(p);
}

static void
on_bytes(void *arg, int rc, const char *text, const uint8_t *p, size_t len)
{
	struct bus_call *c = arg;

	if (rc == VT_OK)
		bus_call_bytes(c, p, len);
	else
		reply_stored(c, rc, text);
}

int
bus_log(struct bus_call *c)
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
	const char *what;
	struct guest in;
	struct query *q;
	size_t i;
	int r, rc;

	if (!bus_call_find(c, &in))
		return VT_OK;
	if ((r = sd_bus_message_read(c->msg, "s", &what)) < 0) {
		bus_call_bad(c, r);
		return VT_OK;
	}
	for (i = 0; i < VT_NELEM(kinds); i++)
		if (strcmp(kinds[i].name, what) == 0)
			break;
	if (i == VT_NELEM(kinds)) {
		bus_call_fail(
		    c, VT_E_FORMAT, "a guest has: log, journal, pcrs");
		return VT_OK;
	}
	if ((q = query_new(c, &in)) == NULL)
		return VT_E_NOMEM;
	q->instead = kinds[i].instead;
	rc = guest_query(c->m, &in, kinds[i].what, on_bytes, c, c->text);
	if (rc != VT_OK)
		reply_stored(c, rc, c->text);
	return VT_OK;
}

/* --- Stats --- */

static void
on_stats(void *arg, int rc)
{
	struct bus_call *c = arg;

	if (rc != VT_OK)
		bus_call_free(c);
	else
		bus_call_json(c, guest_stats_json(c->m));
}

int
bus_stats(struct bus_call *c)
{
	return guest_stats_gather(c->m, on_stats, c);
}

/* --- Subscribe --- */

int
bus_subscribe(struct bus_call *c)
{
	int fd = sd_bus_get_fd(sd_bus_message_get_bus(c->msg));
	const int room = BUS_SIGNALS_ROOM;

	/* sd-bus asks for 8 MiB of the kernel's memory. */
	if (!c->peer->system &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) == -1)
		return VT_E_SYS;
	c->peer->subscribed = true;
	(void)sd_bus_reply_method_return(c->msg, "");
	bus_call_free(c);
	return VT_OK;
}

/* --- Audit --- */

struct audit_list {
	json_t *list;
	uint32_t left;
};

static int
audit_one(const struct audit_rec *r, void *arg)
{
	struct audit_list *a = arg;
	char hash[2 * SHA256_LEN + 1];

	hex_encode(r->hash, sizeof(r->hash), hash);
	/* "o*": text that is not UTF-8 is left out, its record is not. */
	(void)json_array_append_new(a->list,
	    json_pack("{s:I,s:I,s:o*,s:o*,s:o*,s:o*,s:o*,s:s}", "seq",
		(json_int_t)r->seq, "time_ms", (json_int_t)r->wall_ms, "who",
		json_string(r->who), "action", json_string(r->action), "object",
		json_string(r->object), "result", json_string(r->result),
		"detail", json_string(r->detail), "hash", hash));
	return --a->left == 0;
}

int
bus_audit(struct bus_call *c)
{
	struct audit_list a = { 0 };
	char text[MGR_TEXT_MAX];
	uint64_t from;
	uint32_t max;
	int r, rc;

	if ((r = sd_bus_message_read(c->msg, "tu", &from, &max)) < 0) {
		bus_call_bad(c, r);
		return VT_OK;
	}
	audit_log_counted(c->m);
	/* Only committed records are listed. */
	if (start_store_open(c->m->start) && c->m->storage_ok &&
	    commit_now(c->m) != VT_OK) {
		commit_text(c->m, VT_E_SPACE, text, sizeof(text));
		bus_call_fail(c, VT_E_STATE, text);
		return VT_OK;
	}
	a.list = json_array();
	a.left = max == 0 || max > 5000 ? 5000 : max;
	if ((rc = store_audit_each(c->m->st, from, audit_one, &a)) < 0) {
		json_decref(a.list);
		bus_call_fail(c, rc, store_why(c->m->st));
	} else
		bus_call_json(c, a.list);
	return VT_OK;
}
