/* SPDX-License-Identifier: BSD-3-Clause */
/* limits.c - vtpmctl status --limits: what can be used up, by process. */
#include "tools/vtpmctl/limits.h"

#include <stdio.h>

#include "tools/vtpmctl/print.h"

static void
print_row(const json_t *r)
{
	char limit[64] = "none";

	if (json_is_integer(json_object_get(r, "limit")))
		(void)snprintf(limit, sizeof(limit), "%llu %s",
		    vctl_num(r, "limit"), vctl_text(r, "unit"));
	(void)printf("  %-50s %-8s %-26s %s\n", vctl_text(r, "name"),
	    vctl_text(r, "per"), limit, vctl_text(r, "at_limit"));
}

void
vctl_print_limits(const json_t *o)
{
	const json_t *p, *r;
	size_t i, n;

	json_array_foreach(json_object_get(o, "processes"), i, p)
	{
		(void)printf("%s%s\n  %-50s %-8s %-26s %s\n", i > 0 ? "\n" : "",
		    vctl_text(p, "process"), "WHAT", "PER", "LIMIT",
		    "AT THE LIMIT");
		json_array_foreach(json_object_get(p, "limits"), n, r)
		    print_row(r);
	}
}
