/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_call.h - one call of a method: who calls, the arguments, the answer.
 *
 * Layer:  vtpm_manager/control.
 * Life:   bus_methods.c makes a call and passes it to the method's handler.
 *         A handler that returns VT_OK owns the call and ends it, at once or
 *         later, with one of the functions below that free it.  A handler
 *         that returns an error has not kept the call: the caller gets
 *         c->text and the audit log a record.
 */
#ifndef VTPM_MANAGER_CONTROL_BUS_CALL_H
#define VTPM_MANAGER_CONTROL_BUS_CALL_H

#include <jansson.h>
#include <systemd/sd-bus.h>

#include "vtpm_manager/control/bus_roles.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/store/store_guest.h"

struct bus_peer;
struct bus_statusq;

/* How far an administrator of a tenant gets without the method's role. */
enum bus_tenant_rule {
	TENANT_NONE,  /* not at all */
	TENANT_GUEST, /* if the first argument names a vTPM of the tenant */
	TENANT_GROUP, /* if the first argument names the tenant */
	TENANT_OWN,   /* the handler restricts the method to the tenant */
};

enum bus_when {
	WHEN_READY,  /* refused while the manager is sealed or starting */
	WHEN_ALWAYS, /* also served then */
};

struct bus_call;
struct bus_method {
	const char *name;
	enum bus_role role; /* the least that may call it */
	enum bus_tenant_rule tenant;
	enum bus_when when;
	const char *action; /* in the audit log; NULL: the method only reads */
	int (*serve)(struct bus_call *c);
};

struct bus_call {
	sd_bus_message *msg;
	struct mgr *m;
	const struct bus_method *method;
	struct bus_statusq *status;
	struct bus_peer *peer; /* of the connection; until serve() returns */
	struct bus_who who;
	bool limited; /* an administrator of a tenant, without the role */
	uint64_t t0_us;
	char object[NAME_MAX_LEN + 1]; /* for the audit log */
	char text[MGR_TEXT_MAX];       /* why the call is refused */
	void *state; /* the handler's, free()d with the call */
};

/* msg gets a reference.  NULL: out of memory. */
struct bus_call *bus_call_new(sd_bus_message *msg, struct mgr *m,
    const struct bus_method *method, const struct bus_who *who);
void bus_call_free(struct bus_call *c);
/* Make c->state, size zero bytes.  NULL: out of memory. */
void *bus_call_state(struct bus_call *c, size_t size);

/* Audit the outcome, if the method is an audited one. */
void bus_call_audit(struct bus_call *c, int rc, const char *text);
/* Set *ret to the guest that the next argument names.  False: the caller got
 * an error, the call is freed. */
bool bus_call_find(struct bus_call *c, struct guest *ret);

/* --- the end of a call; each of these frees it --- */

/* mgr_done_cb: audit, then answer with the time taken or with an error. */
void bus_call_done(void *arg, int rc, const char *text);
/* Answer with the time taken: the method has audited what it did. */
void bus_call_took(struct bus_call *c);
/* Audit and answer with c->text, or with rc's own text where that is "". */
void bus_call_refuse(struct bus_call *c, int rc);
/* Answer with a D-Bus error, without a record in the audit log. */
void bus_call_fail(struct bus_call *c, int rc, const char *text);
/* Arguments that cannot be read: answer with -r, an errno. */
void bus_call_bad(struct bus_call *c, int r);
/* j is taken over; NULL: out of memory. */
void bus_call_json(struct bus_call *c, json_t *j);
void bus_call_bytes(struct bus_call *c, const uint8_t *p, size_t len);
/* mgr_done_cb of methods that the room host audits: text is the answer. */
void bus_call_text(void *arg, int rc, const char *text);

#endif
