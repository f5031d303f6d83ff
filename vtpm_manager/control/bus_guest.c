/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_guest.c - the methods that make, power, launch and delete vTPMs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/commit/anchor.h"
#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/control/limits.h"
#include "vtpm_manager/control/methods.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_banks.h"
#include "vtpm_manager/guest/guest_identity.h"
#include "vtpm_manager/guest/guest_op.h"
#include "vtpm_manager/guest/guest_owner.h"
#include "vtpm_manager/guest/guests.h"
#include "vtpm_manager/guest/recover.h"
#include "vtpm_manager/guest/soft_root.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_guest.h"
#include "vtpm_manager/tenant/tenant.h"
#include "vtpm_manager/xen/xenback_link.h"

int
bus_set_owner(struct bus_call *c)
{
	struct guest in;
	const char *user;
	uint32_t uid;
	int r, rc;

	if (!bus_call_find(c, &in))
		return VT_OK;
	if ((r = sd_bus_message_read(c->msg, "s", &user)) < 0) {
		bus_call_bad(c, r);
		return VT_OK;
	}
	rc = guest_owner_parse(user, &uid, c->text);
	if (rc == VT_OK)
		rc = guest_owner_set(c->m, &in, uid, bus_call_done, c, c->text);
	return rc;
}

int
bus_start(struct bus_call *c)
{
	struct guest in;

	if (!bus_call_find(c, &in))
		return VT_OK;
	return guest_start(c->m, &in, bus_call_done, c, c->text);
}

/* The guest and the flag of Stop and Destroy; false: the call has ended. */
static bool
read_forced(struct bus_call *c, struct guest *ret, bool *ret_force)
{
	int force, r;

	if (!bus_call_find(c, ret))
		return false;
	if ((r = sd_bus_message_read(c->msg, "b", &force)) < 0) {
		bus_call_bad(c, r);
		return false;
	}
	*ret_force = force != 0;
	return true;
}

int
bus_stop(struct bus_call *c)
{
	struct guest in;
	bool force;

	if (!read_forced(c, &in, &force))
		return VT_OK;
	return guest_stop(c->m, &in, force, bus_call_done, c, c->text);
}

int
bus_set_banks(struct bus_call *c)
{
	const char *list;
	struct guest in;
	uint8_t banks;
	int r;

	if (!bus_call_find(c, &in))
		return VT_OK;
	if ((r = sd_bus_message_read(c->msg, "s", &list)) < 0) {
		bus_call_bad(c, r);
		return VT_OK;
	}
	if (guest_banks_parse(list, &banks) != VT_OK) {
		(void)snprintf(c->text, sizeof(c->text),
		    GUEST_BANKS_RULE ", not '%.64s'", list);
		return VT_E_FORMAT;
	}
	return guest_set_banks(c->m, &in, banks, bus_call_done, c, c->text);
}

int
bus_reset(struct bus_call *c)
{
	struct guest in;

	if (!bus_call_find(c, &in))
		return VT_OK;
	return guest_reset(c->m, &in, bus_call_done, c, c->text);
}

/* guest_destroy() has audited what it did, with what it deleted. */
static void
on_destroyed(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;

	if (rc == VT_OK)
		bus_call_took(c);
	else
		bus_call_done(c, rc, text);
}

int
bus_destroy(struct bus_call *c)
{
	struct guest in;
	bool force;

	if (!read_forced(c, &in, &force))
		return VT_OK;
	return guest_destroy(
	    c->m, &in, force, c->who.text, on_destroyed, c, c->text);
}

/* --- Launch, LaunchDomain --- */

/* The guest and the record; false: the call has ended. */
static bool
read_launch(struct bus_call *c, struct guest *ret, const uint8_t **ret_record,
    size_t *ret_len)
{
	const void *record;
	size_t len;
	int r;

	if (!bus_call_find(c, ret))
		return false;
	r = sd_bus_message_read_array(c->msg, 'y', &record, &len);
	if (r >= 0 && len > BUS_LAUNCH_MAX)
		r = -E2BIG;
	if (r < 0) {
		bus_call_bad(c, r);
		return false;
	}
	*ret_record = record;
	*ret_len = len;
	return true;
}

/* A launch starts its vTPM if that is not running. */
static void
on_recorded(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;
	struct guest in;

	if (rc == VT_OK) {
		rc = store_guest_find(c->m->st, c->object, &in);
		if (rc == VT_OK && guest_live(c->m, in.uuid) == NULL) {
			rc = guest_start(c->m, &in, bus_call_done, c, c->text);
			if (rc == VT_OK)
				return;
			text = c->text;
		}
	}
	bus_call_done(c, rc, text);
}

int
bus_launch(struct bus_call *c)
{
	const uint8_t *record;
	struct guest in;
	size_t len;

	if (!read_launch(c, &in, &record, &len))
		return VT_OK;
	return guest_launch(c->m, &in, record, len, on_recorded, c, c->text);
}

/* The record is bound to its domain: no other domain runs under it. */
static void
on_domain_launched(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;
	struct guest in;

	if (rc == VT_OK && store_guest_find(c->m->st, c->object, &in) == VT_OK)
		xenback_launched(c->m->xen, in.uuid);
	bus_call_done(c, rc, text);
}

/* The domain's vTPM has started: now its launch. */
static void
on_domain_powered(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;

	if (rc != VT_OK)
		bus_call_done(c, rc, text);
	else if (sd_bus_message_rewind(c->msg, 1) < 0)
		bus_call_refuse(c, VT_E_PROTO);
	else if ((rc = bus_launch_domain(c)) != VT_OK)
		bus_call_refuse(c, rc);
}

int
bus_launch_domain(struct bus_call *c)
{
	const uint8_t *record;
	struct guest in;
	uint32_t domid;
	size_t len;
	int r, rc;

	if (!read_launch(c, &in, &record, &len))
		return VT_OK;
	if ((r = sd_bus_message_read(c->msg, "u", &domid)) < 0) {
		bus_call_bad(c, r);
		return VT_OK;
	}
	rc = xenback_may_launch(c->m->xen, &in, domid, c->text);
	if (rc == VT_OK &&
	    xenback_launch_waits(c->m->xen, in.uuid, on_domain_powered, c))
		return VT_OK;
	if (rc == VT_OK)
		rc = guest_launch(
		    c->m, &in, record, len, on_domain_launched, c, c->text);
	return rc;
}

/* --- StopAll --- */

struct stop_all {
	unsigned int left; /* guests that have not stopped yet */
	uint32_t count;
	bool end_manager, again;
};

static void
on_one_stopped(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;
	struct stop_all *s = c->state;

	(void)rc;
	(void)text;
	if (--s->left > 0)
		return;
	audit_log(c->m, c->who.text, c->method->action, "", "ok",
	    "%u stopped%s", s->count,
	    s->end_manager ? ", the manager ends" : "");
	if (s->again)
		guest_kept_status(c->m);
	(void)sd_bus_reply_method_return(c->msg, "u", s->count);
	if (s->end_manager)
		root_stop(c->m, anchorq_end);
	bus_call_free(c);
}

int
bus_stop_all(struct bus_call *c)
{
	struct stop_all *s = bus_call_state(c, sizeof(*s));
	int end, again, r;

	if (s == NULL)
		return VT_E_NOMEM;
	if ((r = sd_bus_message_read(c->msg, "bb", &end, &again)) < 0) {
		bus_call_bad(c, r);
		return VT_OK;
	}
	if (again && !end) {
		bus_call_fail(c, VT_E_RANGE,
		    "the next manager starts the vTPMs again, so this one has "
		    "to end");
		return VT_OK;
	}
	s->end_manager = end != 0;
	if ((s->again = again != 0))
		guest_keep_status(c->m);
	s->left = 1; /* this function, until it has asked all */
	s->count = guest_stop_all(c->m, on_one_stopped, c, &s->left, c->text);
	on_one_stopped(c, VT_OK, "");
	return VT_OK;
}

/* --- Recover --- */

/* recover_older() has audited what it did. */
static void
on_recovered(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;

	if (rc != VT_OK) {
		bus_call_fail(c, rc, text);
		return;
	}
	(void)sd_bus_reply_method_return(c->msg, "u", *(uint32_t *)c->state);
	bus_call_free(c);
}

int
bus_recover(struct bus_call *c)
{
	uint32_t *count = bus_call_state(c, sizeof(*count));
	char **names = NULL;
	const char *reason;
	size_t i;
	int r, rc;

	if (count == NULL)
		return VT_E_NOMEM;
	if ((r = sd_bus_message_read_strv(c->msg, &names)) < 0 ||
	    (r = sd_bus_message_read(c->msg, "s", &reason)) < 0) {
		bus_call_bad(c, r);
		return VT_OK;
	}
	(void)snprintf(c->object, sizeof(c->object), "%.63s",
	    names != NULL && names[0] != NULL ? names[0] : "the store");
	rc = recover_older(c->m,
	    names != NULL && names[0] != NULL ? names : NULL, reason,
	    c->who.text, on_recovered, c, count, c->text);
	for (i = 0; names != NULL && names[i] != NULL; i++)
		free(names[i]);
	free(names);
	return rc;
}
