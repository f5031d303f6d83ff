/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl start, stop, reset, destroy: one name in, microseconds out.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/vtpmctl/vtpmctl.h"

static int
simple(struct vctl *v, const char *method, const char *done, const char *name,
    const bool *force)
{
	sd_bus_message *m = vctl_new_call(v, method), *reply;
	uint64_t us = 0;
	int r;

	if (m == NULL)
		return EXIT_REFUSED;
	r = sd_bus_message_append(m, "s", name);
	if (r >= 0 && force != NULL)
		r = sd_bus_message_append(m, "b", (int)*force);
	if (r < 0) {
		sd_bus_message_unref(m);
		return vctl_fail("'%s' cannot be sent: %s", name, strerror(-r));
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return EXIT_REFUSED;
	r = sd_bus_message_read(reply, "t", &us);
	sd_bus_message_unref(reply);
	if (r < 0)
		return vctl_fail("the manager's answer cannot be read");
	if (v->json)
		return vctl_print_json(json_pack("{s:s,s:s,s:I}", "name", name,
		    "done", done, "microseconds", (json_int_t)us));
	(void)printf("%s  %s in %.1f ms\n", name, done, (double)us / 1000);
	return EXIT_OK;
}

/* No option but --force, if that is allowed. */
static const char *
parse(struct vctl *v, int argc, char **argv, bool *force)
{
	static const struct option opts[] = {
		{ "force", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (o != 'f' || force == NULL) {
			(void)vctl_usage(v, "wrong option");
			return NULL;
		}
		*force = true;
	}
	return vctl_one_name(v, argc, argv);
}

int
vctl_start(struct vctl *v, int argc, char **argv)
{
	const char *name = parse(v, argc, argv, NULL);

	if (name == NULL)
		return EXIT_USAGE;
	return simple(v, "Start", "started", name, NULL);
}

int
vctl_reset(struct vctl *v, int argc, char **argv)
{
	const char *name = parse(v, argc, argv, NULL);

	if (name == NULL)
		return EXIT_USAGE;
	return simple(v, "Reset", "power cycled", name, NULL);
}

int
vctl_destroy(struct vctl *v, int argc, char **argv)
{
	bool force = false;
	const char *name = parse(v, argc, argv, &force);

	if (name == NULL)
		return EXIT_USAGE;
	return simple(v, "Destroy", "destroyed", name, &force);
}

static int
stop_all(struct vctl *v, bool end)
{
	sd_bus_message *m = vctl_new_call(v, "StopAll"), *reply;
	uint32_t n = 0;
	int r;

	if (m == NULL)
		return EXIT_REFUSED;
	if (sd_bus_message_append(m, "b", (int)end) < 0) {
		sd_bus_message_unref(m);
		return vctl_fail("out of memory");
	}
	if ((reply = vctl_call(v, m)) == NULL)
		return EXIT_REFUSED;
	r = sd_bus_message_read(reply, "u", &n);
	sd_bus_message_unref(reply);
	if (r < 0)
		return vctl_fail("the manager's answer cannot be read");
	if (v->json)
		return vctl_print_json(
		    json_pack("{s:I}", "stopped", (json_int_t)n));
	(void)printf("%u stopped%s\n", n, end ? ", the manager ends" : "");
	return EXIT_OK;
}

int
vctl_stop(struct vctl *v, int argc, char **argv)
{
	static const struct option opts[] = {
		{ "force", no_argument, NULL, 'f' },
		{ "all", no_argument, NULL, 'a' },
		{ "exit", no_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	bool force = false, all = false, end = false;
	const char *name;
	int o;

	while ((o = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (o == '?')
			return vctl_usage(v, "wrong option");
		force |= o == 'f';
		all |= o == 'a';
		end |= o == 'x';
	}
	if (all)
		return optind == argc && !force
			   ? stop_all(v, end)
			   : vctl_usage(v, "--all stands alone");
	if (end)
		return vctl_usage(v, "--exit goes with --all");
	if ((name = vctl_one_name(v, argc, argv)) == NULL)
		return EXIT_USAGE;
	return simple(v, "Stop", "stopped", name, &force);
}
