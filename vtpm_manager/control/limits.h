/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * limits.h - limits of the control interface, and the limits of all processes
 * for Limits() (`vtpmctl status --limits`).
 *
 * Layer:  vtpm_manager/control.
 */
#ifndef VTPM_MANAGER_CONTROL_LIMITS_H
#define VTPM_MANAGER_CONTROL_LIMITS_H

#define BUS_CONNS_MAX 64     /* open control connections */
#define BUS_LAUNCH_MAX 65536 /* bytes of a launch record */

#endif
