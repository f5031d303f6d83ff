/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * print.h - what vtpmctl prints: answers on standard output, failures on
 * standard error.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VTPMCTL_PRINT_H
#define TOOLS_VTPMCTL_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

enum { EXIT_OK = 0, EXIT_REFUSED = 1 }; /* and OPT_BAD */

/* "vtpmctl: what failed"; EXIT_REFUSED. */
#define vctl_fail(...) (log_err(__VA_ARGS__), EXIT_REFUSED)

/* Pretty JSON on stdout; takes over j, NULL after a failed json_pack().
 * Returns an exit code. */
int vctl_print_json(json_t *j);

/* A member's text, "-" without it; borrowed from o. */
const char *vctl_text(const json_t *o, const char *key);
unsigned long long vctl_num(const json_t *o, const char *key);
bool vctl_is(const json_t *o, const char *key);
/* "2026-01-31 12:00:00", local time. */
const char *vctl_time(uint64_t ms, char out[32]);

#endif
