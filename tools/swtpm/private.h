/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * private.h - a manager for one place only, on a host without a manager.
 *
 * Layer:  tools.  Forks.
 */
#ifndef TOOLS_SWTPM_PRIVATE_H
#define TOOLS_SWTPM_PRIVATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "tools/swtpm/link.h"

/* The folder of its sockets, made if it is not there: a private folder of this
 * user, which a later process with the same record finds. */
int private_run(const struct link_rec *r, char *ret, size_t cap) VT_CHECK;
/* Start it unless one runs there already (*ret_pid 0). */
int private_begin(
    const struct place *p, const char *run, pid_t *ret_pid) VT_CHECK;
/* After it was asked to end: wait for that, and remove its folder. */
void private_end(const char *run, pid_t pid);

#endif
