/* SPDX-License-Identifier: BSD-3-Clause */
/* verdict.c - a report in words or JSON, and the exit code that it means. */
#include "tools/verify/verdict.h"

#include <stdio.h>
#include <stdlib.h>

#include "measure/cert/cert_extension.h"
#include "tools/common/file.h"

static void
print_report(const struct report *r)
{
	static const char *const marks[] = { [REPORT_PASS] = "ok  ",
		[REPORT_NOTE] = "note",
		[REPORT_CANNOT] = "??  ",
		[REPORT_FAIL] = "FAIL" };
	const struct report_check *first = NULL;
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		const struct report_check *c = &r->checks[i];

		(void)printf(
		    "%s  %-16s %s\n", marks[c->outcome], c->id, c->words);
		if (c->outcome >= REPORT_CANNOT &&
		    (first == NULL || c->outcome > first->outcome))
			first = c;
	}
	switch (r->verdict) {
	case AP_ACCEPTED:
		(void)printf("ACCEPTED on a %s\n", cert_ext_root_name(r->root));
		break;
	case AP_REFUSED:
		(void)printf(
		    "REFUSED: %s\n", first != NULL ? first->words : "");
		break;
	default:
		(void)printf("COULD NOT DECIDE: %s\n",
		    first != NULL ? first->words : "");
	}
}

int
verdict_print(const struct report *r, bool json)
{
	char *text;

	if (json) {
		if ((text = report_json(r)) == NULL ||
		    tool_write_line(NULL, text, 0) != VT_OK) {
			free(text);
			return VX_UNDECIDED;
		}
		free(text);
	} else {
		print_report(r);
	}
	switch (r->verdict) {
	case AP_ACCEPTED:
		return VX_ACCEPTED;
	case AP_REFUSED:
		return VX_REFUSED;
	default:
		return VX_UNDECIDED;
	}
}
