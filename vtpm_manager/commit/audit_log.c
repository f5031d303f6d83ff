/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * audit_log.c - records of the audit log.  A caller of the control socket
 * whose requests are denied again and again cannot push the records of others
 * out of the log.
 */
#include "vtpm_manager/commit/audit_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vtpm_manager/commit/audit_limit.h"
#include "vtpm_manager/commit/commit.h"
#include "vtpm_manager/core/loop.h"
#include "vtpm_manager/store/store.h"
#include "vtpm_manager/store/store_audit.h"

#define COUNTED_MS 60000 /* the log has each count after this time */

struct audit_log {
	struct audit_limit denied;
	sd_event_source *timer;
	bool counting; /* the timer runs */
};

int
audit_log_new(struct mgr *m)
{
	if ((m->audit = calloc(1, sizeof(*m->audit))) == NULL)
		return VT_E_NOMEM;
	audit_limit_init(&m->audit->denied);
	return VT_OK;
}

void
audit_log_free(struct mgr *m)
{
	if (m->audit == NULL)
		return;
	(void)sd_event_source_disable_unref(m->audit->timer);
	free(m->audit);
	m->audit = NULL;
}

static int
on_counted(sd_event_source *s, uint64_t usec, void *arg)
{
	struct mgr *m = arg;

	(void)s;
	(void)usec;
	audit_log_counted(m);
	return 0;
}

/* A request that was denied or failed, beyond the caller's share. */
static bool
is_too_much(
    struct mgr *m, const char *who, const char *action, const char *result)
{
	struct audit_log *al = m->audit;

	if (strcmp(result, "ok") == 0 || strncmp(who, "uid ", 4) != 0 ||
	    audit_limit_allows(&al->denied, who, action, now_us()))
		return false;
	if (al->counting)
		return true;
	al->counting = true;
	log_warn(
	    "%s: too many denied requests; further ones are summarised", who);
	if (loop_timer(m, &al->timer, COUNTED_MS, LOOP_PRIO_BUS, on_counted,
		m) != VT_OK)
		audit_log_counted(m); /* a record each, rather than none */
	return true;
}

void
audit_log_written(struct mgr *m, const char *who, const char *action,
    const char *object, const char *result, const char *detail)
{
	m->n.audit_records++;
	if (m->audited != NULL)
		m->audited(m, who, action, object, result, detail);
}

static void
write_record(struct mgr *m, const char *who, const char *action,
    const char *object, const char *result, const char *detail)
{
	int rc;

	log_info("audit: %s: %s %s: %s%s%s", who, action, object, result,
	    detail[0] != '\0' ? ": " : "", detail);
	if (!start_store_open(m->start))
		return;
	rc = store_audit(m->st, who, action, object, result, detail);
	if (rc == VT_OK) {
		audit_log_written(m, who, action, object, result, detail);
		commit_soon(m, NULL, NULL);
	} else
		log_warn("cannot write the audit log: %s", vt_strerror(rc));
}

void
audit_log(struct mgr *m, const char *who, const char *action,
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
audit_log_counted(struct mgr *m)
{
	struct audit_limit_sum s;
	char detail[160];

	m->audit->counting = false;
	while (audit_limit_take(&m->audit->denied, &s)) {
		(void)snprintf(detail, sizeof(detail),
		    "%llu more denied requests of %s in %llu s, the last one: "
		    "%s",
		    (unsigned long long)s.n, s.who,
		    (unsigned long long)((now_us() - s.since_us) / 1000000),
		    s.last);
		write_record(m, s.who, "denied", "", "denied", detail);
	}
}
