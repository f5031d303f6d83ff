/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify_main.c - vtpm-verify: judge a guest's evidence, make a policy from
 * a reference boot, show a log.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "tools/verify/cmd.h"

#define NONCE_LEN 32

static const char usage[] =
    "usage: vtpm-verify -e EVIDENCE --nonce HEX --policy FILE [options]\n"
    "       vtpm-verify policy --from EVIDENCE -o FILE [options]\n"
    "       vtpm-verify show EVIDENCE|LOG\n"
    "       vtpm-verify enrol challenge|finish ...\n"
    "       vtpm-verify host-states --key PEM APPROVAL... | --pcrs FILE ...\n"
    "       vtpm-verify host-quote --quote FILE --nonce HEX ...\n"
    "       vtpm-verify nonce\n"
    "\n"
    "  -e, --evidence FILE  what vtpm-attest wrote\n"
    "  --nonce HEX          the nonce that was given to the guest\n"
    "  --policy FILE        which boots are accepted\n"
    "  --ca FILE            the vTPM manager's CA certificate, PEM or DER\n"
    "  --uuid UUID          it must be this vTPM\n"
    "  --previous FILE      earlier accepted evidence of the same vTPM: its\n"
    "                       counters may not have run backwards\n"
    "  --firmware HEX       its TPM must have this firmwareVersion (show\n"
    "                       tells it)\n"
    "  --host FILE          the host's record, from vtpm-verify enrol: the\n"
    "                       evidence must have a deep quote of this host\n"
    "  --host-states FILE   the states that the host may be in\n"
    "  --roots PATH         TPM manufacturers' certificates, a file or a\n"
    "                       folder: check the host's EK certificate again\n"
    "  --channel-key HEX    SHA-256 of the key at the other end of the\n"
    "                       channel: the deep quote must name it\n"
    "  --json               the verdict as JSON\n"
    "\n"
    "Exit: 0 accepted, 1 refused, 2 could not decide.\n"
    "vtpm-verify policy --help says how to make a policy; enrol,\n"
    "host-states and host-quote have --help, too.\n";

static int
cmd_nonce(int argc, char **argv)
{
	uint8_t raw[NONCE_LEN];
	char hex[2 * NONCE_LEN + 1];

	(void)argv;
	if (argc != 1) {
		(void)fputs(usage, stderr);
		return VX_UNDECIDED;
	}
	if (random_bytes(raw, sizeof(raw)) != VT_OK) {
		log_err("no randomness to be had");
		return VX_UNDECIDED;
	}
	hex_encode(raw, sizeof(raw), hex);
	return puts(hex) >= 0 ? VX_ACCEPTED : VX_UNDECIDED;
}

static int
cmd_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	(void)fputs(usage, stdout);
	return VX_ACCEPTED;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} cmds[] = {
		{ "policy", verify_cmd_policy },
		{ "show", verify_cmd_show },
		{ "enrol", verify_cmd_enrol },
		{ "host-states", verify_cmd_states },
		{ "host-quote", verify_cmd_quote },
		{ "nonce", cmd_nonce },
		{ "help", cmd_help },
		{ "--help", cmd_help },
		{ "-h", cmd_help },
	};
	size_t i;

	log_open("vtpm-verify", LOG_L_INFO);
	for (i = 0; argc > 1 && i < VT_NELEM(cmds); i++)
		if (strcmp(argv[1], cmds[i].name) == 0)
			return cmds[i].run(argc - 1, argv + 1);
	if (argc < 2 || argv[1][0] != '-') {
		(void)fputs(usage, stderr);
		return VX_UNDECIDED;
	}
	return verify_cmd_evidence(argc, argv);
}
