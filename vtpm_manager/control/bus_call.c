/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_call.c - a call of a method, from its message to its answer.
 */
#include "vtpm_manager/control/bus_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm_manager/commit/audit_log.h"
#include "vtpm_manager/control/bus_iface.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_guest.h"

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

struct bus_call *
bus_call_new(sd_bus_message *msg, struct mgr *m,
    const struct bus_method *method, const struct bus_who *who)
{
	struct bus_call *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->msg = sd_bus_message_ref(msg);
	c->m = m;
	c->method = method;
	c->who = *who;
	c->limited = who->role < method->role;
	c->t0_us = now_us();
	return c;
}

void
bus_call_free(struct bus_call *c)
{
	sd_bus_message_unref(c->msg);
	free(c->state);
	free(c);
}

void *
bus_call_state(struct bus_call *c, size_t size)
{
	return c->state = calloc(1, size);
}

void
bus_call_audit(struct bus_call *c, int rc, const char *text)
{
	const char *prefix = strstr(text, ": ");

	if (c->method->action == NULL)
		return;
	/* "guest NAME: " repeats the record's object. */
	if (strncmp(text, "guest ", 6) == 0 && prefix != NULL)
		text = prefix + 2;
	audit_log(c->m, c->who.text, c->method->action, c->object,
	    rc == VT_OK ? "ok" : "refused", "%.250s", text);
}

void
bus_call_fail(struct bus_call *c, int rc, const char *text)
{
	const char *name = BUS_ERROR "Failed";
	size_t i;

	for (i = 0; i < VT_NELEM(errors); i++)
		if (errors[i].rc == rc)
			name = errors[i].name;
	(void)sd_bus_reply_method_errorf(c->msg, name, "%s",
	    text != NULL && text[0] != '\0' ? text : vt_strerror(rc));
	bus_call_free(c);
}

void
bus_call_bad(struct bus_call *c, int r)
{
	(void)sd_bus_reply_method_errno(c->msg, r, NULL);
	bus_call_free(c);
}

void
bus_call_done(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;

	bus_call_audit(c, rc, text);
	if (rc != VT_OK) {
		bus_call_fail(c, rc, text);
		return;
	}
	(void)sd_bus_reply_method_return(c->msg, "t", now_us() - c->t0_us);
	bus_call_free(c);
}

void
bus_call_refuse(struct bus_call *c, int rc)
{
	if (c->text[0] == '\0')
		(void)snprintf(c->text, sizeof(c->text), "%s", vt_strerror(rc));
	bus_call_audit(c, rc, c->text);
	bus_call_fail(c, rc, c->text);
}

void
bus_call_text(void *arg, int rc, const char *text)
{
	struct bus_call *c = arg;

	if (rc != VT_OK) {
		bus_call_fail(c, rc, text);
		return;
	}
	(void)sd_bus_reply_method_return(c->msg, "s", text);
	bus_call_free(c);
}

void
bus_call_json(struct bus_call *c, json_t *j)
{
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;

	json_decref(j);
	bus_call_text(c, text != NULL ? VT_OK : VT_E_NOMEM, text);
	free(text);
}

void
bus_call_bytes(struct bus_call *c, const uint8_t *p, size_t len)
{
	sd_bus_message *re = NULL;
	int r;

	r = sd_bus_message_new_method_return(c->msg, &re);
	if (r >= 0)
		r = sd_bus_message_append_array(re, 'y', p, len);
	if (r >= 0)
		(void)sd_bus_send(NULL, re, NULL);
	sd_bus_message_unref(re);
	bus_call_free(c);
}

bool
bus_call_find(struct bus_call *c, struct guest *ret)
{
	const char *name;
	int r, rc;

	if ((r = sd_bus_message_read(c->msg, "s", &name)) < 0) {
		bus_call_bad(c, r);
		return false;
	}
	if ((rc = store_guest_find(c->m->st, name, ret)) == VT_OK) {
		(void)snprintf(c->object, sizeof(c->object), "%s", ret->name);
		return true;
	}
	(void)snprintf(c->text, sizeof(c->text),
	    rc == VT_E_NOTFOUND
		? "guest %.63s: there is no such vTPM; `vtpmctl list` shows "
		  "all, `vtpmctl create` makes one"
		: "guest %.63s: the registry cannot be read",
	    name);
	bus_call_fail(c, rc, c->text);
	return false;
}
