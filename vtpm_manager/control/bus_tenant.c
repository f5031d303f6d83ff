/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_tenant.c - groups on the control interface, and what an administrator
 * of one may do who has no role.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/control/bus.h"
#include "vtpm_manager/tenant/tenant.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/guest/guest.h"

/* --- who may ---------------------------------------------------------------
 */

/* The first argument, with the message as it was. */
static const char *
first_text(sd_bus_message *msg)
{
	const char *text = NULL;

	if (sd_bus_message_read(msg, "s", &text) < 0)
		text = NULL;
	if (sd_bus_message_rewind(msg, 1) < 0)
		return NULL;
	return text;
}

bool
bus_group_allows(sd_bus_message *msg, struct mgr *m, const struct bus_who *who,
    enum bus_scope scope)
{
	char text[MGR_TEXT_MAX];
	const char *name;
	struct guest in;
	struct grp *g;

	switch (scope) {
	case SCOPE_GUEST:
		return (name = first_text(msg)) != NULL &&
		       store_inst_find(m->st, name, &in) == VT_OK &&
		       tenants_admin(m, who->uid, in.group);
	case SCOPE_GROUP:
		return (name = first_text(msg)) != NULL &&
		       tenant_find(m, name, &g, text) == VT_OK &&
		       tenants_admin(m, who->uid, g->r.number);
	case SCOPE_OWN:
		return tenants_admin_any(m, who->uid);
	case SCOPE_NONE:
		break;
	}
	return false;
}

struct own {
	struct mgr *m;
	uint32_t uid;
	json_t *list;
};

static int
own_one(const struct guest *in, void *arg)
{
	struct own *o = arg;

	if (tenants_admin(o->m, o->uid, in->group))
		(void)json_array_append_new(o->list, guest_json(o->m, in));
	return 0;
}

int
bus_group_own(sd_bus_message *msg, struct mgr *m, const struct bus_who *who)
{
	struct own o = { .m = m, .uid = who->uid };

	if (strcmp(sd_bus_message_get_member(msg), "List") != 0)
		return bus_reply_json(msg, tenants_json_list(m, who->uid));
	o.list = json_array();
	if (store_inst_each(m->st, own_one, &o) != VT_OK) {
		json_decref(o.list);
		o.list = NULL;
	}
	return bus_reply_json(msg, o.list);
}

/* --- arguments --------------------------------------------------------------
 */

struct options {
	struct tenant_quota quota;
	bool has_quota, has_key, renew_ak;
	uint8_t key[APPROVAL_KEY_LEN];
};

static bool
number(const char *text, uint64_t max, uint64_t *ret)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    v > max)
		return false;
	*ret = v;
	return true;
}

static int
set_option(struct options *o, const char *key, const char *v, char *text)
{
	const struct {
		const char *name;
		uint64_t max;
	} nums[] = {
		{ "vtpms", UINT32_MAX },
		{ "bytes", INT64_MAX },
		{ "hw_ms", 60000 },
	};
	uint64_t n;
	size_t i;

	if (strcmp(key, "key") == 0) {
		o->has_key = true;
		if (approval_key_read(v, strlen(v), o->key) == VT_OK)
			return VT_OK;
		(void)snprintf(text, MGR_TEXT_MAX,
		    "the key is not the PEM of an ECDSA key on P-256");
		return VT_E_FORMAT;
	}
	if (strcmp(key, "renew_ak") == 0) {
		o->renew_ak = true;
		return VT_OK;
	}
	for (i = 0; i < VT_NELEM(nums); i++)
		if (strcmp(nums[i].name, key) == 0)
			break;
	if (i == VT_NELEM(nums)) {
		(void)snprintf(
		    text, MGR_TEXT_MAX, "there is no option '%.32s'", key);
		return VT_E_FORMAT;
	}
	if (!number(v, nums[i].max, &n)) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "%s is a number from 0 (no limit) to %llu, not '%.32s'",
		    key, (unsigned long long)nums[i].max, v);
		return VT_E_FORMAT;
	}
	o->has_quota = true;
	if (i == 0)
		o->quota.vtpms = (uint32_t)n;
	else if (i == 1)
		o->quota.bytes = n;
	else
		o->quota.hw_ms = (uint32_t)n;
	return VT_OK;
}

static int
read_options(sd_bus_message *msg, struct options *o, char *text)
{
	const char *key, *value;
	int rc = VT_OK;

	if (sd_bus_message_enter_container(msg, 'a', "{ss}") < 0)
		return VT_E_FORMAT;
	while (
	    rc == VT_OK && sd_bus_message_read(msg, "{ss}", &key, &value) > 0)
		rc = set_option(o, key, value, text);
	if (rc == VT_OK && sd_bus_message_exit_container(msg) < 0)
		rc = VT_E_FORMAT;
	return rc;
}

/* The group that the first argument names. */
static int
read_group(sd_bus_message *msg, struct bus_call *c, struct grp **ret)
{
	const char *name;
	int rc;

	if (sd_bus_message_read(msg, "s", &name) < 0)
		return VT_E_FORMAT;
	(void)snprintf(c->object, sizeof(c->object), "%.63s", name);
	if ((rc = tenant_find(c->m, name, ret, c->text)) == VT_OK)
		(void)snprintf(
		    c->object, sizeof(c->object), "%s", (*ret)->r.name);
	return rc;
}

/* --- create, update, delete --------------------------------------------------
 */

static void
on_created(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;
	char why[MGR_TEXT_MAX];
	struct grp *g = NULL;

	if (rc == VT_OK)
		rc = tenant_find(c->m, c->object, &g, why);
	bus_call_audit(c, rc, text);
	if (rc != VT_OK)
		(void)bus_fail(c->msg, rc, text);
	else
		(void)sd_bus_reply_method_return(
		    c->msg, "ut", g->r.number, now_us() - c->t0_us);
	bus_call_free(c);
}

int
bus_group_create(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	struct options o = { 0 };
	struct tenant_spec s = { 0 };
	const char *name;
	int rc = VT_E_FORMAT;

	if (sd_bus_message_read(msg, "su", &name, &s.number) >= 0) {
		(void)snprintf(c->object, sizeof(c->object), "%.63s", name);
		(void)snprintf(s.name, sizeof(s.name), "%.63s", name);
		rc = strlen(name) > NAME_MAX_LEN
			 ? VT_E_RANGE
			 : read_options(msg, &o, c->text);
	}
	if (rc == VT_OK && !o.has_key) {
		(void)snprintf(c->text, sizeof(c->text),
		    "group %s: its approval key is missing (--key PEM)",
		    s.name);
		rc = VT_E_FORMAT;
	}
	memcpy(s.key, o.key, sizeof(s.key));
	s.quota = o.quota;
	if (rc == VT_OK)
		rc = tenants_create(m, &s, on_created, c, c->text);
	return rc != VT_OK ? bus_call_refuse(c, rc) : 1;
}

int
bus_group_update(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	struct options o = { 0 };
	const void *config = NULL;
	struct grp *g = NULL;
	size_t len = 0;
	int rc;

	if ((rc = read_group(msg, c, &g)) == VT_OK) {
		o.quota = g->r.quota; /* what is not named stays */
		rc = read_options(msg, &o, c->text);
	}
	if (rc == VT_OK &&
	    sd_bus_message_read_array(msg, 'y', &config, &len) < 0)
		rc = VT_E_FORMAT;
	if (rc == VT_OK && c->limited && (o.has_quota || o.renew_ak)) {
		(void)snprintf(c->text, sizeof(c->text),
		    "group %s: its quotas and its AK are the host operator's "
		    "to set (role admin)",
		    g->r.name);
		rc = VT_E_DENIED;
	}
	if (rc == VT_OK && o.has_key) {
		(void)snprintf(c->text, sizeof(c->text),
		    "group %s: a group keeps its approval key; make another "
		    "group",
		    g->r.name);
		rc = VT_E_UNSUPPORTED;
	}
	if (rc == VT_OK && (o.has_quota || len > 0))
		rc = tenants_update(
		    m, g, o.has_quota ? &o.quota : NULL, config, len, c->text);
	if (rc == VT_OK && o.renew_ak) {
		rc = tenants_renew_ak(m, g, bus_call_done, c, c->text);
		return rc != VT_OK ? bus_call_refuse(c, rc) : 1;
	}
	if (rc != VT_OK)
		return bus_call_refuse(c, rc);
	bus_call_done(c, VT_OK, len > 0 ? "a signed configuration" : "quotas");
	return 1;
}

int
bus_group_delete(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	struct grp *g;
	int rc;

	if ((rc = read_group(msg, c, &g)) == VT_OK)
		rc = tenants_delete(m, g, c->text);
	if (rc != VT_OK)
		return bus_call_refuse(c, rc);
	bus_call_done(c, VT_OK, "");
	return 1;
}

/* --- a quote of the host
 * ------------------------------------------------------ */

static void
on_quoted(void *arg, int rc, const char *text, const struct group_quote *q)
{
	uint8_t buf[GROUP_QUOTE_MAX];
	struct bus_call *c = arg;
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	if (rc == VT_OK) {
		group_quote_put(&w, q);
		if ((rc = wr_err(&w)) != VT_OK)
			text = vt_strerror(rc);
	}
	bus_call_audit(c, rc, text);
	if (rc != VT_OK)
		(void)bus_fail(c->msg, rc, text);
	else
		(void)bus_reply_bytes(c->msg, buf, w.len);
	bus_call_free(c);
}

int
bus_group_quote(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	const void *nonce = NULL;
	struct grp *g = NULL;
	size_t len = 0;
	int rc;

	if ((rc = read_group(msg, c, &g)) == VT_OK &&
	    sd_bus_message_read_array(msg, 'y', &nonce, &len) < 0)
		rc = VT_E_FORMAT;
	if (rc == VT_OK)
		rc = tenants_quote(m, g, nonce, len, on_quoted, c, c->text);
	return rc != VT_OK ? bus_call_refuse(c, rc) : 1;
}

/* --- show, list
 * ----------------------------------------------------------------- */

struct ask {
	sd_bus_message *msg;
	struct mgr *m;
	uint32_t number; /* (uint32_t)-1: all */
};

static void
on_usage(void *arg, const struct hw_answer *a)
{
	struct ask *k = arg;
	struct grp *g;

	tenants_take_usage(k->m, a);
	if (k->number == (uint32_t)-1)
		(void)bus_reply_json(
		    k->msg, tenants_json_list(k->m, (uint32_t)-1));
	else if ((g = tenant_number(k->m, k->number)) != NULL)
		(void)bus_reply_json(k->msg, tenants_json(k->m, g));
	else
		(void)bus_fail(k->msg, VT_E_NOTFOUND, "the group is gone");
	sd_bus_message_unref(k->msg);
	free(k);
}

static int
answer_with_usage(sd_bus_message *msg, struct mgr *m, uint32_t n)
{
	struct hw_answer none = { .rc = VT_E_CLOSED };
	struct ask *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return bus_fail(msg, VT_E_NOMEM, "");
	k->msg = sd_bus_message_ref(msg);
	k->m = m;
	k->number = n;
	if (hwlink_pid(m->hw) == 0 ||
	    hwlink_request(m->hw, HW_USAGE, NULL, on_usage, k) != VT_OK)
		on_usage(k, &none);
	return 1;
}

int
bus_group_show(sd_bus_message *msg, struct mgr *m)
{
	char text[MGR_TEXT_MAX];
	const char *name;
	struct grp *g;
	int r, rc;

	if ((r = sd_bus_message_read(msg, "s", &name)) < 0)
		return r;
	if ((rc = tenant_find(m, name, &g, text)) != VT_OK)
		return bus_fail(msg, rc, text);
	return answer_with_usage(msg, m, g->r.number);
}

int
bus_group_list(sd_bus_message *msg, struct mgr *m)
{
	return answer_with_usage(msg, m, (uint32_t)-1);
}
