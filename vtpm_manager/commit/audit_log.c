/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * audit_log.c - what goes into the audit log.  Callers of the control
 * socket who are denied something again and again do not push everybody
 * else's records out of it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "vtpm_manager/manager.h"

#define COUNTED_MS 60000 /* at most so long is a count not in the log */

static int
on_counted(sd_event_source *s, uint64_t usec, void *arg)
{
	struct mgr *m = arg;

	(void)s;
	(void)usec;
	mgr_audit_counted(m);
	return 0;
}

/* A request that was denied, or went wrong, once too often. */
static bool
is_too_much(
    struct mgr *m, const char *who, const char *action, const char *result)
{
	if (strcmp(result, "ok") == 0 || strncmp(who, "uid ", 4) != 0 ||
	    audit_limit_allows(&m->denied, who, action, now_us()))
		return false;
	if (m->denied_counts)
		return true;
	m->denied_counts = true;
	log_warn("%s is denied too much: from here on it is counted", who);
	if (mgr_timer(m, &m->denied_timer, COUNTED_MS, MGR_PRIO_CTL, on_counted,
		m) != VT_OK)
		mgr_audit_counted(m); /* a record each, rather than none */
	return true;
}

static void
write_record(struct mgr *m, const char *who, const char *action,
    const char *object, const char *result, const char *detail)
{
	int rc;

	log_info("audit: %s: %s %s: %s%s%s", who, action, object, result,
	    detail[0] != '\0' ? ": " : "", detail);
	if (!m->unlocked)
		return;
	rc = store_audit(m->st, who, action, object, result, detail);
	if (rc == VT_OK)
		mgr_commit_soon(m, NULL, NULL);
	else
		log_warn("cannot write the audit log: %s", vt_strerror(rc));
}

void
mgr_audit(struct mgr *m, const char *who, const char *action,
    const char *object, const char *result, const char *fmt, ...)
{
	char detail[TEXT_MAX_LEN + 1];
	va_list ap;

	if (is_too_much(m, who, action, result))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	write_record(m, who, action, object, result, detail);
}

void
mgr_audit_counted(struct mgr *m)
{
	struct audit_limit_sum s;
	char detail[160];

	m->denied_counts = false;
	while (audit_limit_take(&m->denied, &s)) {
		(void)snprintf(detail, sizeof(detail),
		    "%llu more denied requests of %s in %llu s, the last one: "
		    "%s",
		    (unsigned long long)s.n, s.who,
		    (unsigned long long)((now_us() - s.since_us) / 1000000),
		    s.last);
		write_record(m, s.who, "denied", "", "denied", detail);
	}
}
