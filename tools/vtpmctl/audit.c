/* SPDX-License-Identifier: BSD-3-Clause */
/* audit.c - vtpmctl audit: who changed what. */
#include <stdio.h>

#include "base/options.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

struct args {
	uint64_t from;
	uint32_t max;
};

static int
audit(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	sd_bus_message *reply;
	json_t *list, *r;
	char when[32];
	size_t i;

	(void)argc;
	(void)argv;
	if ((reply = vctl_ask(ctx, "Audit", "tu", a->from, a->max)) == NULL ||
	    (list = vctl_take_json(reply)) == NULL)
		return EXIT_REFUSED;
	if (((struct vctl *)ctx)->json)
		return vctl_print_json(list);
	json_array_foreach(list, i, r)
	{
		(void)printf("%6llu %s  %-18s %-14s %-16s %-8s %s\n",
		    vctl_num(r, "seq"), vctl_time(vctl_num(r, "time_ms"), when),
		    vctl_text(r, "who"), vctl_text(r, "action"),
		    vctl_text(r, "object"), vctl_text(r, "result"),
		    vctl_text(r, "detail"));
	}
	json_decref(list);
	return EXIT_OK;
}

static const struct opt opts[] = {
	{ OPT_U64("from", "N", struct args, from, 0, UINT64_MAX,
	    "start with record N (default: the first)") },
	{ OPT_U32("max", "N", struct args, max, 0, UINT32_MAX,
	    "show at most N records (default and maximum 5000)") },
	OPT_END,
};

const struct opt_command vctl_audit = {
	.name = "vtpmctl audit",
	.about = "Show the audit log: who changed what.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.run = audit,
};
