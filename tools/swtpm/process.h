/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process.h - what swtpm and swtpm_setup do to their own process.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_SWTPM_PROCESS_H
#define TOOLS_SWTPM_PROCESS_H

#include <stdbool.h>

#include "base/err.h"

/* A user's name or number; root alone can.  Logged. */
int process_run_as(const char *user) VT_CHECK;
/* Messages go to fd, which passes, or nowhere (-1). */
int process_log_to(int fd) VT_CHECK;
/* Fork; the child returns *ret_ready, the parent exits as the child says by
 * process_ready(). */
int process_detach(int *ret_ready) VT_CHECK;
/* The parent may exit now; ready -1: there is none. */
void process_ready(int *ready);
/* Read a key's descriptor to its end and close it, as the writer of a pipe
 * expects; NULL: none. */
void process_drain(const char *number);
/* A key file that the caller wants removed ("file=K,remove=true") is removed:
 * keys are not needed here. */
int process_drop_key(const char *option, const char *list) VT_CHECK;

#endif
