/* SPDX-License-Identifier: BSD-3-Clause */
/* verdict.c - a report as text or JSON, and its exit code. */
#include "tools/verify/verdict.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "tools/common/file.h"
#include "tools/common/json.h"

static void
print_differences(struct vtpm_report *r, bool all)
{
	size_t i, n = vtpm_report_differences(r);
	size_t more = vtpm_report_more_differences(r);
	struct vtpm_difference d;

	if (!all && more > 0)
		(void)printf("%zu events differ; --all lists %zu of them\n",
		    n + more, n);
	else if (!all && n > 1)
		(void)printf("%zu events differ; --all lists them\n", n);
	for (i = 0; all && vtpm_report_difference(r, i, &d) == 0; i++)
		(void)printf("differs  %s\n", d.text);
	if (all && more > 0)
		(void)printf(
		    "%zu more events differ and are not listed\n", more);
}

static void
print_report(struct vtpm_report *r, bool all)
{
	static const char *const marks[] = { [VTPM_PASS] = "ok  ",
		[VTPM_NOTE] = "note",
		[VTPM_CANNOT] = "??  ",
		[VTPM_FAIL] = "FAIL" };
	struct vtpm_check c;
	size_t i;

	for (i = 0; vtpm_report_check(r, i, &c) == 0; i++)
		(void)printf("%s  %-16s %s\n", marks[c.outcome], c.id, c.text);
	print_differences(r, all);
	switch (vtpm_report_verdict(r)) {
	case VTPM_ACCEPTED:
		(void)printf("ACCEPTED on a %s\n", vtpm_report_root(r));
		break;
	case VTPM_REFUSED:
		(void)printf("REFUSED: %s\n", vtpm_report_reason(r));
		break;
	default:
		(void)printf("COULD NOT DECIDE: %s\n", vtpm_report_reason(r));
	}
}

int
verdict_print(struct vtpm_report *r, bool json, bool all)
{
	const char *text;
	int ex = (int)vtpm_report_verdict(r); /* the same numbers */

	if (!json)
		print_report(r, all);
	else if ((text = vtpm_report_json(r)) == NULL ||
		 tool_write_line(NULL, text, 0) != VT_OK)
		ex = VX_UNDECIDED;
	vtpm_report_free(r);
	return ex;
}

int
verdict_of(int ex, bool json)
{
	char *text;
	json_t *o;

	if (ex != VERDICT_NONE)
		return ex;
	if (!json)
		return VX_UNDECIDED;
	o = json_pack("{s:s, s:s, s:n, s:n, s:b, s:b, s:[{s:s, s:s, s:o}], "
		      "s:n}",
	    "format", "vtpm-verdict", "verdict", "undecided", "instance",
	    "root", "worker_restarted", 0, "restored", 0, "checks", "check",
	    "input", "outcome", "cannot decide", "words", tool_json_error(),
	    "boot");
	text = o != NULL ? json_dumps(o, JSON_INDENT(1)) : NULL;
	if (text == NULL || tool_write_line(NULL, text, 0) != VT_OK)
		log_err("cannot print the verdict");
	free(text);
	json_decref(o);
	return VX_UNDECIDED;
}
