/* SPDX-License-Identifier: BSD-3-Clause */
/* replay.c - vtpm-verify replay: every bank and value that a log gives. */
#include "tools/verify/replay.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/util.h"
#include "tools/common/file.h"
#include "tools/common/json.h"
#include "tools/common/log_file.h"
#include "tools/verify/commands.h"
#include "tools/verify/verdict.h"

struct args {
	bool json;
};

void
replay_print_events(const struct replay *r)
{
	char hex[2 * DIGEST_MAX + 1];
	uint32_t i, b;

	for (i = 0; i < r->n; i++) {
		const struct replay_event *e = &r->ev[i];

		for (b = 0; b < r->pcrs.nbanks && e->digests[b].len == 0; b++)
			;
		hex[0] = '\0';
		if (b < r->pcrs.nbanks)
			hex_encode(e->digests[b].val, e->digests[b].len, hex);
		(void)printf("PCR %-2u %3u  %.16s..  %s%s\n", e->pcr, e->pos,
		    hex, e->words,
		    e->lies ? "  [its text is not what was measured]" : "");
	}
}

static void
print_values(const struct replay *r)
{
	char hex[2 * DIGEST_MAX + 1];
	uint32_t b, i;

	for (b = 0; b < r->pcrs.nbanks; b++)
		for (i = 0; i < PCR_COUNT; i++) {
			const struct pcr_bank *bank = &r->pcrs.banks[b];

			if ((bank->valid >> i & 1) == 0)
				continue;
			hex_encode(bank->val[i], bank->len, hex);
			(void)printf(
			    "%s PCR %-2u %s\n", digest_name(bank->alg), i, hex);
		}
}

int
replay_print_json(const char *format, const struct replay *r)
{
	char *text;
	int rc;

	if (r == NULL)
		return tool_json_print_error(format);
	text = replay_json(r);
	rc = text != NULL ? tool_write_line(NULL, text, 0) : VT_E_NOMEM;
	free(text);
	return rc;
}

static int
replay(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	struct replay *r = NULL;
	int rc;

	(void)ctx;
	(void)argc;
	rc = tool_read_log(argv[0], &r);
	if (a->json && replay_print_json("vtpm-replay", r) != VT_OK)
		rc = VT_E_SYS;
	if (rc == VT_OK && !a->json) {
		(void)printf("%s log, %u events:\n", r->form, r->n);
		replay_print_events(r);
		print_values(r);
		if (r->unknown > 0)
			(void)printf("(%u bank(s) that cannot be computed "
				     "here)\n",
			    r->unknown);
	}
	replay_free(r);
	return rc == VT_OK ? VX_ACCEPTED : VX_UNDECIDED;
}

static const struct opt opts[] = {
	{ OPT_FLAG(
	    "json", 0, struct args, json, "print values and events as JSON") },
	OPT_END,
};

const struct opt_command verify_replay = {
	.name = "vtpm-verify replay",
	.about = "Replay an event log: print every event as text, and the "
		 "value of each PCR in every bank.  Nothing is verified.\n",
	.operands = "LOG",
	.opts = opts,
	.size = sizeof(struct args),
	.nmin = 1,
	.nmax = 1,
	.run = replay,
	.more = "LOG is a TCG binary log, CEL-JSON, or a measurement list of "
		"IMA (ascii or binary).\n"
		"Exit status: 0 replayed, 2 it cannot be read, or wrong "
		"usage.\n"
		"Example:\n"
		"  vtpm-verify replay "
		"/sys/kernel/security/tpm0/binary_bios_measurements\n",
};
