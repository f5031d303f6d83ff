/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vtpmctl_main.c - vtpmctl: asks vtpm-managerd.  See doc/man/vtpmctl.1.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tools/vtpmctl/vtpmctl.h"

#define RUN_DEFAULT "/run/vtpm"

const struct vctl_command vctl_commands[] = {
	{ "create",
	    "NAME [--tpm 2.0|1.2] [--uuid U] [--banks LIST] "
	    "[--group NAME]",
	    "make a new vTPM with EK and AK certificates", vctl_create },
	{ "start", "NAME", "power a vTPM on and open its channels",
	    vctl_start },
	{ "stop", "NAME [--force] | --all [--exit]",
	    "end a vTPM's worker; its state stays", vctl_stop },
	{ "reset", "NAME", "power cycle: PCRs start again", vctl_reset },
	{ "destroy", "NAME [--force]",
	    "delete a vTPM, its keys and its state for good", vctl_destroy },
	{ "recover", "--all | --instance NAME... --reason TEXT",
	    "take a store, or vTPMs, refused for being an older copy",
	    vctl_recover },
	{ "list", "", "all vTPMs", vctl_list },
	{ "show", "NAME [--certs]", "one vTPM with its keys and worker",
	    vctl_show },
	{ "log", "NAME [--journal | --pcrs] [--raw]",
	    "the host-made event log, the extend journal, or the PCRs",
	    vctl_log },
	{ "audit", "[--from N] [--max N]", "who changed what", vctl_audit },
	{ "status", "", "the manager, the host's TPM, space, pool",
	    vctl_status },
	{ "launch",
	    "qemu [NAME] [--tpm-device crb|tis] [--policy TEXT] "
	    "[--dry-run] -- QEMU ARGS...\n           launch xen CFG "
	    "[KEY=VALUE]... [--policy TEXT] [--require-vtpm | --or-plain] "
	    "[--foreground] [--dry-run]\n           launch record NAME "
	    "--domid N --in FILE",
	    "measure what a guest is started with, then start it",
	    vctl_launch },
	{ "group", "create | list | show | update | delete | quote | sign ...",
	    "tenants, each with a key, quotas and administrators "
	    "(vtpmctl group --help)",
	    vctl_group },
	{ "host",
	    "status | pcrs | keygen | approve | revoke | bind | enrol | escrow "
	    "| recover ...",
	    "the host's own TPM: approved states, enrolment, escrow "
	    "(vtpmctl host --help)",
	    vctl_host },
	{ "xen", "save NAME FILE | restore NAME FILE | migrate NAME",
	    "xl save, restore or local migration that keeps the vTPM's PCRs",
	    vctl_xen },
	{ NULL, NULL, NULL, NULL },
};

static void
usage(FILE *f)
{
	const struct vctl_command *c;

	(void)fprintf(
	    f, "usage: vtpmctl [--run DIR] [--json] COMMAND [ARGS]\n\n");
	for (c = vctl_commands; c->name != NULL; c++)
		(void)fprintf(
		    f, "  %-8s %s\n           %s\n", c->name, c->args, c->help);
	(void)fprintf(
	    f, "\nExit: 0 done, 1 refused or failed, 2 wrong usage.\n");
}

static const struct vctl_command *
find_command(const char *name)
{
	const struct vctl_command *c;

	for (c = vctl_commands; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

int
vctl_usage(struct vctl *v, const char *fmt, ...)
{
	const struct vctl_command *c = find_command(v->command);
	const char *sub = v->sub != NULL ? v->sub->name : "";
	const char *space = v->sub != NULL ? " " : "";
	va_list ap;

	(void)fprintf(stderr, "vtpmctl %s%s%s: ", v->command, space, sub);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\nusage: vtpmctl %s%s%s %s\n", v->command, space,
	    sub,
	    v->sub != NULL ? v->sub->args
	    : c != NULL    ? c->args
			   : "");
	return EXIT_USAGE;
}

int
vctl_fail(const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "vtpmctl: ");
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return EXIT_REFUSED;
}

static int
help(struct vctl *v, const struct vctl_command *c)
{
	(void)v;
	(void)printf("usage: vtpmctl %s %s\n%s\n", c->name, c->args, c->help);
	return EXIT_OK;
}

/* Options for all may stand before the command only; --json anywhere before
 * a "--", since people type it last. */
static int
take_json(int argc, char **argv, bool *json)
{
	int i, n = 0;

	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			break;
		if (strcmp(argv[i], "--json") == 0)
			*json = true;
		else
			argv[n++] = argv[i];
	}
	for (; i < argc; i++)
		argv[n++] = argv[i];
	argv[n] = NULL;
	return n;
}

int
main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "run", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const struct vctl_command *c;
	const char *env = getenv("VTPM_RUN");
	struct vctl v = { .run = env != NULL ? env : RUN_DEFAULT };
	int o, rc;

	while ((o = getopt_long(argc, argv, "+h", opts, NULL)) != -1) {
		if (o == 'r')
			v.run = optarg;
		else if (o == 'j')
			v.json = true;
		else {
			usage(o == 'h' ? stdout : stderr);
			return o == 'h' ? EXIT_OK : EXIT_USAGE;
		}
	}
	argc -= optind;
	argv += optind;
	if (argc > 0 && strcmp(argv[0], "help") == 0) {
		usage(stdout);
		return EXIT_OK;
	}
	if (argc == 0 || (c = find_command(argv[0])) == NULL) {
		if (argc > 0)
			(void)vctl_fail("there is no command %s", argv[0]);
		usage(stderr);
		return EXIT_USAGE;
	}
	v.command = c->name;
	argc = take_json(argc, argv, &v.json);
	if (argc > 1 && c->run != vctl_host && c->run != vctl_group &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return help(&v, c);
	optind = 0; /* each command parses its own */
	rc = c->run(&v, argc, argv);
	sd_bus_flush_close_unref(v.bus);
	if (fflush(stdout) != 0)
		return vctl_fail("cannot write: %m");
	return rc;
}
