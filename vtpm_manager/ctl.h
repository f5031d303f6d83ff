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

struct ctl {
	struct mgr *m;
	int listen_fd;
	sd_event_source *io;
	struct ctl_conn *conns;
	unsigned int nconns;
};

int ctl_new(struct mgr *m, struct ctl **ret) VT_CHECK;
void ctl_free(struct ctl *c);

/* ctl_method.c: the object, for ctl.c to put on each connection. */
extern const sd_bus_vtable ctl_vtable[];
/* Who sent this message? */
int ctl_sender(
    struct ctl_conn *c, sd_bus_message *msg, struct ctl_who *ret) VT_CHECK;

/* ctl_query.c: answers that only read; ctl_status() for Status. */
int ctl_list(sd_bus_message *msg, struct mgr *m);
int ctl_show(sd_bus_message *msg, struct mgr *m);
int ctl_log(sd_bus_message *msg, struct mgr *m);
int ctl_audit(sd_bus_message *msg, struct mgr *m);
int ctl_status(sd_bus_message *msg, struct mgr *m);

/* A D-Bus error for rc, with words. */
int ctl_fail(sd_bus_message *msg, int rc, const char *text);
/* The instance that the message's first argument names; else the answer has
 * been sent and *ret_r is what the handler returns. */
bool ctl_find(sd_bus_message *msg, struct mgr *m, struct inst *ret, int *ret_r);

#endif
