/* SPDX-License-Identifier: BSD-3-Clause */
/* diff.c - vtpm-measure diff: where two boots differ. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "measure/log/boot_diff.h"
#include "measure/log/explain.h"
#include "measure/log/replay.h"
#include "tools/common/json.h"
#include "tools/common/log_file.h"
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
print(const struct args *a, const struct boot_diffs *d)
{
	struct explain *list = calloc(d->n + 1u, sizeof(*list));
	uint32_t i;
	int rc = VT_OK;

	if (list == NULL) {
		log_err("out of memory");
		return VT_E_NOMEM;
	}
	for (i = 0; i < d->n; i++)
		list[i] = boot_diff_explain(&d->d[i]);
	if (a->json)
		rc = print_json(list, d->n);
	else
		print_text(list, d->n, a->all);
	free(list);
	return rc;
}

static int
compare(
    const struct args *a, const struct replay *was, const struct replay *now)
{
	struct boot_diffs d = { 0 };
	int rc = boot_diff(was, now, &d);

	if (rc != VT_OK) {
		log_err("the logs cannot be compared: %s",
		    rc == VT_E_UNSUPPORTED ? "they have no PCR bank in common"
					   : vt_strerror(rc));
		return DX_FAILED;
	}
	rc = DX_FAILED;
	if (print(a, &d) == VT_OK)
		rc = d.n == 0 ? DX_SAME : DX_DIFFERS;
	boot_diffs_done(&d);
	return rc;
}

static int
diff(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	struct replay *was = NULL, *now = NULL;
	int rc = DX_FAILED;

	(void)ctx;
	(void)argc;
	if (tool_read_log(argv[0], &was) == VT_OK &&
	    tool_read_log(argv[1], &now) == VT_OK)
		rc = compare(a, was, now);
	if (rc == DX_FAILED && a->json &&
	    tool_json_print_error(FORMAT) != VT_OK)
		log_err("cannot print the error");
	replay_free(was);
	replay_free(now);
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
	.about = "Compare the event logs of two boots: print the first event "
		 "that differs and the likely cause.  Nothing is verified.\n",
	.operands = "OLD NEW",
	.opts = opts,
	.size = sizeof(struct args),
	.nmin = 2,
	.nmax = 2,
	.run = diff,
	.more = "A log is a TCG binary log, CEL-JSON, or a measurement list of "
		"IMA.\n"
		"Exit status: 0 equal, 1 they differ, 2 a log cannot be read, "
		"or wrong usage.\n"
		"Example:\n"
		"  vtpm-measure diff yesterday.log today.log\n",
};
