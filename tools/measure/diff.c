/* SPDX-License-Identifier: BSD-3-Clause */
/* diff.c - vtpm-measure diff: where a boot differs from another or a policy. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "measure/appraise/policy_diff.h"
#include "measure/log/boot_diff.h"
#include "measure/log/explain.h"
#include "tools/common/json.h"
#include "tools/measure/boot_input.h"
#include "tools/measure/commands.h"

#define FORMAT "vtpm-boot-diff"

enum { DX_SAME = 0, DX_DIFFERS = 1, DX_FAILED = 2 };

struct args {
	bool all, json;
};

static void
print_text(const struct explain *list, uint32_t n, bool all)
{
	char line[EXPLAIN_LINE];
	uint32_t i;

	if (n > 0) {
		explain_headline(list, n, line, sizeof(line));
		(void)printf("%s\n", line);
	}
	for (i = 1; i < n && all; i++) {
		explain_headline(&list[i], 1, line, sizeof(line));
		(void)printf("%s\n", line);
	}
	if (n > 1 && !all)
		(void)printf("%u more differ; --all lists them\n", n - 1);
}

static int
print_json(const struct explain *list, uint32_t n)
{
	json_t *arr = json_array();
	uint32_t i;

	for (i = 0; i < n; i++)
		(void)json_array_append_new(arr, explain_json(&list[i]));
	/* A missing element is one that memory did not suffice for. */
	if (json_array_size(arr) != n) {
		json_decref(arr);
		log_err("out of memory");
		return VT_E_NOMEM;
	}
	return tool_json_save(NULL,
	    json_pack("{s:s, s:o}", "format", FORMAT, "differences", arr), 0);
}

static int
print(const struct args *a, const struct explain *list, uint32_t n)
{
	if (a->json) {
		if (print_json(list, n) != VT_OK)
			return DX_FAILED;
	} else {
		print_text(list, n, a->all);
	}
	return n == 0 ? DX_SAME : DX_DIFFERS;
}

static int
failed(int rc)
{
	log_err("they cannot be compared: %s",
	    rc == VT_E_UNSUPPORTED ? "they have no PCR bank in common"
				   : vt_strerror(rc));
	return DX_FAILED;
}

static int
compare_boots(
    const struct args *a, const struct replay *was, const struct replay *now)
{
	struct boot_diffs d = { 0 };
	struct explain *list;
	uint32_t i;
	int rc;

	if ((rc = boot_diff(was, now, &d)) != VT_OK)
		return failed(rc);
	if ((list = calloc(d.n + 1u, sizeof(*list))) == NULL) {
		boot_diffs_done(&d);
		return failed(VT_E_NOMEM);
	}
	for (i = 0; i < d.n; i++)
		list[i] = boot_diff_explain(&d.d[i]);
	rc = print(a, list, d.n);
	free(list);
	boot_diffs_done(&d);
	return rc;
}

static int
compare_policy(
    const struct args *a, const struct policy *p, const struct replay *now)
{
	struct policy_diffs d = { 0 };
	int rc;

	if ((rc = policy_diff(p, now, &d)) != VT_OK)
		return failed(rc);
	rc = print(a, d.list, d.n);
	policy_diffs_done(&d);
	return rc;
}

static int
compare(const struct args *a, const struct boot_input *was,
    const struct boot_input *now)
{
	if (now->policy != NULL) {
		log_err("the second operand is a policy: give it first");
		return DX_FAILED;
	}
	return was->policy != NULL ? compare_policy(a, was->policy, now->boot)
				   : compare_boots(a, was->boot, now->boot);
}

static int
diff(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	struct boot_input was = { 0 }, now = { 0 };
	int rc = DX_FAILED;

	(void)ctx;
	(void)argc;
	if (boot_input_read(argv[0], &was) == VT_OK &&
	    boot_input_read(argv[1], &now) == VT_OK)
		rc = compare(a, &was, &now);
	if (rc == DX_FAILED && a->json &&
	    tool_json_print_error(FORMAT) != VT_OK)
		log_err("cannot print the error");
	boot_input_done(&was);
	boot_input_done(&now);
	return rc;
}

static const struct opt opts[] = {
	{ OPT_FLAG("all", 0, struct args, all, "print every difference") },
	{ OPT_FLAG(
	    "json", 0, struct args, json, "print every difference as JSON") },
	OPT_END,
};

const struct opt_command measure_diff = {
	.name = "vtpm-measure diff",
	.about = "Compare two boots, or a boot with a policy: print the first "
		 "event that differs and the likely cause.  Nothing is "
		 "verified.\n",
	.operands = "OLD NEW",
	.opts = opts,
	.size = sizeof(struct args),
	.nmin = 2,
	.nmax = 2,
	.run = diff,
	.more = "A boot is a TCG binary log, CEL-JSON, a measurement list of "
		"IMA, evidence of\n"
		"vtpm-attest, or JSON of vtpm-measure predict; OLD may be a "
		"policy.\n"
		"Exit status: 0 equal, 1 they differ, 2 a file cannot be read, "
		"or wrong usage.\n"
		"Example:\n"
		"  vtpm-measure diff yesterday.log today.log\n"
		"  vtpm-measure diff policy.json evidence.json\n",
};
