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

#include "tools/vtpmctl/fail.h"

/* Pretty JSON on stdout; takes over j, NULL after a failed json_pack().
 * Returns an exit code. */
int vctl_print_json(json_t *j);

/* A member's text for a terminal, "-" without it; borrowed from o.  Others
 * wrote it: what could steer the terminal reads "?", and stays so in o. */
const char *vctl_text(const json_t *o, const char *key);
/* The same for one text. */
const char *vctl_word(json_t *text);
unsigned long long vctl_num(const json_t *o, const char *key);
bool vctl_is(const json_t *o, const char *key);
/* Columns of the terminal: COLUMNS, or what it says; not a terminal: many. */
size_t vctl_width(void);
/* "2026-01-31 12:00:00", local time. */
const char *vctl_time(uint64_t ms, char out[32]);

#endif
