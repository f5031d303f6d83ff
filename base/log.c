/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"

static const char *log_ident = "vtpm";
static enum log_level log_max = LOG_L_INFO;
static char log_guest[80];
static char log_last[1024];
static bool log_journal;
static void (*log_sink_fn)(const char *text);

void
log_open(const char *ident, enum log_level max)
{
	log_ident = ident;
	log_max = max;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

void
log_set_level(enum log_level max)
{
	log_max = max;
}

void
log_set_guest(const char *name)
{
	log_guest[0] = '\0';
	if (name != NULL && name[0] != '\0')
		(void)snprintf(
		    log_guest, sizeof(log_guest), "guest %s: ", name);
}

void
log_set_sink(void (*sink)(const char *text))
{
	log_sink_fn = sink;
}

bool
log_sink(const char *text)
{
	if (log_sink_fn == NULL)
		return false;
	log_sink_fn(text);
	return true;
}

const char *
log_last_error(void)
{
	return log_last;
}

/* One write(2) per line, so that lines of several processes do not mix. */
void
log_at(enum log_level l, const char *fmt, ...)
{
	char line[1024], prefix[8] = "";
	int saved = errno, n, m;
	va_list ap;

	if (l == LOG_L_ERR) {
		va_start(ap, fmt);
		errno = saved; /* for %m */
		(void)vsnprintf(log_last, sizeof(log_last), fmt, ap);
		va_end(ap);
		if (log_sink(log_last)) {
			errno = saved;
			return;
		}
	}
	if (l > log_max)
		return;
	if (log_journal)
		(void)snprintf(prefix, sizeof(prefix), "<%d>", (int)l);
	n = snprintf(
	    line, sizeof(line) - 1, "%s%s: %s", prefix, log_ident, log_guest);
	va_start(ap, fmt);
	errno = saved; /* for %m */
	m = vsnprintf(line + n, sizeof(line) - 1 - (size_t)n, fmt, ap);
	va_end(ap);
	if (m > 0)
		n += m;
	if ((size_t)n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	text_clean(line); /* others' words make no line of their own */
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) == -1) {
		/* there is nowhere to report it */
	}
	errno = saved;
}
