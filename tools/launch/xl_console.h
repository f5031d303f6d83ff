/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xl_console.h - talk to the manager in a separate domain, on its console:
 * each line is a vtpmctl command, "= N" behind its output is its exit code
 * (tools/domain/console).
 *
 * Layer:  tools.
 * Trust:  the domain speaks for its manager; what it sends is bounded.
 */
#ifndef TOOLS_LAUNCH_XL_CONSOLE_H
#define TOOLS_LAUNCH_XL_CONSOLE_H

#include <stddef.h>

#include "base/err.h"

struct xcons;

#define XCONS_WHY_MAX 512

/* domain: a name or an id.  xl: its program.  VT_E_NOTFOUND, VT_E_SYS,
 * VT_E_AGAIN, VT_E_NOMEM, with the reason in why. */
int xcons_open(const char *xl, const char *domain, struct xcons **ret,
    char why[static XCONS_WHY_MAX]) VT_CHECK;
void xcons_close(struct xcons *c); /* NULL is a no-op */
/*
 * One command; *ret is its output, heap, lines that end with newlines; set
 * unless the result is negative.  Returns its exit code, or VT_E_RANGE,
 * VT_E_AGAIN (no answer in time), VT_E_CLOSED, VT_E_SYS, VT_E_NOMEM.
 */
int xcons_command(struct xcons *c, const char *line, char **ret) VT_CHECK;
/* Bytes for the next command's /tmp/in, as base64.  Errors as above;
 * VT_E_STATE: refused there. */
int xcons_send(struct xcons *c, const char *base64) VT_CHECK;

#endif
