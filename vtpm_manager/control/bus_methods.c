/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The methods of org.vtpm.Manager1: one table of who may call what, one
 * entry that checks it for all, one handler each.  Slow work is answered
 * when it is done.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm_manager/control/bus.h"
#include "vtpm_manager/tenant/tenant.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/xen/xenback_link.h"
#include "vtpm_manager/commit/anchor.h"

struct method {
	const char *name;
	enum bus_role role;
	const char *action; /* audited; NULL: it only reads */
	/* What a group's administrator may do with it, who has no such role. */
	enum bus_scope scope;
	int (*read)(sd_bus_message *msg, struct mgr *m);
	int (*change)(sd_bus_message *msg, struct mgr *m, struct bus_call *c);
};

static const struct {
	int rc;
	const char *name;
} errors[] = {
	{ VT_E_NOTFOUND, BUS_ERROR "NotFound" },
	{ VT_E_EXISTS, BUS_ERROR "Exists" },
	{ VT_E_BUSY, BUS_ERROR "Busy" },
	{ VT_E_DENIED, BUS_ERROR "Denied" },
	{ VT_E_FORMAT, BUS_ERROR "Invalid" },
	{ VT_E_RANGE, BUS_ERROR "Invalid" },
	{ VT_E_SPACE, BUS_ERROR "NoSpace" },
	{ VT_E_CORRUPT, BUS_ERROR "Tampered" },
	{ VT_E_AUTH, BUS_ERROR "Tampered" },
	{ VT_E_STALE, BUS_ERROR "Tampered" },
	{ VT_E_STATE, BUS_ERROR "State" },
	{ VT_E_UNSUPPORTED, BUS_ERROR "Unsupported" },
	{ VT_E_POLICY, BUS_ERROR "Policy" },
};

int
bus_fail(sd_bus_message *msg, int rc, const char *text)
{
	const char *name = BUS_ERROR "Failed";
	size_t i;

	for (i = 0; i < VT_NELEM(errors); i++)
		if (errors[i].rc == rc)
			name = errors[i].name;
	return sd_bus_reply_method_errorf(msg, name, "%s",
	    text != NULL && text[0] != '\0' ? text : vt_strerror(rc));
}

bool
bus_find(sd_bus_message *msg, struct mgr *m, struct guest *ret, int *ret_r)
{
	char text[MGR_TEXT_MAX];
	const char *name;
	int rc;

	if ((*ret_r = sd_bus_message_read(msg, "s", &name)) < 0)
		return false;
	if ((rc = store_inst_find(m->st, name, ret)) == VT_OK)
		return true;
	(void)snprintf(text, sizeof(text),
	    rc == VT_E_NOTFOUND
		? "guest %.63s: there is no such vTPM; `vtpmctl list` shows "
		  "all, `vtpmctl create` makes one"
		: "guest %.63s: the registry cannot be read",
	    name);
	*ret_r = bus_fail(msg, rc, text);
	return false;
}

/* --- calls that take time --- */

static struct bus_call *
call_new(sd_bus_message *msg, struct mgr *m, const struct method *me,
    const struct bus_who *who)
{
	struct bus_call *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->msg = sd_bus_message_ref(msg);
	c->m = m;
	c->action = me->action;
	c->t0_us = now_us();
	c->uid = who->uid;
	c->limited = who->role < me->role;
	(void)snprintf(c->who, sizeof(c->who), "%s", who->text);
	return c;
}

void
bus_call_free(struct bus_call *c)
{
	sd_bus_message_unref(c->msg);
	free(c);
}

void
bus_call_audit(struct bus_call *c, int rc, const char *text)
{
	const char *prefix = strstr(text, ": ");

	/* "guest NAME: " is in its own column already. */
	if (strncmp(text, "guest ", 6) == 0 && prefix != NULL)
		text = prefix + 2;
	mgr_audit(c->m, c->who, c->action, c->object,
	    rc == VT_OK ? "ok" : "refused", "%.200s", text);
}

/* Ended now or earlier: answer with the time that it took. */
void
bus_call_done(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;

	bus_call_audit(c, rc, text);
	if (rc != VT_OK)
		(void)bus_fail(c->msg, rc, text);
	else
		(void)sd_bus_reply_method_return(
		    c->msg, "t", now_us() - c->t0_us);
	bus_call_free(c);
}

/* The same for what could not even begin. */
int
bus_call_refuse(struct bus_call *c, int rc)
{
	if (c->text[0] == '\0')
		(void)snprintf(c->text, sizeof(c->text), "%s", vt_strerror(rc));
	bus_call_done(c, rc, c->text);
	return 1;
}

static bool
bus_call_find(struct bus_call *c, struct guest *ret, int *ret_r)
{
	if (!bus_find(c->msg, c->m, ret, ret_r)) {
		bus_call_free(c);
		return false;
	}
	(void)snprintf(c->object, sizeof(c->object), "%s", ret->name);
	return true;
}

static int
do_start(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	struct guest in;
	int r, rc;

	(void)msg;
	if (!bus_call_find(c, &in, &r))
		return r;
	rc = guest_start(m, &in, bus_call_done, c, c->text);
	return rc != VT_OK ? bus_call_refuse(c, rc) : 1;
}

static int
do_stop(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	struct guest in;
	int force, r, rc;

	if (!bus_call_find(c, &in, &r))
		return r;
	if ((r = sd_bus_message_read(msg, "b", &force)) < 0) {
		bus_call_free(c);
		return r;
	}
	rc = guest_stop(m, &in, force != 0, bus_call_done, c, c->text);
	return rc != VT_OK ? bus_call_refuse(c, rc) : 1;
}

static int
do_reset(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	struct guest in;
	int r, rc;

	(void)msg;
	if (!bus_call_find(c, &in, &r))
		return r;
	rc = guest_reset(m, &in, bus_call_done, c, c->text);
	return rc != VT_OK ? bus_call_refuse(c, rc) : 1;
}

static int
do_destroy(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	struct guest in;
	int force, r, rc;

	if (!bus_call_find(c, &in, &r))
		return r;
	if ((r = sd_bus_message_read(msg, "b", &force)) < 0) {
		bus_call_free(c);
		return r;
	}
	rc = guest_destroy(
	    m, &in, force != 0, c->who, bus_call_done, c, c->text);
	return rc != VT_OK ? bus_call_refuse(c, rc) : 1;
}

/* A launch starts the vTPM that it is for. */
static void
on_recorded(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;
	struct guest in;

	if (rc == VT_OK) {
		rc = store_inst_find(c->m->st, c->object, &in);
		if (rc == VT_OK && guest_live(c->m, in.uuid) == NULL) {
			rc = guest_start(c->m, &in, bus_call_done, c, c->text);
			if (rc == VT_OK)
				return;
			text = c->text;
		}
	}
	bus_call_done(c, rc, text);
}

static int
do_launch(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	const void *record;
	struct guest in;
	size_t len;
	int r, rc;

	if (!bus_call_find(c, &in, &r))
		return r;
	r = sd_bus_message_read_array(msg, 'y', &record, &len);
	if (r < 0 || len > BUS_LAUNCH_MAX) {
		bus_call_free(c);
		return r < 0 ? r : -E2BIG;
	}
	rc = guest_launch(m, &in, record, len, on_recorded, c, c->text);
	return rc != VT_OK ? bus_call_refuse(c, rc) : 1;
}

/* The record is bound to the domain: nobody else runs under it. */
static void
on_domain_launched(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;
	struct guest in;

	if (rc == VT_OK && store_inst_find(c->m->st, c->object, &in) == VT_OK)
		xenlink_launched(c->m->xen, in.uuid);
	bus_call_done(c, rc, text);
}

static int
do_launch_domain(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	const void *record;
	struct guest in;
	uint32_t domid;
	size_t len;
	int r, rc;

	if (!bus_call_find(c, &in, &r))
		return r;
	r = sd_bus_message_read_array(msg, 'y', &record, &len);
	if (r >= 0)
		r = sd_bus_message_read(msg, "u", &domid);
	if (r < 0 || len > BUS_LAUNCH_MAX) {
		bus_call_free(c);
		return r < 0 ? r : -E2BIG;
	}
	rc = xenlink_may_launch(m->xen, &in, domid, c->text);
	if (rc == VT_OK)
		rc = guest_launch(
		    m, &in, record, len, on_domain_launched, c, c->text);
	return rc != VT_OK ? bus_call_refuse(c, rc) : 1;
}

/* --- StopAll --- */

static void
end_manager(struct mgr *m)
{
	mgr_end(m);
}

static void
all_stopped(struct bus_call *c)
{
	mgr_audit(c->m, c->who, c->action, "", "ok", "%u stopped%s", c->count,
	    c->end ? ", the manager ends" : "");
	(void)sd_bus_reply_method_return(c->msg, "u", c->count);
	if (c->end)
		root_stop(c->m, end_manager);
	bus_call_free(c);
}

static void
on_one_stopped(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;

	(void)rc;
	(void)text;
	if (--c->left == 0)
		all_stopped(c);
}

static int
do_stop_all(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	struct ginst *g, *next;
	struct guest in;
	int end, r;

	if ((r = sd_bus_message_read(msg, "b", &end)) < 0) {
		bus_call_free(c);
		return r;
	}
	c->end = end != 0;
	c->left = 1; /* ours, until all were asked */
	for (g = m->insts; g != NULL; g = next) {
		next = g->next; /* guest_stop() may free this one only */
		in = g->in;
		c->left++;
		if (guest_stop(m, &in, false, on_one_stopped, c, c->text) !=
		    VT_OK)
			c->left--;
		else
			c->count++;
	}
	on_one_stopped(c, VT_OK, "");
	return 1;
}

/* --- Create --- */

static int
parse_banks(const char *text, uint8_t *ret)
{
	static const struct {
		const char *name;
		uint8_t bit;
	} banks[] = {
		{ "sha256", BANK_SHA256 },
		{ "sha384", BANK_SHA384 },
		{ "sha512", BANK_SHA512 },
	};
	uint8_t bits = 0;
	size_t i, n;

	for (; *text != '\0'; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		for (i = 0; i < VT_NELEM(banks); i++)
			if (strlen(banks[i].name) == n &&
			    memcmp(text, banks[i].name, n) == 0)
				break;
		if (i == VT_NELEM(banks))
			return VT_E_FORMAT;
		bits |= banks[i].bit;
	}
	*ret = bits;
	return bits != 0 ? VT_OK : VT_E_FORMAT;
}

static int
set_option(struct mgr *m, struct guest_spec *s, const char *key, const char *v,
    char *text)
{
	struct grp *g;

	if (strcmp(key, "tpm") == 0) {
		s->tpm_version = strcmp(v, "2.0") == 0   ? TPM_VER_20
				 : strcmp(v, "1.2") == 0 ? TPM_VER_12
							 : 0;
		if (s->tpm_version != 0)
			return VT_OK;
		(void)snprintf(
		    text, MGR_TEXT_MAX, "tpm is 2.0 or 1.2, not '%.32s'", v);
	} else if (strcmp(key, "uuid") == 0) {
		s->has_uuid = true;
		if (uuid_parse(v, s->uuid) == VT_OK)
			return VT_OK;
		(void)snprintf(text, MGR_TEXT_MAX, "'%.64s' is not a UUID", v);
	} else if (strcmp(key, "banks") == 0) {
		if (parse_banks(v, &s->banks) == VT_OK)
			return VT_OK;
		(void)snprintf(text, MGR_TEXT_MAX,
		    "banks are out of sha256,sha384,sha512, not '%.64s' "
		    "(SHA-1 only in a TPM 1.2)",
		    v);
	} else if (strcmp(key, "group") == 0) {
		if (tenant_find(m, v, &g, text) == VT_OK) {
			s->group = g->r.number;
			return VT_OK;
		}
	} else
		(void)snprintf(
		    text, MGR_TEXT_MAX, "there is no option '%.32s'", key);
	return VT_E_FORMAT;
}

/* -EBADMSG and the like, or VT_E_FORMAT with words. */
static int
read_spec(sd_bus_message *msg, struct mgr *m, struct guest_spec *s, char *text)
{
	const char *name, *key, *value;
	int r, rc = VT_OK;

	s->tpm_version = TPM_VER_20;
	if (sd_bus_message_read(msg, "s", &name) < 0 ||
	    sd_bus_message_enter_container(msg, 'a', "{ss}") < 0)
		return VT_E_FORMAT;
	if (strlen(name) >= sizeof(s->name)) {
		(void)snprintf(text, MGR_TEXT_MAX,
		    "a guest's name has at most %d characters", NAME_MAX_LEN);
		return VT_E_FORMAT;
	}
	memcpy(s->name, name, strlen(name) + 1);
	while (rc == VT_OK &&
	       (r = sd_bus_message_read(msg, "{ss}", &key, &value)) > 0)
		rc = set_option(m, s, key, value, text);
	if (rc != VT_OK)
		return rc;
	if (s->tpm_version == TPM_VER_12 && s->banks != 0) {
		(void)snprintf(
		    text, MGR_TEXT_MAX, "a TPM 1.2 has no banks to choose");
		return VT_E_FORMAT;
	}
	if (s->banks == 0)
		s->banks =
		    s->tpm_version == TPM_VER_20 ? BANK_SHA256 : BANK_SHA1;
	return VT_OK;
}

static void
on_created(
    void *arg, int rc, const char *text, const struct guest_created *done)
{
	char uuid[UUID_STRLEN + 1];
	struct bus_call *c = arg;

	if (rc != VT_OK)
		(void)bus_fail(c->msg, rc, text);
	else {
		uuid_format(done->uuid, uuid);
		(void)sd_bus_reply_method_return(
		    c->msg, "stb", uuid, done->us, done->from_pool);
	}
	bus_call_free(c); /* guest_create() has audited it */
}

static int
do_create(sd_bus_message *msg, struct mgr *m, struct bus_call *c)
{
	struct guest_spec s = { 0 };
	int rc;

	rc = read_spec(msg, m, &s, c->text);
	memcpy(c->object, s.name, sizeof(c->object));
	if (rc == VT_OK && c->limited && !tenants_admin(m, c->uid, s.group)) {
		(void)snprintf(c->text, sizeof(c->text),
		    "guest %s: not created: name a group that you administer "
		    "(--group)",
		    s.name);
		rc = VT_E_DENIED;
	}
	if (rc == VT_OK)
		rc = guest_create(m, &s, c->who, on_created, c, c->text);
	return rc != VT_OK ? bus_call_refuse(c, rc) : 1;
}

/* --- the table --- */

/* clang-format off */
static const struct method methods[] = {
	{ "Create", ROLE_ADMIN, "create", SCOPE_OWN, NULL, do_create },
	{ "Destroy", ROLE_ADMIN, "destroy", SCOPE_GUEST, NULL, do_destroy },
	{ "Start", ROLE_OPERATOR, "start", SCOPE_GUEST, NULL, do_start },
	{ "Stop", ROLE_OPERATOR, "stop", SCOPE_GUEST, NULL, do_stop },
	{ "StopAll", ROLE_ADMIN, "stop-all", SCOPE_NONE, NULL, do_stop_all },
	{ "Reset", ROLE_OPERATOR, "reset", SCOPE_GUEST, NULL, do_reset },
	{ "Launch", ROLE_OPERATOR, "launch", SCOPE_GUEST, NULL, do_launch },
	{ "LaunchDomain", ROLE_OPERATOR, "launch", SCOPE_NONE, NULL,
	    do_launch_domain },
	{ "Recover", ROLE_ADMIN, "recover", SCOPE_NONE, NULL, bus_recover },
	{ "Xen", ROLE_OPERATOR, "xen", SCOPE_NONE, NULL, bus_xen },
	{ "List", ROLE_READER, NULL, SCOPE_OWN, bus_list, NULL },
	{ "Show", ROLE_READER, NULL, SCOPE_GUEST, bus_show, NULL },
	{ "Log", ROLE_READER, NULL, SCOPE_GUEST, bus_log, NULL },
	{ "Audit", ROLE_OPERATOR, NULL, SCOPE_NONE, bus_audit, NULL },
	{ "Status", ROLE_READER, NULL, SCOPE_NONE, bus_status, NULL },
	{ "GroupCreate", ROLE_ADMIN, "group-create", SCOPE_NONE, NULL,
	    bus_group_create },
	{ "GroupUpdate", ROLE_ADMIN, "group-update", SCOPE_GROUP, NULL,
	    bus_group_update },
	{ "GroupDelete", ROLE_ADMIN, "group-delete", SCOPE_NONE, NULL,
	    bus_group_delete },
	{ "GroupQuote", ROLE_OPERATOR, "group-quote", SCOPE_GROUP, NULL,
	    bus_group_quote },
	{ "GroupShow", ROLE_READER, NULL, SCOPE_GROUP, bus_group_show, NULL },
	{ "GroupList", ROLE_READER, NULL, SCOPE_OWN, bus_group_list, NULL },
	{ "HostStatus", ROLE_READER, NULL, SCOPE_NONE, bus_host_status, NULL },
	{ "HostIdentity", ROLE_OPERATOR, NULL, SCOPE_NONE, bus_host_identity,
	    NULL },
	{ "HostActivate", ROLE_ADMIN, "host-enrol", SCOPE_NONE,
	    bus_host_activate, NULL },
	{ "HostApprove", ROLE_ADMIN, "host-approve", SCOPE_NONE,
	    bus_host_approve, NULL },
	{ "HostRevoke", ROLE_ADMIN, "host-revoke", SCOPE_NONE,
	    bus_host_revoke, NULL },
	{ "HostEscrow", ROLE_ADMIN, "host-escrow", SCOPE_NONE,
	    bus_host_escrow, NULL },
	{ "HostRecover", ROLE_ADMIN, "host-recover", SCOPE_NONE,
	    bus_host_recover, NULL },
	{ "HostBind", ROLE_ADMIN, "host-bind", SCOPE_NONE, bus_host_bind,
	    NULL },
};
/* clang-format on */

static int
deny(sd_bus_message *msg, struct mgr *m, const struct method *me,
    const struct bus_who *who)
{
	bool tenant = tenants_admin_any(m, who->uid);
	char text[MGR_TEXT_MAX];

	if (tenant)
		(void)snprintf(text, sizeof(text),
		    "%s needs the role %s; an administrator of a group may do "
		    "it at most with what belongs to his group",
		    me->name, bus_role_name(me->role));
	else
		(void)snprintf(text, sizeof(text),
		    "%s needs the role %s, this caller has %s; see %s_users "
		    "in vtpm-managerd.conf(5)",
		    me->name, bus_role_name(me->role), bus_role_name(who->role),
		    bus_role_name(me->role));
	if (me->action != NULL || tenant)
		mgr_audit(m, who->text,
		    me->action != NULL ? me->action : "read", "", "denied",
		    "%s", me->name);
	return bus_fail(msg, VT_E_DENIED, text);
}

static int
dispatch(sd_bus_message *msg, void *arg, sd_bus_error *err)
{
	const char *name = sd_bus_message_get_member(msg);
	const struct method *me = NULL;
	struct bus_conn *conn = arg;
	struct bus_who who;
	struct bus_call *c;
	bool known;
	size_t i;

	(void)err;
	for (i = 0; i < VT_NELEM(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			me = &methods[i];
	if (me == NULL)
		return 0;
	memset(&who, 0, sizeof(who));
	who.uid = (uid_t)-1;
	(void)snprintf(who.text, sizeof(who.text), "uid unknown");
	known = bus_sender(conn, msg, &who) == VT_OK;
	if (!known || (who.role < me->role &&
			  !bus_group_allows(msg, conn->m, &who, me->scope)))
		return deny(msg, conn->m, me, &who);
	if (!conn->m->ready && !bus_host_serves(name))
		return bus_host_sealed(msg, conn->m);
	if (me->scope == SCOPE_OWN && me->read != NULL && who.role < me->role)
		return bus_group_own(msg, conn->m, &who);
	if (me->read != NULL)
		return me->read(msg, conn->m);
	if ((c = call_new(msg, conn->m, me, &who)) == NULL)
		return -ENOMEM;
	return me->change(msg, conn->m, c);
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
/* Names are those of the arguments, then of the results. */
#define M(name, in, out, names) \
	SD_BUS_METHOD_WITH_NAMES(name, in, names, out, , dispatch, \
	    SD_BUS_VTABLE_UNPRIVILEGED)

const sd_bus_vtable bus_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "s", get_version, 0,
	    SD_BUS_VTABLE_PROPERTY_CONST),
	M("Create", "sa{ss}", "stb",
	    "name\0options\0uuid\0microseconds\0from_pool\0"),
	M("Destroy", "sb", "t", "name\0force\0microseconds\0"),
	M("Start", "s", "t", "name\0microseconds\0"),
	M("Stop", "sb", "t", "name\0force\0microseconds\0"),
	M("StopAll", "b", "u", "end_manager\0stopped\0"),
	M("Reset", "s", "t", "name\0microseconds\0"),
	M("Launch", "say", "t", "name\0record\0microseconds\0"),
	M("LaunchDomain", "sayu", "t",
	    "name\0record\0domid\0microseconds\0"),
	M("Recover", "ass", "u", "names\0reason\0recovered\0"),
	M("Xen", "ssayus", "us",
	    "name\0step\0image\0domid\0domain\0domid\0domain\0"),
	M("List", "", "s", "json\0"),
	M("Show", "s", "s", "name\0json\0"),
	M("Log", "ss", "ay", "name\0what\0bytes\0"),
	M("Audit", "tu", "s", "from\0max\0json\0"),
	M("Status", "", "s", "json\0"),
	M("GroupCreate", "sua{ss}", "ut",
	    "name\0number\0options\0number\0microseconds\0"),
	M("GroupUpdate", "sa{ss}ay", "t",
	    "name\0options\0configuration\0microseconds\0"),
	M("GroupDelete", "s", "t", "name\0microseconds\0"),
	M("GroupQuote", "say", "ay", "name\0nonce\0quote\0"),
	M("GroupShow", "s", "s", "name\0json\0"),
	M("GroupList", "", "s", "json\0"),
	M("HostStatus", "", "s", "json\0"),
	M("HostIdentity", "", "s", "json\0"),
	M("HostActivate", "ayay", "ay", "credential\0secret\0answer\0"),
	M("HostApprove", "ay", "s", "approval\0result\0"),
	M("HostRevoke", "tb", "s", "epoch\0force\0result\0"),
	M("HostEscrow", "uas", "as", "threshold\0keys\0shares\0"),
	M("HostRecover", "aay", "s", "shares\0result\0"),
	M("HostBind", "ayay", "s", "key\0approval\0result\0"),
	SD_BUS_VTABLE_END,
};
/* clang-format on */
