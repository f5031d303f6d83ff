/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/control/bus.h"
#include "vtpm_manager/guest/guest.h"

int
bus_reply_json(sd_bus_message *msg, json_t *j)
{
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
	int r;

	json_decref(j);
	if (text == NULL)
		return bus_fail(msg, VT_E_NOMEM, "");
	r = sd_bus_reply_method_return(msg, "s", text);
	free(text);
	return r;
}

int
bus_list(sd_bus_message *msg, struct mgr *m)
{
	return bus_reply_json(msg, guest_json_list(m));
}

/* --- questions that the worker answers --- */

struct ask {
	sd_bus_message *msg;
	struct mgr *m;
	uint8_t uuid[UUID_LEN];
	enum store_extra instead; /* what the store has, 0: nothing */
};

static struct ask *
ask_new(sd_bus_message *msg, struct mgr *m, const struct guest *in)
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
	struct guest in;

	(void)text;
	if (store_inst_get(a->m->st, a->uuid, &in) != VT_OK)
		(void)bus_fail(a->msg, VT_E_NOTFOUND, "it is gone");
	else
		(void)bus_reply_json(a->msg,
		    guest_json_show(a->m, &in, rc == VT_OK ? p : NULL, len));
	ask_free(a);
}

int
bus_show(sd_bus_message *msg, struct mgr *m)
{
	char text[MGR_TEXT_MAX];
	struct guest in;
	struct ask *a;
	int r;

	if (!bus_find(msg, m, &in, &r))
		return r;
	if ((a = ask_new(msg, m, &in)) == NULL)
		return bus_fail(msg, VT_E_NOMEM, "");
	if (guest_query(m, &in, WQ_INFO, on_info, a, text) == VT_OK)
		return 1;
	ask_free(a);
	return bus_reply_json(msg, guest_json_show(m, &in, NULL, 0));
}

int
bus_reply_bytes(sd_bus_message *msg, const uint8_t *p, size_t len)
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
		return bus_fail(msg, VT_E_STATE, why);
	r = bus_reply_bytes(msg, p, len);
	free(p);
	return r;
}

static void
on_bytes(void *arg, int rc, const char *text, const uint8_t *p, size_t len)
{
	struct ask *a = arg;

	if (rc == VT_OK)
		(void)bus_reply_bytes(a->msg, p, len);
	else
		(void)reply_stored(a->msg, a->m, a->uuid, a->instead, text);
	ask_free(a);
}

int
bus_log(sd_bus_message *msg, struct mgr *m)
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
	struct guest in;
	struct ask *a;
	size_t i;
	int r;

	if (!bus_find(msg, m, &in, &r))
		return r;
	if ((r = sd_bus_message_read(msg, "s", &what)) < 0)
		return r;
	for (i = 0; i < VT_NELEM(kinds); i++)
		if (strcmp(kinds[i].name, what) == 0)
			break;
	if (i == VT_NELEM(kinds))
		return bus_fail(
		    msg, VT_E_FORMAT, "there are: log, journal, pcrs");
	if ((a = ask_new(msg, m, &in)) == NULL)
		return bus_fail(msg, VT_E_NOMEM, "");
	a->instead = kinds[i].instead;
	if (guest_query(m, &in, kinds[i].what, on_bytes, a, text) == VT_OK)
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
bus_audit(sd_bus_message *msg, struct mgr *m)
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
		return bus_fail(msg, VT_E_SPACE, "the store takes no data");
	a.list = json_array();
	a.left = max == 0 || max > 5000 ? 5000 : max;
	rc = store_audit_each(m->st, from, audit_one, &a);
	if (rc < 0) {
		json_decref(a.list);
		return bus_fail(msg, rc, store_why(m->st));
	}
	return bus_reply_json(msg, a.list);
}
