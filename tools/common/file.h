/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file.h - whole files of the command line tools; each failure is logged with
 * the file's name and the cause.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_COMMON_FILE_H
#define TOOLS_COMMON_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* As read_file(): *ret is heap with a NUL behind it, free() frees it. */
int tool_read(
    const char *path, size_t max, uint8_t **ret, size_t *ret_len) VT_CHECK;
/* All of buf or nothing, synced; path NULL or "-": to standard output. */
int tool_write(
    const char *path, const void *buf, size_t len, unsigned int mode) VT_CHECK;
/* The same for a line of text. */
int tool_write_line(
    const char *path, const char *text, unsigned int mode) VT_CHECK;

#endif
