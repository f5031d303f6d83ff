/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fail.h - how vtpmctl fails: a message and an exit code for each kind.
 *
 * Layer:  tools.
 * The codes and their names are documented in vtpmctl(1), EXIT STATUS; they do
 * not change.
 * A function that has no code to return (a message, JSON) leaves it here: then
 * main() turns EXIT_REFUSED into the code of the first failure.
 */
#ifndef TOOLS_VTPMCTL_FAIL_H
#define TOOLS_VTPMCTL_FAIL_H

#include "base/err.h"
#include "base/log.h"

enum vctl_exit {
	EXIT_OK = 0,
	EXIT_REFUSED = 1,   /* refused or failed, for none of the reasons
			       below */
	EXIT_USAGE = 2,     /* wrong usage; OPT_BAD */
	EXIT_NOT_FOUND = 3, /* no such vTPM, group or record */
	EXIT_EXISTS = 4,    /* there is one already, or it runs already */
	EXIT_BUSY = 5,      /* in use, or not in a state for it */
	EXIT_DENIED = 6,    /* the role, or a policy, does not allow it */
	EXIT_AWAY = 7,      /* no manager answers, or it does not serve yet */
	EXIT_STORAGE = 8,   /* the state disk: no room, an I/O error, damage */
	EXIT_TPM = 9,       /* the host's TPM */
	VCTL_NEXITS
};

/* "not-found": the code's name in JSON. */
const char *vctl_exit_name(int code);
/* For the name of an error on the bus; NULL: EXIT_REFUSED. */
int vctl_exit_of(const char *bus_error);

/* Print "vtpmctl: what failed"; returns code. */
int vctl_fail_as(int code, const char *fmt, ...) VT_PRINTF(2, 3);
#define vctl_fail(...) vctl_fail_as(EXIT_REFUSED, __VA_ARGS__)

/* What failed so far is in the answer: its code is not the program's. */
void vctl_answered(void);
/* From here on errors are collected for vctl_end(), as with --json. */
void vctl_collect_errors(void);
/* The end: print what was collected to standard error.  Returns rc, or the
 * code of the first failure if rc is EXIT_REFUSED. */
int vctl_end(int rc);

#endif
