/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus.h - the control interface org.vtpm.Manager1: sd-bus, peer to peer on
 * RUN/control.sock and, if wanted, on the system bus.
 *
 * Layer:  vtpm_manager.
 * Trust:  callers are known by the kernel's peer credentials and mapped to a
 *         role (bus_roles.h); each method has the least role that may call it
 *         in one table (bus_methods.c).
 */
#ifndef VTPM_MANAGER_CONTROL_BUS_H
#define VTPM_MANAGER_CONTROL_BUS_H

#include <jansson.h>
#include <systemd/sd-bus.h>

#include "vtpm_manager/control/bus_roles.h"
#include "vtpm_manager/manager.h"

#define BUS_PATH "/org/vtpm/Manager1"
#define BUS_IFACE "org.vtpm.Manager1"
#define BUS_NAME "org.vtpm.Manager1"
#define BUS_ERROR "org.vtpm.Error."
#define BUS_CONNS_MAX 64
#define BUS_LAUNCH_MAX 65536 /* bytes of a launch record */

struct bus_conn {
	struct bus_conn *next;
	struct mgr *m;
	sd_bus *bus;
	bool system; /* the system bus: credentials are per message */
	struct bus_who who;
};

struct bus_statusq; /* bus_status.c */
struct bus {
	struct mgr *m;
	struct bus_statusq *status;
	int listen_fd;
	sd_event_source *io;
	struct bus_conn *conns;
	unsigned int nconns;
};

int bus_new(struct mgr *m, struct bus **ret) VT_CHECK;
void bus_free(struct bus *c);

/* How far a caller without the role that a method needs may go with it, who
 * administers a group. */
enum bus_scope {
	SCOPE_NONE,  /* not at all */
	SCOPE_GUEST, /* its first argument names a vTPM of his group */
	SCOPE_GROUP, /* its first argument names his group */
	SCOPE_OWN,   /* it gives or makes what is his group's only */
};

/* A change that is being worked on; bus_call_done() ends it. */
struct bus_call {
	sd_bus_message *msg;
	struct mgr *m;
	const char *action; /* for the audit log; static */
	char object[NAME_MAX_LEN + 1];
	char who[64];
	uint32_t uid;
	bool limited; /* may do so as a group's administrator only */
	uint64_t t0_us;
	unsigned int left; /* StopAll: how many are still to stop */
	uint32_t count;
	bool end;         /* StopAll: and the manager ends */
	const char *step; /* Xen: what was asked; static */
	char text[MGR_TEXT_MAX];
};
void bus_call_audit(struct bus_call *c, int rc, const char *text);
void bus_call_free(struct bus_call *c);
/* mgr_done_cb: audit, answer with the time that it took, free. */
void bus_call_done(void *arg, int rc, const char *text);
/* The same for what could not even begin; c->text says why. */
int bus_call_refuse(struct bus_call *c, int rc);

/* bus_tenant.c */
bool bus_group_allows(sd_bus_message *msg, struct mgr *m,
    const struct bus_who *who, enum bus_scope scope);
/* List and GroupList for somebody who is limited. */
int bus_group_own(
    sd_bus_message *msg, struct mgr *m, const struct bus_who *who);
int bus_group_create(sd_bus_message *msg, struct mgr *m, struct bus_call *c);
int bus_group_update(sd_bus_message *msg, struct mgr *m, struct bus_call *c);
int bus_group_delete(sd_bus_message *msg, struct mgr *m, struct bus_call *c);
int bus_group_quote(sd_bus_message *msg, struct mgr *m, struct bus_call *c);
int bus_group_show(sd_bus_message *msg, struct mgr *m);
int bus_group_list(sd_bus_message *msg, struct mgr *m);

/* bus_recover.c */
int bus_recover(sd_bus_message *msg, struct mgr *m, struct bus_call *c);
/* bus_xen.c */
int bus_xen(sd_bus_message *msg, struct mgr *m, struct bus_call *c);

/* bus_methods.c: the object, for bus.c to put on each connection. */
extern const sd_bus_vtable bus_vtable[];
/* Who sent this message? */
int bus_sender(
    struct bus_conn *c, sd_bus_message *msg, struct bus_who *ret) VT_CHECK;

/* bus_status.c */
int bus_status_new(struct mgr *m, struct bus_statusq **ret) VT_CHECK;
void bus_status_free(struct bus_statusq *q);
int bus_status(sd_bus_message *msg, struct mgr *m);

/* bus_query.c: answers that only read. */
int bus_reply_json(sd_bus_message *msg, json_t *j); /* j is taken over */
int bus_reply_bytes(sd_bus_message *msg, const uint8_t *p, size_t len);
int bus_list(sd_bus_message *msg, struct mgr *m);
int bus_show(sd_bus_message *msg, struct mgr *m);
int bus_log(sd_bus_message *msg, struct mgr *m);
int bus_audit(sd_bus_message *msg, struct mgr *m);

/* bus_host.c: the host's own keys.  What is served while the manager is
 * sealed, and the refusal of the rest. */
bool bus_host_serves(const char *method);
int bus_host_sealed(sd_bus_message *msg, struct mgr *m);
int bus_host_status(sd_bus_message *msg, struct mgr *m);
int bus_host_identity(sd_bus_message *msg, struct mgr *m);
int bus_host_activate(sd_bus_message *msg, struct mgr *m);
int bus_host_approve(sd_bus_message *msg, struct mgr *m);
int bus_host_revoke(sd_bus_message *msg, struct mgr *m);
int bus_host_bind(sd_bus_message *msg, struct mgr *m);
int bus_host_escrow(sd_bus_message *msg, struct mgr *m);
int bus_host_recover(sd_bus_message *msg, struct mgr *m);

/* A D-Bus error for rc, with words. */
int bus_fail(sd_bus_message *msg, int rc, const char *text);
/* The instance that the message's first argument names; else the answer has
 * been sent and *ret_r is what the handler returns. */
bool bus_find(
    sd_bus_message *msg, struct mgr *m, struct guest *ret, int *ret_r);

#endif
