/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify_main.c - vtpm-verify: judge a guest's evidence, make a policy from a
 * reference boot, enrol a host.  See doc/man/vtpm-verify.1.
 */
#include "base/log.h"
#include "tools/verify/commands.h"

int
main(int argc, char **argv)
{
	log_open("vtpm-verify", LOG_L_INFO);
	if (argc > 1 && argv[1][0] != '-')
		return opt_dispatch(&verify_program, NULL, argc - 1, argv + 1);
	return opt_run(&verify_program, NULL, argc, argv);
}
