/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xl_console.h - talk to the manager in a domain of its own, by its console:
 * each line is a vtpmctl command, "= N" after its words is its exit code
 * (tools/domain/console).
 *
 * Layer:  tools.
 * Trust:  what comes from that domain is its manager's word; it is bounded.
 */
#ifndef TOOLS_LAUNCH_XL_CONSOLE_H
#define TOOLS_LAUNCH_XL_CONSOLE_H

#include <stddef.h>

#include "base/err.h"

struct xcons;

/* domain: a name or an id.  An exit code of vtpmctl's, after a message. */
int xcons_open(const char *xl, const char *domain, struct xcons **ret);
void xcons_close(struct xcons *c); /* NULL is a no-op */
/*
 * One command; what it said is *ret, heap, lines ended by newlines.
 * Returns its exit code, or VT_E_RANGE, VT_E_AGAIN (no answer in time),
 * VT_E_CLOSED, VT_E_SYS, VT_E_NOMEM.
 */
int xcons_command(struct xcons *c, const char *line, char **ret) VT_CHECK;
/* Bytes for the next command's /tmp/in, as base64.  Errors as above;
 * VT_E_STATE: refused there. */
int xcons_send(struct xcons *c, const char *base64) VT_CHECK;

#endif
