/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * child.h - run another program for its output.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_MEASURE_CHILD_H
#define TOOLS_MEASURE_CHILD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Run argv, found in $PATH, without input; its messages are dropped, its
 * processor time and memory are bounded.
 * ret	its output, heap, at most max bytes; NULL: it goes to nowhere.
 * VT_E_NOTFOUND: no such program; VT_E_STATE: it failed; VT_E_RANGE: it says
 * more than max; VT_E_SYS, VT_E_NOMEM.
 */
int child_run(const char *const argv[], size_t max, uint8_t **ret,
    size_t *ret_len) VT_CHECK;

#endif
