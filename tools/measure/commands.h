/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * commands.h - vtpm-measure's commands.
 *
 * Layer:  tools.
 */
#ifndef TOOLS_MEASURE_COMMANDS_H
#define TOOLS_MEASURE_COMMANDS_H

#include "base/options.h"

/* Exit codes. */
enum {
	MX_ALL = 0,  /* every PCR has a value */
	MX_SOME = 1, /* some PCRs cannot be predicted */
	MX_FAILED = 2
};

extern const struct opt_command measure_program;
extern const struct opt_command measure_predict;
extern const struct opt_command measure_diff;
extern const struct opt_command measure_learn;

#endif
