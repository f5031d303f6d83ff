/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log.h - one line per event to stderr, with sd-daemon(3) level prefixes when
 * stderr is the journal.  Library code does not log; programs do.
 *
 * Layer:  base.
 * Never log secrets, nor bytes from a guest, except as hex of at most a
 * header.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum log_level {
	LOG_L_ERR = 3,
	LOG_L_WARN = 4,
	LOG_L_INFO = 6,
	LOG_L_DEBUG = 7
};

/* ident is borrowed for the life of the process. */
void log_open(const char *ident, enum log_level max);
void log_set_level(enum log_level max);
/* Prefix later lines with "guest NAME: "; NULL or "" ends that.  Copied. */
void log_set_guest(const char *name);
void log_at(enum log_level l, const char *fmt, ...) VT_PRINTF(2, 3);
/* The text of the last line at LOG_L_ERR, without its prefix; "": none. */
const char *log_last_error(void);
/* Errors go to sink (text is borrowed) instead of stderr; NULL: back. */
void log_set_sink(void (*sink)(const char *text));
/* Give text to the sink; false: there is none. */
bool log_sink(const char *text);
#define log_err(...) log_at(LOG_L_ERR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_L_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_L_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_L_DEBUG, __VA_ARGS__)

#endif
