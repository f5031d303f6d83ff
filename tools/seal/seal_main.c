/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seal_main.c - vtpm-seal: seal a secret to this guest's boot, or to the boots
 * that a key approves, and open it after such a boot.
 */
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/options.h"
#include "tools/seal/commands.h"

static const struct opt_command *const commands[] = { &seal_cmd, &unseal_cmd,
	&approve_cmd, &revoke_cmd, &show_cmd, NULL };

static const struct opt_command vtpm_seal = {
	.name = "vtpm-seal",
	.about = "Seal secrets to a boot: only this TPM opens them, and only "
		 "after a boot that was measured the same, or that a key has "
		 "approved.\n",
	.commands = commands,
	.more = "`vtpm-seal COMMAND --help` describes a command.\n"
		"Exit status: 0 done, 1 refused (the PCRs differ, or there is "
		"no approval of them), 2 failed, or wrong usage.\n",
};

/* Secrets are in this process's memory: no core dump, no debugger. */
static void
no_dumps(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int
main(int argc, char **argv)
{
	log_open("vtpm-seal", LOG_L_INFO);
	no_dumps();
	return opt_run(&vtpm_seal, NULL, argc, argv);
}
