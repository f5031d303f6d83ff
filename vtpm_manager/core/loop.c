/* SPDX-License-Identifier: BSD-3-Clause */
/* loop.c - timers of the event loop, and its end by a fatal error. */
#include "vtpm_manager/core/loop.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

/* Always a new source: the old one may have had another handler. */
int
loop_timer(struct mgr *m, sd_event_source **s, uint64_t ms, int priority,
    sd_event_time_handler_t cb, void *arg)
{
	int r;

	*s = sd_event_source_disable_unref(*s);
	r = sd_event_add_time_relative(
	    m->ev, s, CLOCK_MONOTONIC, ms * 1000, 1000, cb, arg);
	if (r >= 0)
		r = sd_event_source_set_priority(*s, priority);
	if (r < 0) {
		*s = sd_event_source_disable_unref(*s);
		errno = -r;
		return VT_E_SYS;
	}
	return VT_OK;
}

void
loop_timer_off(sd_event_source *s)
{
	if (s != NULL)
		(void)sd_event_source_set_enabled(s, SD_EVENT_OFF);
}

void
loop_fatal(struct mgr *m, const char *fmt, ...)
{
	va_list ap;

	if (m->fatal[0] == '\0') {
		va_start(ap, fmt);
		(void)vsnprintf(m->fatal, sizeof(m->fatal), fmt, ap);
		va_end(ap);
		log_err("%s", m->fatal);
	}
	(void)sd_event_exit(m->ev, 1);
}
