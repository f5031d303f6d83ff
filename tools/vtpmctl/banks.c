/* SPDX-License-Identifier: BSD-3-Clause */
/* banks.c - vtpmctl banks: the PCR banks of a vTPM from its next power cycle.
 */
#include <stdio.h>

#include "base/options.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

static int
banks(void *ctx, void *args, int argc, char **argv)
{
	struct vctl *v = ctx;
	sd_bus_message *reply;

	(void)args;
	(void)argc;
	if ((reply = vctl_ask(v, "SetBanks", "ss", argv[0], argv[1])) == NULL)
		return EXIT_REFUSED;
	sd_bus_message_unref(reply);
	if (v->json)
		return vctl_print_json(json_pack(
		    "{s:s,s:s}", "name", argv[0], "banks_next", argv[1]));
	(void)printf("%s  PCR banks %s from its next power cycle on\n", argv[0],
	    argv[1]);
	return EXIT_OK;
}

const struct opt_command vctl_set_banks = {
	.name = "vtpmctl banks",
	.about = "Set the PCR banks that are active from a vTPM's next power "
		 "cycle on.\n"
		 "LIST is out of sha1, sha256, sha384 and sha512, with at "
		 "least one besides sha1.\n",
	.operands = "NAME LIST",
	.nmin = 2,
	.nmax = 2,
	.run = banks,
	.more = "Example:\n"
		"  vtpmctl banks web1 sha256,sha384\n",
};
