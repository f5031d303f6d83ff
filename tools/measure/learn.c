/* SPDX-License-Identifier: BSD-3-Clause */
/* learn.c - vtpm-measure learn: draft a policy from logs of boots. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "measure/appraise/policy_draft.h"
#include "tools/common/file.h"
#include "tools/common/pcr_list.h"
#include "tools/measure/boot_input.h"
#include "tools/measure/commands.h"

#define MAX_LOGS 32

enum { LX_MADE = 0, LX_REFUSED = 1, LX_FAILED = 2 };

struct args {
	const char *name, *no_initrd, *out;
	uint32_t values_mask;
	bool soft;
};

/* Every log by its operand. */
struct logs {
	uint8_t *buf[MAX_LOGS];
	struct policy_boot boots[MAX_LOGS];
	size_t n;
};

static int
set_values(void *dst, const struct opt *o, const char *arg)
{
	(void)o;
	return tool_pcr_list(arg, &((struct args *)dst)->values_mask);
}

static int
read_logs(const struct args *a, char **names, size_t n, struct logs *logs)
{
	struct policy_gen *g;
	int rc;

	for (; logs->n < n; logs->n++) {
		g = &logs->boots[logs->n].gen;
		rc = boot_input_log(
		    names[logs->n], &logs->buf[logs->n], &g->logs[1].len);
		if (rc != VT_OK)
			return rc;
		g->logs[1].p = logs->buf[logs->n];
		g->name = a->name;
		g->values_mask = a->values_mask;
		g->no_initrd_reason = a->no_initrd;
		g->allow_software_root = a->soft;
		logs->boots[logs->n].name = names[logs->n];
	}
	return VT_OK;
}

static int
draft(const struct args *a, const struct logs *logs)
{
	char err[POLICY_DRAFT_ERR], *text;
	json_t *all = NULL;
	int rc;

	if ((rc = policy_draft(logs->boots, logs->n, &all, err)) != VT_OK)
		goto out;
	text = json_dumps(all, JSON_INDENT(1));
	json_decref(all);
	if (text == NULL) {
		log_err("out of memory");
		return LX_FAILED;
	}
	rc = policy_draft_holds(logs->boots, logs->n, text, err);
	if (rc == VT_OK && tool_write_line(a->out, text, 0644) != VT_OK) {
		free(text);
		return LX_FAILED;
	}
	free(text);
out:
	if (rc == VT_OK)
		return LX_MADE;
	log_err("no policy made: %s", err);
	return rc == VT_E_POLICY ? LX_REFUSED : LX_FAILED;
}

static int
learn(void *ctx, void *args, int argc, char **argv)
{
	struct logs *logs = calloc(1, sizeof(*logs));
	int ex = LX_FAILED;
	size_t i;

	(void)ctx;
	if (logs == NULL) {
		log_err("out of memory");
		return LX_FAILED;
	}
	if (read_logs(args, argv, (size_t)argc, logs) == VT_OK)
		ex = draft(args, logs);
	for (i = 0; i < MAX_LOGS; i++)
		free(logs->buf[i]);
	free(logs);
	return ex;
}

static const struct opt opts[] = {
	{ OPT_TEXT("name", 0, "TEXT", struct args, name,
	    "the policy's name, shown in verdicts (default \"learnt\")") },
	{ OPT_CALL("values", "LIST", set_values,
	    "a list of PCR numbers, as 0,7",
	    "fix these PCRs by value instead of by events, as 0,7") },
	{ OPT_TEXT("no-initrd", 0, "REASON", struct args, no_initrd,
	    "the boots measure no initrd; say why that is acceptable") },
	{ OPT_FLAG("allow-software-root", 0, struct args, soft,
	    "accept evidence that no physical TPM backs") },
	{ OPT_TEXT("out", 'o', "FILE", struct args, out,
	    "write the policy to FILE (default: standard output)") },
	OPT_END,
};

const struct opt_command measure_learn = {
	.name = "vtpm-measure learn",
	.about = "Draft a policy from the logs of boots that you trust.\n"
		 "It accepts each of them, and mixtures.  Nothing is "
		 "verified: prefer vtpm-verify policy --from,\n"
		 "which checks a quote, where there is evidence.\n",
	.operands = "LOG ...",
	.opts = opts,
	.size = sizeof(struct args),
	.defaults = &(const struct args){ .name = "learnt" },
	.nmin = 1,
	.nmax = MAX_LOGS,
	.run = learn,
	.more = "A log is a TCG binary log, also one that vtpm-measure predict "
		"--log wrote, or evidence of vtpm-attest.\n"
		"Exit status: 0 made, 1 refused, 2 a file cannot be read, or "
		"wrong usage.\n"
		"Example:\n"
		"  vtpm-measure learn kernel-1.log kernel-2.log -o "
		"policy.json\n",
};
