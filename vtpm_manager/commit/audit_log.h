/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * audit_log.h - records of the audit log.
 *
 * Layer:  vtpm_manager/commit.
 */
#ifndef VTPM_MANAGER_COMMIT_AUDIT_LOG_H
#define VTPM_MANAGER_COMMIT_AUDIT_LOG_H

#include "vtpm_manager/core/context.h"

int audit_log_new(struct mgr *m) VT_CHECK;
void audit_log_free(struct mgr *m);
/*
 * Write a record; it is durable with the next commit, which this asks for.
 * A request of a caller ("uid ...") that did not end "ok" gets a record only
 * within the caller's share (audit_limit.h); further ones are counted and
 * written as one record.
 */
void audit_log(struct mgr *m, const char *who, const char *action,
    const char *object, const char *result, const char *fmt, ...)
    VT_PRINTF(6, 7);
/* Somebody wrote a record by store_audit() itself: count it, tell of it. */
void audit_log_written(struct mgr *m, const char *who, const char *action,
    const char *object, const char *result, const char *detail);
/* Write the records of what was counted. */
void audit_log_counted(struct mgr *m);

#endif
