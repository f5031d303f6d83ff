/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_call.c - a call of a method, from its message to its answer.
 */
#include "vtpm_manager/control/bus_call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
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
	{ VT_E_TPM, BUS_ERROR "Tpm" },
	{ VT_E_AGAIN, BUS_ERROR "NotReady" },
};

/* The disk, not the request: what fails while the store takes no data. */
static bool
is_storage(const struct mgr *m, int rc)
{
	return !m->storage_ok && start_store_open(m->start) &&
	       (rc == VT_E_SYS || rc == VT_E_STATE || rc == VT_E_CORRUPT);
}

static const char *
error_name(const struct mgr *m, int rc)
{
	size_t i;

	if (is_storage(m, rc))
		return BUS_ERROR "Storage";
	for (i = 0; i < VT_NELEM(errors); i++)
		if (errors[i].rc == rc)
			return errors[i].name;
	return BUS_ERROR "Failed";
}

/* For a failure that came without words. */
static void
name_failure(const struct bus_call *c, int rc, char text[MGR_TEXT_MAX])
{
	int saved = errno;

	if (c->object[0] != '\0')
		(void)snprintf(
		    text, MGR_TEXT_MAX, "%s: %s: ", c->object, c->method->name);
	else
		(void)snprintf(text, MGR_TEXT_MAX, "%s: ", c->method->name);
	errno = saved;
	(void)snprintf(text + strlen(text), MGR_TEXT_MAX - strlen(text), "%s",
	    vt_strerror(rc));
}

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
	m->n.calls++;
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
	char detail[TEXT_MAX_LEN + 1];

	if (c->method->action == NULL)
		return;
	/* "guest NAME: " repeats the record's object. */
	if (strncmp(text, "guest ", 6) == 0 && prefix != NULL)
		text = prefix + 2;
	text_fit(detail, sizeof(detail), text);
	audit_log(c->m, c->who.text, c->method->action, c->object,
	    rc == VT_OK ? "ok" : "refused", "%s", detail);
}

void
bus_call_fail(struct bus_call *c, int rc, const char *text)
{
	char words[MGR_TEXT_MAX];

	if (text == NULL || text[0] == '\0') {
		name_failure(c, rc, words);
		text = words;
	}
	c->m->n.calls_refused++;
	(void)sd_bus_reply_method_errorf(
	    c->msg, error_name(c->m, rc), "%s", text);
	bus_call_free(c);
}

void
bus_call_bad(struct bus_call *c, int r)
{
	c->m->n.calls_refused++;
	(void)sd_bus_reply_method_errorf(c->msg, BUS_ERROR "Invalid",
	    "%s: the arguments of the call cannot be used: %s", c->method->name,
	    strerror(-r));
	bus_call_free(c);
}

void
bus_call_took(struct bus_call *c)
{
	(void)sd_bus_reply_method_return(c->msg, "t", now_us() - c->t0_us);
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
	bus_call_took(c);
}

void
bus_call_refuse(struct bus_call *c, int rc)
{
	if (c->text[0] == '\0')
		name_failure(c, rc, c->text);
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

struct search {
	struct near near;
	char best[NAME_MAX_LEN + 1];
};

static int
try_name(const struct guest *in, void *arg)
{
	struct search *s = arg;

	near_try(&s->near, in->name);
	if (s->near.best == in->name) { /* borrowed for this call only */
		memcpy(s->best, in->name, sizeof(s->best));
		s->near.best = s->best;
	}
	return 0;
}

/* Names of others' guests are not for the administrator of a group. */
static void
no_such_guest(struct bus_call *c, const char *name)
{
	struct search s = { .best = "" };

	near_start(&s.near, name);
	if (!c->limited && store_guest_each(c->m->st, try_name, &s) != VT_OK)
		s.best[0] = '\0';
	(void)snprintf(c->text, sizeof(c->text),
	    "guest %.63s: there is no such vTPM%s%s%s; `vtpmctl list` shows "
	    "all, `vtpmctl create` makes one",
	    name, s.best[0] != '\0' ? ", did you mean " : "", s.best,
	    s.best[0] != '\0' ? "?" : "");
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
	if (rc == VT_E_NOTFOUND)
		no_such_guest(c, name);
	else
		(void)snprintf(c->text, sizeof(c->text),
		    "guest %.63s: the registry cannot be read: %.300s", name,
		    store_why(c->m->st));
	bus_call_fail(c, rc, c->text);
	return false;
}
