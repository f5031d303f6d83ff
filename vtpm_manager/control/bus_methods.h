/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_methods.h - the object /org/vtpm/Manager1: who may call which method,
 * checked in one place before any handler runs.
 *
 * Layer:  vtpm_manager/control.
 */
#ifndef VTPM_MANAGER_CONTROL_BUS_METHODS_H
#define VTPM_MANAGER_CONTROL_BUS_METHODS_H

#include <systemd/sd-bus.h>

#include "vtpm_manager/control/bus_roles.h"

struct bus_statusq;
struct mgr;

/* The user data of bus_vtable: one connection. */
struct bus_peer {
	struct mgr *m;
	struct bus_statusq *status;
	bool system;        /* the system bus: each message has its caller */
	struct bus_who who; /* of this connection */
	bool subscribed;    /* it wants signals */
	uint64_t missed;    /* signals that it did not read in time */
};

/* Signals of bus_vtable, and the least role that sees each. */
#define BUS_SIGNAL_GUEST "GuestStateChanged"
#define BUS_SIGNAL_AUDIT "AuditRecord"
#define BUS_SIGNAL_MISSED "Missed"

extern const sd_bus_vtable bus_vtable[];

#endif
