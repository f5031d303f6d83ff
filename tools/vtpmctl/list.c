/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "tools/vtpmctl/vtpmctl.h"

int
vctl_list(struct vctl *v, int argc, char **argv)
{
	json_t *list, *o;
	char when[32];
	size_t i;

	(void)argv;
	if (argc != 1)
		return vctl_usage(v, "it takes no argument");
	if ((list = vctl_json(v, "List", NULL)) == NULL)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(list);
	(void)printf("%-20s %-4s %-12s %5s %-36s %s\n", "NAME", "TPM", "STATE",
	    "GROUP", "UUID", "CREATED");
	json_array_foreach(list, i, o)
	{
		(void)printf("%-20s %-4s %-12s %5llu %-36s %s\n",
		    vctl_text(o, "name"), vctl_text(o, "tpm"),
		    vctl_text(o, "state"),
		    (unsigned long long)vctl_num(o, "group"),
		    vctl_text(o, "uuid"),
		    vctl_time(vctl_num(o, "created_ms"), when));
		if (json_object_get(o, "why") != NULL)
			(void)printf("  %s\n", vctl_text(o, "why"));
	}
	json_decref(list);
	return EXIT_OK;
}
