/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_tenant.c - groups on the control interface, and what the administrator
 * of a group may do without a role.
 */
#include "vtpm_manager/control/bus_tenant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/control/methods.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/core/hwtpm_link.h"
#include "vtpm_manager/hwtpm/quota.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/tenant/tenant.h"
#include "vtpm_manager/tenant/tenant_json.h"
#include "vtpm_manager/tenant/tenant_op.h"

#define ALL_GROUPS ((uint32_t)-1)

/* --- access --- */

/* The first argument; the message is rewound. */
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
bus_tenant_allows(const struct bus_call *c)
{
	char text[MGR_TEXT_MAX];
	const char *name;
	struct guest in;
	struct tenant *g;

	switch (c->method->tenant) {
	case TENANT_GUEST:
		return (name = first_text(c->msg)) != NULL &&
		       store_guest_find(c->m->st, name, &in) == VT_OK &&
		       tenants_admin(c->m, c->who.uid, in.group);
	case TENANT_GROUP:
		return (name = first_text(c->msg)) != NULL &&
		       tenant_find(c->m, name, &g, text) == VT_OK &&
		       tenants_admin(c->m, c->who.uid, g->r.number);
	case TENANT_OWN:
		return tenants_admin_any(c->m, c->who.uid);
	case TENANT_NONE:
		break;
	}
	return false;
}

/* --- arguments --- */

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
set_option(
    struct bus_call *c, struct options *o, const char *key, const char *v)
{
	const struct {
		const char *name;
		uint64_t max;
	} nums[] = {
		{ "vtpms", UINT32_MAX },
		{ "bytes", INT64_MAX },
		{ "hw_ms", HW_SHARE_MS_MAX },
	};
	uint64_t n;
	size_t i;

	if (strcmp(key, "key") == 0) {
		o->has_key = true;
		if (approval_key_read(v, strlen(v), o->key) == VT_OK)
			return VT_OK;
		(void)snprintf(c->text, sizeof(c->text),
		    "the key is not an ECDSA key on P-256 in PEM");
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
		(void)snprintf(c->text, sizeof(c->text),
		    "there is no option '%.32s'", key);
		return VT_E_FORMAT;
	}
	if (!number(v, nums[i].max, &n)) {
		(void)snprintf(c->text, sizeof(c->text),
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
read_options(struct bus_call *c, struct options *o)
{
	const char *key, *value;
	int rc = VT_OK;

	if (sd_bus_message_enter_container(c->msg, 'a', "{ss}") < 0)
		return VT_E_FORMAT;
	while (rc == VT_OK &&
	       sd_bus_message_read(c->msg, "{ss}", &key, &value) > 0)
		rc = set_option(c, o, key, value);
	if (rc == VT_OK && sd_bus_message_exit_container(c->msg) < 0)
		rc = VT_E_FORMAT;
	return rc;
}

/* The group that the first argument names. */
static int
read_group(struct bus_call *c, struct tenant **ret)
{
	const char *name;
	int rc;

	if (sd_bus_message_read(c->msg, "s", &name) < 0)
		return VT_E_FORMAT;
	(void)snprintf(c->object, sizeof(c->object), "%.63s", name);
	if ((rc = tenant_find(c->m, name, ret, c->text)) == VT_OK)
		(void)snprintf(
		    c->object, sizeof(c->object), "%s", (*ret)->r.name);
	return rc;
}

/* --- create, update, delete --- */

static void
on_created(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;
	char why[MGR_TEXT_MAX];
	struct tenant *g = NULL;

	if (rc == VT_OK &&
	    (rc = tenant_find(c->m, c->object, &g, why)) != VT_OK)
		text = why;
	bus_call_audit(c, rc, text);
	if (rc != VT_OK) {
		bus_call_fail(c, rc, text);
		return;
	}
	(void)sd_bus_reply_method_return(
	    c->msg, "ut", g->r.number, now_us() - c->t0_us);
	bus_call_free(c);
}

int
bus_group_create(struct bus_call *c)
{
	struct options o = { 0 };
	struct tenant_spec s = { 0 };
	const char *name;
	int rc;

	if (sd_bus_message_read(c->msg, "su", &name, &s.number) < 0)
		return VT_E_FORMAT;
	(void)snprintf(c->object, sizeof(c->object), "%.63s", name);
	(void)snprintf(s.name, sizeof(s.name), "%.63s", name);
	if (strlen(name) > NAME_MAX_LEN) {
		(void)snprintf(c->text, sizeof(c->text),
		    "group %s...: a group's name has at most %d characters",
		    s.name, NAME_MAX_LEN);
		return VT_E_RANGE;
	}
	if ((rc = read_options(c, &o)) != VT_OK)
		return rc;
	if (!o.has_key) {
		(void)snprintf(c->text, sizeof(c->text),
		    "group %s: its approval key is missing (--key PEM)",
		    s.name);
		return VT_E_FORMAT;
	}
	memcpy(s.key, o.key, sizeof(s.key));
	s.quota = o.quota;
	return tenants_create(c->m, &s, on_created, c, c->text);
}

static int
may_update(struct bus_call *c, const struct tenant *g, const struct options *o)
{
	if (c->limited && (o->has_quota || o->renew_ak)) {
		(void)snprintf(c->text, sizeof(c->text),
		    "group %s: only the host's operator (role admin) sets "
		    "quotas and renews the AK",
		    g->r.name);
		return VT_E_DENIED;
	}
	if (o->has_key) {
		(void)snprintf(c->text, sizeof(c->text),
		    "group %s: the approval key of a group cannot change; "
		    "create another group",
		    g->r.name);
		return VT_E_UNSUPPORTED;
	}
	return VT_OK;
}

int
bus_group_update(struct bus_call *c)
{
	struct options o = { 0 };
	const void *config = NULL;
	struct tenant *g = NULL;
	size_t len = 0;
	int rc;

	if ((rc = read_group(c, &g)) != VT_OK)
		return rc;
	o.quota = g->r.quota; /* a quota that is not named stays */
	if ((rc = read_options(c, &o)) != VT_OK)
		return rc;
	if (sd_bus_message_read_array(c->msg, 'y', &config, &len) < 0)
		return VT_E_FORMAT;
	if ((rc = may_update(c, g, &o)) != VT_OK)
		return rc;
	if (o.has_quota || len > 0)
		rc = tenants_update(c->m, g, o.has_quota ? &o.quota : NULL,
		    config, len, c->text);
	if (rc != VT_OK)
		return rc;
	if (o.renew_ak)
		return tenants_renew_ak(c->m, g, bus_call_done, c, c->text);
	bus_call_done(c, VT_OK, len > 0 ? "a signed configuration" : "quotas");
	return VT_OK;
}

int
bus_group_delete(struct bus_call *c)
{
	struct tenant *g;
	int rc;

	if ((rc = read_group(c, &g)) == VT_OK)
		rc = tenants_delete(c->m, g, c->text);
	if (rc == VT_OK)
		bus_call_done(c, VT_OK, "");
	return rc;
}

/* --- a quote of the host --- */

static void
on_quoted(void *arg, int rc, const char *text, const struct tenant_quote *q)
{
	uint8_t buf[TENANT_QUOTE_MAX];
	struct bus_call *c = arg;
	struct wr w;

	wr_init(&w, buf, sizeof(buf));
	if (rc == VT_OK) {
		tenant_quote_put(&w, q);
		if ((rc = wr_err(&w)) != VT_OK)
			text = vt_strerror(rc);
	}
	bus_call_audit(c, rc, text);
	if (rc != VT_OK)
		bus_call_fail(c, rc, text);
	else
		bus_call_bytes(c, buf, w.len);
}

int
bus_group_quote(struct bus_call *c)
{
	const void *nonce = NULL;
	struct tenant *g = NULL;
	size_t len = 0;
	int rc;

	if ((rc = read_group(c, &g)) != VT_OK)
		return rc;
	if (sd_bus_message_read_array(c->msg, 'y', &nonce, &len) < 0)
		return VT_E_FORMAT;
	return tenants_quote(c->m, g, nonce, len, on_quoted, c, c->text);
}

/* --- show, list: with the usage that vtpm-hwtpm reports --- */

static void
on_usage(void *arg, const struct hw_answer *a)
{
	struct bus_call *c = arg;
	const uint32_t *number = c->state;
	struct tenant *g;

	tenants_take_usage(c->m, a);
	if (*number == ALL_GROUPS)
		bus_call_json(c, tenants_json_list(c->m, ALL_GROUPS));
	else if ((g = tenant_number(c->m, *number)) != NULL)
		bus_call_json(c, tenants_json(c->m, g));
	else
		bus_call_fail(c, VT_E_NOTFOUND, "the group was deleted");
}

static int
answer_with_usage(struct bus_call *c, uint32_t n)
{
	const struct hw_answer none = { .rc = VT_E_CLOSED };
	uint32_t *number = bus_call_state(c, sizeof(*number));

	if (number == NULL)
		return VT_E_NOMEM;
	*number = n;
	if (hwlink_pid(c->m->hw) == 0 ||
	    hwlink_request(c->m->hw, HW_USAGE, NULL, on_usage, c) != VT_OK)
		on_usage(c, &none);
	return VT_OK;
}

int
bus_group_show(struct bus_call *c)
{
	struct tenant *g;
	int rc;

	if ((rc = read_group(c, &g)) != VT_OK)
		return rc;
	return answer_with_usage(c, g->r.number);
}

int
bus_group_list(struct bus_call *c)
{
	if (!c->limited)
		return answer_with_usage(c, ALL_GROUPS);
	bus_call_json(c, tenants_json_list(c->m, c->who.uid));
	return VT_OK;
}
