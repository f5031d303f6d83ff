/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl's commands that have commands of their own: host, group.
 */
#include <stdio.h>
#include <string.h>

#include "tools/vtpmctl/vtpmctl.h"

static bool
asks_help(const char *arg)
{
	return arg != NULL &&
	       (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0);
}

static void
list(FILE *f, const struct vctl *v, const struct vctl_sub *subs)
{
	const struct vctl_sub *s;

	(void)fprintf(f, "usage: vtpmctl %s SUBCOMMAND\n\n", v->command);
	for (s = subs; s->name != NULL; s++)
		(void)fprintf(
		    f, "  %-8s %s\n           %s\n", s->name, s->args, s->help);
}

int
vctl_run_sub(struct vctl *v, const struct vctl_sub *subs, int argc, char **argv)
{
	const struct vctl_sub *s;

	if (argc < 2 || asks_help(argv[1])) {
		list(argc < 2 ? stderr : stdout, v, subs);
		return argc < 2 ? EXIT_USAGE : EXIT_OK;
	}
	for (s = subs; s->name != NULL; s++)
		if (strcmp(s->name, argv[1]) == 0)
			break;
	if (s->name == NULL) {
		(void)vctl_fail(
		    "there is no `vtpmctl %s %s`", v->command, argv[1]);
		list(stderr, v, subs);
		return EXIT_USAGE;
	}
	v->sub = s;
	if (!asks_help(argv[2]))
		return s->run(v, argc - 1, argv + 1);
	(void)printf("usage: vtpmctl %s %s %s\n%s\n", v->command, s->name,
	    s->args, s->help);
	return EXIT_OK;
}
