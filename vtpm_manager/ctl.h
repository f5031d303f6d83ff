/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ctl.h - the control interface org.vtpm.Manager1: sd-bus, peer to peer on
 * RUN/control.sock and, if wanted, on the system bus.
 *
 * Layer:  vtpm_manager.
 * Trust:  callers are known by the kernel's peer credentials and mapped to a
 *         role (ctl_auth.h); each method has the least role that may call it
 *         in one table (ctl_method.c).
 */
#ifndef VTPM_MANAGER_CTL_H
#define VTPM_MANAGER_CTL_H

#include <jansson.h>
#include <systemd/sd-bus.h>

#include "vtpm_manager/ctl_auth.h"
#include "vtpm_manager/manager.h"

#define CTL_PATH "/org/vtpm/Manager1"
#define CTL_IFACE "org.vtpm.Manager1"
#define CTL_NAME "org.vtpm.Manager1"
#define CTL_ERROR "org.vtpm.Error."
#define CTL_CONNS_MAX 64
#define CTL_LAUNCH_MAX 65536 /* bytes of a launch record */

struct ctl_conn {
	struct ctl_conn *next;
	struct mgr *m;
	sd_bus *bus;
	bool system; /* the system bus: credentials are per message */
	struct ctl_who who;
};

struct ctl_statusq; /* ctl_status.c */
struct ctl {
	struct mgr *m;
	struct ctl_statusq *status;
	int listen_fd;
	sd_event_source *io;
	struct ctl_conn *conns;
	unsigned int nconns;
};

int ctl_new(struct mgr *m, struct ctl **ret) VT_CHECK;
void ctl_free(struct ctl *c);

/* How far a caller without the role that a method needs may go with it, who
 * administers a group. */
enum ctl_scope {
	SCOPE_NONE,  /* not at all */
	SCOPE_GUEST, /* its first argument names a vTPM of his group */
	SCOPE_GROUP, /* its first argument names his group */
	SCOPE_OWN,   /* it gives or makes what is his group's only */
};

/* A change that is being worked on; ctl_call_done() ends it. */
struct ctl_call {
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
void ctl_call_audit(struct ctl_call *c, int rc, const char *text);
void ctl_call_free(struct ctl_call *c);
/* mgr_done_cb: audit, answer with the time that it took, free. */
void ctl_call_done(void *arg, int rc, const char *text);
/* The same for what could not even begin; c->text says why. */
int ctl_call_refuse(struct ctl_call *c, int rc);

/* ctl_group.c */
bool ctl_group_allows(sd_bus_message *msg, struct mgr *m,
    const struct ctl_who *who, enum ctl_scope scope);
/* List and GroupList for somebody who is limited. */
int ctl_group_own(
    sd_bus_message *msg, struct mgr *m, const struct ctl_who *who);
int ctl_group_create(sd_bus_message *msg, struct mgr *m, struct ctl_call *c);
int ctl_group_update(sd_bus_message *msg, struct mgr *m, struct ctl_call *c);
int ctl_group_delete(sd_bus_message *msg, struct mgr *m, struct ctl_call *c);
int ctl_group_quote(sd_bus_message *msg, struct mgr *m, struct ctl_call *c);
int ctl_group_show(sd_bus_message *msg, struct mgr *m);
int ctl_group_list(sd_bus_message *msg, struct mgr *m);

/* ctl_recover.c */
int ctl_recover(sd_bus_message *msg, struct mgr *m, struct ctl_call *c);
/* ctl_xen.c */
int ctl_xen(sd_bus_message *msg, struct mgr *m, struct ctl_call *c);

/* ctl_method.c: the object, for ctl.c to put on each connection. */
extern const sd_bus_vtable ctl_vtable[];
/* Who sent this message? */
int ctl_sender(
    struct ctl_conn *c, sd_bus_message *msg, struct ctl_who *ret) VT_CHECK;

/* ctl_status.c */
int ctl_status_new(struct mgr *m, struct ctl_statusq **ret) VT_CHECK;
void ctl_status_free(struct ctl_statusq *q);
int ctl_status(sd_bus_message *msg, struct mgr *m);

/* ctl_query.c: answers that only read. */
int ctl_reply_json(sd_bus_message *msg, json_t *j); /* j is taken over */
int ctl_reply_bytes(sd_bus_message *msg, const uint8_t *p, size_t len);
int ctl_list(sd_bus_message *msg, struct mgr *m);
int ctl_show(sd_bus_message *msg, struct mgr *m);
int ctl_log(sd_bus_message *msg, struct mgr *m);
int ctl_audit(sd_bus_message *msg, struct mgr *m);

/* ctl_host.c: the host's own keys.  What is served while the manager is
 * sealed, and the refusal of the rest. */
bool ctl_host_serves(const char *method);
int ctl_host_sealed(sd_bus_message *msg, struct mgr *m);
int ctl_host_status(sd_bus_message *msg, struct mgr *m);
int ctl_host_identity(sd_bus_message *msg, struct mgr *m);
int ctl_host_activate(sd_bus_message *msg, struct mgr *m);
int ctl_host_approve(sd_bus_message *msg, struct mgr *m);
int ctl_host_revoke(sd_bus_message *msg, struct mgr *m);
int ctl_host_bind(sd_bus_message *msg, struct mgr *m);
int ctl_host_escrow(sd_bus_message *msg, struct mgr *m);
int ctl_host_recover(sd_bus_message *msg, struct mgr *m);

/* A D-Bus error for rc, with words. */
int ctl_fail(sd_bus_message *msg, int rc, const char *text);
/* The instance that the message's first argument names; else the answer has
 * been sent and *ret_r is what the handler returns. */
bool ctl_find(sd_bus_message *msg, struct mgr *m, struct inst *ret, int *ret_r);

#endif
