/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xl_proc.h - run xl and what belongs to it.
 *
 * Layer:  tools.
 * Descriptors without close-on-exec go to the child: xl gets what was measured
 * through them.
 */
#ifndef TOOLS_LAUNCH_XL_PROC_H
#define TOOLS_LAUNCH_XL_PROC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define XL_OUT_MAX (1024u * 1024)

/* The program that $VTPM_XL names, or xl in $PATH.  VT_E_NOTFOUND. */
int xl_find(char *out, size_t cap) VT_CHECK;
/* A program beside this one, or what $env names.  VT_E_RANGE. */
int xl_beside(
    char *out, size_t cap, const char *name, const char *env) VT_CHECK;

/* Start argv; argv[0] is the program's path.  out: where its standard output
 * goes, -1: to ours; pass: a descriptor that it inherits although it closes on
 * exec, -1: none.  -1 and errno. */
pid_t xl_start(char *const argv[], int out, int pass);
/* Wait for its end; its exit status (128 + the signal that ended it), or
 * VT_E_SYS. */
int xl_end(pid_t pid) VT_CHECK;
/*
 * Both.  argv[0] is the program's path.  Waits for its end.
 * ret	NULL: its standard output is ours; else that, heap, NUL behind it
 *	(at most XL_OUT_MAX).
 * Returns as xl_end(), or VT_E_*.
 */
int xl_run(char *const argv[], uint8_t **ret, size_t *ret_len) VT_CHECK;

/* The id of the domain with that uuid, from `xl vm-list`.  VT_E_NOTFOUND. */
int xl_domid(const char *xl, const char *uuid, uint32_t *ret) VT_CHECK;

#endif
