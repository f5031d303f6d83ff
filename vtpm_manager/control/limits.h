/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * limits.h - limits of the control interface, and the limits of all processes
 * for Limits() (`vtpmctl status --limits`).
 *
 * Layer:  vtpm_manager/control.
 */
#ifndef VTPM_MANAGER_CONTROL_LIMITS_H
#define VTPM_MANAGER_CONTROL_LIMITS_H

/* Open control connections: in all, of one user, and how many of all of them
 * only root and the manager's own user get.  BUS_CONNS_USER is not for these
 * two: a host's tools all run as root. */
#define BUS_CONNS_MAX 64
#define BUS_CONNS_USER 16
#define BUS_CONNS_ROOT 8
/* Refused connections in the log: so many at once, then one in this time. */
#define BUS_LOG_BURST 10
#define BUS_LOG_EVERY_US 10000000
/* Signals that wait for a subscriber to read them. */
#define BUS_SIGNALS_MAX 256
#define BUS_SIGNALS_ROOM 65536 /* bytes of the kernel's memory, before that */
/* Open connections to the metrics: in all, of one user but root and the
 * manager's own; how long each may take. */
#define METRICS_CONNS_MAX 16
#define METRICS_CONNS_USER 4
#define METRICS_TIME_MS 10000
/* Answers to all users but those two: so many at once, then one in this time;
 * each costs a question to every worker. */
#define METRICS_BURST 16
#define METRICS_EVERY_US 250000
#define BUS_LAUNCH_MAX 65536 /* bytes of a launch record */

#endif
