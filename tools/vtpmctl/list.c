/* SPDX-License-Identifier: BSD-3-Clause */
/* list.c - vtpmctl list: all vTPMs, one a line. */
#include <stdio.h>

#include "base/options.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

static int
list(void *ctx, void *args, int argc, char **argv)
{
	struct vctl *v = ctx;
	json_t *all, *o;
	char when[32];
	size_t i;

	(void)args;
	(void)argc;
	(void)argv;
	if ((all = vctl_json(v, "List", NULL)) == NULL)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(all);
	(void)printf("%-20s %-4s %-12s %5s %-36s %s\n", "NAME", "TPM", "STATE",
	    "GROUP", "UUID", "CREATED");
	json_array_foreach(all, i, o)
	{
		(void)printf("%-20s %-4s %-12s %5llu %-36s %s\n",
		    vctl_text(o, "name"), vctl_text(o, "tpm"),
		    vctl_text(o, "state"), vctl_num(o, "group"),
		    vctl_text(o, "uuid"),
		    vctl_time(vctl_num(o, "created_ms"), when));
		if (json_object_get(o, "why") != NULL)
			(void)printf("  %s\n", vctl_text(o, "why"));
	}
	json_decref(all);
	return EXIT_OK;
}

const struct opt_command vctl_list = {
	.name = "vtpmctl list",
	.about = "List all vTPMs.\n",
	.run = list,
};
