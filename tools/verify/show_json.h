/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * show_json.h - vtpm-verify show --json of evidence.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VERIFY_SHOW_JSON_H
#define TOOLS_VERIFY_SHOW_JSON_H

#include "base/err.h"

/* Print the evidence in that file; a failure is logged with its name. */
int show_json(const char *path) VT_CHECK;

#endif
