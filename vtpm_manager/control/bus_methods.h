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
};

extern const sd_bus_vtable bus_vtable[];

#endif
