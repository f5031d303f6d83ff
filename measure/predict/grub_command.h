/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grub_command.h - GRUB's commands, as far as they change what is measured.
 *
 * Layer:  measure; may include base, measure/tpm, measure/log.
 */
#ifndef MEASURE_PREDICT_GRUB_COMMAND_H
#define MEASURE_PREDICT_GRUB_COMMAND_H

#include "measure/predict/grub_run.h"

struct grub_command {
	const char *name;
	/* argv[0] is the name; returns GRUB's result, 0 is success and 1 is
	 * "false". */
	int (*run)(struct grub_run *g, int argc, char **argv);
};

/* NULL: it is no command that is known here. */
const struct grub_command *gc_find(const char *name);

#endif
