/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_methods.c - one entry for all methods: it identifies the caller, checks
 * role, tenant and readiness by the list in methods.h, then runs the handler.
 */
#include "vtpm_manager/control/bus_methods.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/control/bus_tenant.h"
#include "vtpm_manager/control/methods.h"
#include "vtpm_manager/host/host_keys.h"
#include "vtpm_manager/tenant/tenant.h"

static void
deny(struct bus_call *c)
{
	const struct bus_method *me = c->method;
	bool tenant = tenants_admin_any(c->m, c->who.uid);

	if (tenant)
		(void)snprintf(c->text, sizeof(c->text),
		    "%s needs the role %s; the administrator of a group may "
		    "call it for that group's own objects at most",
		    me->name, bus_role_name(me->role));
	else
		(void)snprintf(c->text, sizeof(c->text),
		    "%s needs the role %s, this caller has %s; see %s_users "
		    "in vtpm-managerd.conf(5)",
		    me->name, bus_role_name(me->role),
		    bus_role_name(c->who.role), bus_role_name(me->role));
	if (me->action != NULL || tenant)
		audit_log(c->m, c->who.text,
		    me->action != NULL ? me->action : "read", "", "denied",
		    "%s", me->name);
	bus_call_fail(c, VT_E_DENIED, c->text);
}

static void
not_ready(struct bus_call *c)
{
	if (host_keys_sealed(c->m))
		(void)snprintf(c->text, sizeof(c->text),
		    "the manager is sealed: %.400s; see `vtpmctl host status`",
		    c->m->host->why);
	else
		(void)snprintf(c->text, sizeof(c->text),
		    "%s: the manager is starting (%s); try again when "
		    "`vtpmctl status` no longer says STARTING",
		    c->method->name, start_state_name(c->m->start));
	bus_call_fail(c, VT_E_AGAIN, c->text);
}

static bool
identify(const struct bus_peer *p, sd_bus_message *msg, struct bus_who *ret)
{
	if (!p->system) {
		*ret = p->who;
		return true;
	}
	return bus_who_of_message(&p->m->cfg, msg, ret) == VT_OK;
}

static int
dispatch(sd_bus_message *msg, struct bus_peer *p, const struct bus_method *me)
{
	struct bus_who who = { .uid = (uid_t)-1, .text = "uid unknown" };
	bool known = identify(p, msg, &who);
	struct bus_call *c = bus_call_new(msg, p->m, me, &who);
	int rc;

	if (c == NULL)
		return -ENOMEM;
	c->status = p->status;
	c->peer = p;
	if (!known || (c->limited && !bus_tenant_allows(c)))
		deny(c);
	else if (p->m->start != START_READY && me->when != WHEN_ALWAYS)
		not_ready(c);
	else if ((rc = me->serve(c)) != VT_OK)
		bus_call_refuse(c, rc);
	return 1;
}

static int
get_version(sd_bus *bus, const char *path, const char *iface, const char *prop,
    sd_bus_message *reply, void *arg, sd_bus_error *err)
{
	(void)bus;
	(void)path;
	(void)iface;
	(void)prop;
	(void)arg;
	(void)err;
	return sd_bus_message_append(reply, "s", VT_VERSION);
}

/* clang-format off */
#define M(method, role, tenant, when, action, serve, args, results) \
static int \
on_##method(sd_bus_message *msg, void *arg, sd_bus_error *err) \
{ \
	static const struct bus_method me = { #method, ROLE_##role, \
		TENANT_##tenant, WHEN_##when, action, serve }; \
\
	(void)err; \
	return dispatch(msg, arg, &me); \
}
BUS_METHODS(M)
#undef M

#define M(method, role, tenant, when, action, serve, args, results) \
	SD_BUS_METHOD_WITH_ARGS(#method, SD_BUS_ARGS(args), \
	    SD_BUS_RESULT(results), on_##method, SD_BUS_VTABLE_UNPRIVILEGED),
const sd_bus_vtable bus_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "s", get_version, 0,
	    SD_BUS_VTABLE_PROPERTY_CONST),
	BUS_METHODS(M)
	SD_BUS_SIGNAL_WITH_ARGS(BUS_SIGNAL_GUEST,
	    SD_BUS_ARGS("s", name, "s", uuid, "s", from, "s", to), 0),
	SD_BUS_SIGNAL_WITH_ARGS(BUS_SIGNAL_AUDIT,
	    SD_BUS_ARGS("s", who, "s", action, "s", object, "s", result,
		"s", detail), 0),
	SD_BUS_SIGNAL_WITH_ARGS(BUS_SIGNAL_MISSED,
	    SD_BUS_ARGS("t", signals), 0),
	SD_BUS_VTABLE_END,
};
#undef M
/* clang-format on */
