/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus_iface.h - names of the control interface, for the manager and for the
 * programs that call it.
 *
 * Layer:  vtpm_manager/control.
 */
#ifndef VTPM_MANAGER_CONTROL_BUS_IFACE_H
#define VTPM_MANAGER_CONTROL_BUS_IFACE_H

#define BUS_PATH "/org/vtpm/Manager1"
#define BUS_IFACE "org.vtpm.Manager1"
#define BUS_NAME "org.vtpm.Manager1"
#define BUS_ERROR "org.vtpm.Error."

#endif
