/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verdict.h - verdicts of vtpm-verify: exit codes, and checks as text.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VERIFY_VERDICT_H
#define TOOLS_VERIFY_VERDICT_H

#include <jansson.h>
#include <stdbool.h>

#include "measure/library/vtpm_verify.h"

/* Exit codes of every command: those of enum vtpm_verdict; a usage error
 * (OPT_BAD) is VX_UNDECIDED, too. */
enum { VX_ACCEPTED = 0, VX_REFUSED = 1, VX_UNDECIDED = 2 };

/* No exit code: nothing was judged, and the reason is logged. */
#define VERDICT_NONE (-1)

/* Exit code for ex; for VERDICT_NONE, with json, print a verdict that says the
 * last logged error. */
int verdict_of(int ex, bool json);

/* Print every check and the verdict, and free r; all: every event that differs
 * from the policy, too, which JSON always has.  Returns an exit code. */
int verdict_print(struct vtpm_report *r, bool json, bool all);

#endif
