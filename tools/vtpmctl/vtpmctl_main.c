/* SPDX-License-Identifier: BSD-3-Clause */
/* vtpmctl_main.c - vtpmctl: asks vtpm-managerd.  See doc/man/vtpmctl.1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

#define RUN_DEFAULT "/run/vtpm"

static const struct opt opts[] = {
	{ OPT_TEXT("run", 0, "DIR", struct vctl, run,
	    "folder of the manager's sockets (default $VTPM_RUN, or "
	    "/run/vtpm)") },
	{ OPT_FLAG("json", 0, struct vctl, json,
	    "print complete answers as JSON, for programs; may stand behind "
	    "the command, too") },
	OPT_END,
};

static const struct opt_command *const commands[] = { &vctl_create, &vctl_start,
	&vctl_stop, &vctl_reset, &vctl_set_banks, &vctl_destroy, &vctl_recover,
	&vctl_list, &vctl_show, &vctl_log, &vctl_audit, &vctl_status, &vctl_top,
	&vctl_events, &vctl_doctor, &vctl_health, &vctl_launch, &vctl_group,
	&vctl_host, &vctl_xen, NULL };

static const struct opt_command vtpmctl = {
	.name = "vtpmctl",
	.about = "Create, start, inspect and launch guests' virtual TPMs; see "
		 "vtpmctl(1).\n",
	.opts = opts,
	.commands = commands,
	.more = "`vtpmctl COMMAND --help` describes a command.\n"
		"Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 "
		"not found, 4 exists already, 5 busy or not in a state for "
		"it, 6 denied, 7 no manager answers, 8 storage, 9 the host's "
		"TPM. With several names: that of the first failure.\n",
};

static bool
wants_json(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
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
	const char *env = getenv("VTPM_RUN");
	struct vctl v = { .run = env != NULL ? env : RUN_DEFAULT };
	int rc;

	log_open("vtpmctl", LOG_L_INFO);
	if (wants_json(argc, argv))
		vctl_collect_errors();
	if ((rc = opt_parse(&vtpmctl, &argc, &argv, &v)) == OPT_GO) {
		argc = take_json(argc, argv, &v.json);
		rc = opt_dispatch(&vtpmctl, &v, argc, argv);
	}
	vctl_disconnect(&v);
	if (fflush(stdout) != 0)
		rc = vctl_fail("cannot write to standard output: %m");
	return vctl_end(rc);
}
