/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log_file.h - an event log of any form, from a file.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_COMMON_LOG_FILE_H
#define TOOLS_COMMON_LOG_FILE_H

#include "base/err.h"
#include "measure/log/replay.h"

/* *ret: replay_free() frees it.  VT_E_*, logged with the file's name. */
int tool_read_log(const char *path, struct replay **ret) VT_CHECK;

#endif
