/* SPDX-License-Identifier: BSD-3-Clause */
/* power.c - vtpmctl start, stop, reset, destroy. */
#include <stdio.h>

#include "base/options.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

struct args {
	bool force, all, end;
	const char *owner;
};

/* Name in, microseconds out. */
static int
report(
    struct vctl *v, const char *name, const char *done, sd_bus_message *reply)
{
	uint64_t us = 0;
	bool good;

	if (reply == NULL)
		return EXIT_REFUSED;
	good = vctl_take(reply, "t", &us);
	sd_bus_message_unref(reply);
	if (!good)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(json_pack("{s:s,s:s,s:I}", "name", name,
		    "done", done, "microseconds", (json_int_t)us));
	(void)printf("%s  %s in %.1f ms\n", name, done, (double)us / 1000);
	return EXIT_OK;
}

static int
start(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	sd_bus_message *reply;

	(void)argc;
	if (a->owner != NULL) {
		reply = vctl_ask(ctx, "SetOwner", "ss", argv[0], a->owner);
		if (reply == NULL)
			return EXIT_REFUSED;
		sd_bus_message_unref(reply);
	}
	return report(
	    ctx, argv[0], "started", vctl_ask(ctx, "Start", "s", argv[0]));
}

static int
reset(void *ctx, void *args, int argc, char **argv)
{
	(void)args;
	(void)argc;
	return report(
	    ctx, argv[0], "power cycled", vctl_ask(ctx, "Reset", "s", argv[0]));
}

static int
destroy(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;

	(void)argc;
	return report(ctx, argv[0], "destroyed",
	    vctl_ask(ctx, "Destroy", "sb", argv[0], (int)a->force));
}

static int
stop_all(struct vctl *v, bool end)
{
	sd_bus_message *reply = vctl_ask(v, "StopAll", "bb", (int)end, 0);
	uint32_t n = 0;
	bool good;

	if (reply == NULL)
		return EXIT_REFUSED;
	good = vctl_take(reply, "u", &n);
	sd_bus_message_unref(reply);
	if (!good)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(
		    json_pack("{s:I}", "stopped", (json_int_t)n));
	(void)printf("%u stopped%s\n", n, end ? ", the manager ends" : "");
	return EXIT_OK;
}

static int
stop(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;

	if (a->all && (argc > 0 || a->force))
		return opt_bad(
		    &vctl_stop, "--all takes neither a NAME nor --force");
	if (a->all)
		return stop_all(ctx, a->end);
	if (a->end)
		return opt_bad(&vctl_stop, "--exit goes with --all");
	if (argc == 0)
		return opt_bad(&vctl_stop, "NAME or --all is missing");
	return report(ctx, argv[0], "stopped",
	    vctl_ask(ctx, "Stop", "sb", argv[0], (int)a->force));
}

static const struct opt start_opts[] = {
	{ OPT_TEXT("owner", 0, "USER", struct args, owner,
	    "from now on, user whose processes may attach to it, beside "
	    "root's") },
	OPT_END,
};

static const struct opt stop_opts[] = {
	{ OPT_FLAG("force", 0, struct args, force,
	    "end the worker without asking it to shut down first") },
	{ OPT_FLAG("all", 0, struct args, all, "stop every vTPM") },
	{ OPT_FLAG(
	    "exit", 0, struct args, end, "with --all: end the manager, too") },
	OPT_END,
};

static const struct opt destroy_opts[] = {
	{ OPT_FLAG("force", 0, struct args, force,
	    "destroy it even if it is running") },
	OPT_END,
};

const struct opt_command vctl_start = {
	.name = "vtpmctl start",
	.about = "Power a vTPM on and open its channels, RUN/NAME.tpmif and "
		 "RUN/NAME.swtpm.\n",
	.operands = "NAME",
	.nmin = 1,
	.nmax = 1,
	.opts = start_opts,
	.size = sizeof(struct args),
	.run = start,
};

const struct opt_command vctl_stop = {
	.name = "vtpmctl stop",
	.about = "Stop a vTPM's worker; the vTPM's state stays.\n",
	.usage = "[--force] NAME\n--all [--exit]\n",
	.operands = "NAME",
	.nmax = 1,
	.opts = stop_opts,
	.size = sizeof(struct args),
	.run = stop,
};

const struct opt_command vctl_reset = {
	.name = "vtpmctl reset",
	.about = "Power cycle a vTPM: its PCRs are reset.\n"
		 "Use it for a guest that restarts; a guest that keeps "
		 "running loses its PCRs.\n",
	.operands = "NAME",
	.nmin = 1,
	.nmax = 1,
	.run = reset,
};

const struct opt_command vctl_destroy = {
	.name = "vtpmctl destroy",
	.about = "Delete a vTPM, its keys and its state for good.\n"
		 "Data sealed to it is lost.\n",
	.operands = "NAME",
	.nmin = 1,
	.nmax = 1,
	.opts = destroy_opts,
	.size = sizeof(struct args),
	.run = destroy,
};
