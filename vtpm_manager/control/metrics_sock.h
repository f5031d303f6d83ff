/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * metrics_sock.h - RUN/metrics.sock: GET /metrics over HTTP.
 *
 * Layer:  vtpm_manager/control.
 * Trust:  the kernel's peer credentials: readers and higher roles
 *         (bus_roles.h), and members of metrics_group, who get nothing else.
 * Limits: METRICS_CONNS_MAX connections, METRICS_CONNS_USER of one user, root
 *         and the manager's own user excepted; METRICS_TIME_MS for each, from
 *         its first byte to the last one of the answer.
 */
#ifndef VTPM_MANAGER_CONTROL_METRICS_SOCK_H
#define VTPM_MANAGER_CONTROL_METRICS_SOCK_H

#include "base/err.h"

struct bus_statusq;
struct metrics_sock; /* opaque */
struct mgr;

/* m and status are borrowed and must outlive *ret, which is NULL if the
 * settings want none.  VT_E_NOMEM, VT_E_RANGE, VT_E_SYS. */
int metrics_sock_new(struct mgr *m, struct bus_statusq *status,
    struct metrics_sock **ret) VT_CHECK;
void metrics_sock_free(struct metrics_sock *s); /* NULL is a no-op */

#endif
