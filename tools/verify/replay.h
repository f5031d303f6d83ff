/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * replay.h - print what an event log gives.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_VERIFY_REPLAY_H
#define TOOLS_VERIFY_REPLAY_H

#include "base/err.h"
#include "measure/log/replay.h"

/* One line per event. */
void replay_print_events(const struct replay *r);
/* All of it as JSON, or the last error in that format if r is NULL. */
int replay_print_json(const char *format, const struct replay *r) VT_CHECK;

#endif
