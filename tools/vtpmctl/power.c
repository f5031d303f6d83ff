/* SPDX-License-Identifier: BSD-3-Clause */
/* power.c - vtpmctl start, stop, reset, destroy. */
#include <stdio.h>
#include <string.h>

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

/* Each of names in turn: one that fails does not keep the others.  An exit
 * code: that of the first failure. */
static int
each(struct vctl *v, const struct args *a, int argc, char **argv,
    int (*one)(struct vctl *v, const struct args *a, const char *name))
{
	int i, ex, first = EXIT_OK;

	for (i = 0; i < argc; i++)
		if ((ex = one(v, a, argv[i])) != EXIT_OK && first == EXIT_OK)
			first = ex;
	return first;
}

static int
start_one(struct vctl *v, const struct args *a, const char *name)
{
	sd_bus_message *reply;

	if (a->owner != NULL) {
		reply = vctl_ask(v, "SetOwner", "ss", name, a->owner);
		if (reply == NULL)
			return EXIT_REFUSED;
		sd_bus_message_unref(reply);
	}
	return report(v, name, "started", vctl_ask(v, "Start", "s", name));
}

/* What is damaged stays: its reason is in the list. */
static int
start_all(struct vctl *v, const struct args *a)
{
	json_t *all = vctl_json(v, "List", NULL), *o;
	int ex, first = EXIT_OK;
	const char *state;
	size_t i;

	if (all == NULL)
		return EXIT_REFUSED;
	json_array_foreach(all, i, o)
	{
		state = vctl_text(o, "state");
		if (strcmp(state, "stopped") != 0 &&
		    strcmp(state, "failed") != 0)
			continue;
		ex = start_one(v, a, vctl_text(o, "name"));
		if (ex != EXIT_OK && first == EXIT_OK)
			first = ex;
	}
	json_decref(all);
	return first;
}

static int
start(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;

	if (a->all && (argc > 0 || a->owner != NULL))
		return opt_bad(
		    &vctl_start, "--all takes neither a NAME nor --owner");
	if (a->all)
		return start_all(ctx, a);
	if (argc == 0)
		return opt_bad(&vctl_start, "NAME or --all is missing");
	return each(ctx, a, argc, argv, start_one);
}

static int
reset_one(struct vctl *v, const struct args *a, const char *name)
{
	(void)a;
	return report(v, name, "power cycled", vctl_ask(v, "Reset", "s", name));
}

static int
reset(void *ctx, void *args, int argc, char **argv)
{
	return each(ctx, args, argc, argv, reset_one);
}

static int
destroy_one(struct vctl *v, const struct args *a, const char *name)
{
	return report(v, name, "destroyed",
	    vctl_ask(v, "Destroy", "sb", name, (int)a->force));
}

static int
destroy(void *ctx, void *args, int argc, char **argv)
{
	return each(ctx, args, argc, argv, destroy_one);
}

static int
stop_one(struct vctl *v, const struct args *a, const char *name)
{
	return report(
	    v, name, "stopped", vctl_ask(v, "Stop", "sb", name, (int)a->force));
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
	return each(ctx, a, argc, argv, stop_one);
}

static const struct opt start_opts[] = {
	{ OPT_TEXT("owner", 0, "USER", struct args, owner,
	    "from now on, user whose processes may attach to it, beside "
	    "root's") },
	{ OPT_FLAG("all", 0, struct args, all, "start every stopped vTPM") },
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
	.usage = "[--owner USER] NAME...\n--all\n",
	.operands = "NAME",
	.nmax = OPT_ANY,
	.opts = start_opts,
	.size = sizeof(struct args),
	.run = start,
};

const struct opt_command vctl_stop = {
	.name = "vtpmctl stop",
	.about = "Stop a vTPM's worker; the vTPM's state stays.\n",
	.usage = "[--force] NAME...\n--all [--exit]\n",
	.operands = "NAME",
	.nmax = OPT_ANY,
	.opts = stop_opts,
	.size = sizeof(struct args),
	.run = stop,
};

const struct opt_command vctl_reset = {
	.name = "vtpmctl reset",
	.about = "Power cycle a vTPM: its PCRs are reset.\n"
		 "Use it for a guest that restarts; a guest that keeps "
		 "running loses its PCRs.\n",
	.operands = "NAME...",
	.nmin = 1,
	.nmax = OPT_ANY,
	.run = reset,
};

const struct opt_command vctl_destroy = {
	.name = "vtpmctl destroy",
	.about = "Delete a vTPM, its keys and its state for good.\n"
		 "Data sealed to it is lost.\n",
	.operands = "NAME...",
	.nmin = 1,
	.nmax = OPT_ANY,
	.opts = destroy_opts,
	.size = sizeof(struct args),
	.run = destroy,
};
