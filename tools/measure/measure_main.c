/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * measure_main.c - vtpm-measure: the PCRs of a boot from its files.  See
 * doc/man/vtpm-measure.1.
 */
#include "base/log.h"
#include "tools/measure/commands.h"

static const struct opt_command *const commands[] = { &measure_predict,
	&measure_diff, &measure_learn, NULL };

const struct opt_command measure_program = {
	.name = "vtpm-measure",
	.about = "Compute what a boot will measure into a TPM, and compare "
		 "boots.\n",
	.operands = "COMMAND",
	.nmin = 1,
	.nmax = OPT_ANY,
	.commands = commands,
	.more = "\"vtpm-measure COMMAND --help\" shows a command's options.\n",
};

int
main(int argc, char **argv)
{
	log_open("vtpm-measure", LOG_L_INFO);
	if (argc > 1 && argv[1][0] != '-')
		return opt_dispatch(&measure_program, NULL, argc - 1, argv + 1);
	return opt_run(&measure_program, NULL, argc, argv);
}
