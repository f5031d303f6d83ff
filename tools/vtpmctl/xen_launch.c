/* SPDX-License-Identifier: BSD-3-Clause */
/* xen_launch.c - vtpmctl launch xen: the command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/options.h"
#include "tools/launch/xl_proc.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"
#include "tools/vtpmctl/xen_manager.h"
#include "tools/vtpmctl/xen_measure.h"
#include "tools/vtpmctl/xen_run.h"

/* A guest without vtpm=: refused, or left to xl alone. */
static int
without_vtpm(struct xlaunch *x)
{
	json_t *st = vctl_json(x->v, "Status", NULL);
	bool demanded;

	if (st == NULL)
		return EXIT_REFUSED;
	demanded = vctl_is(json_object_get(st, "xen"), "require_vtpm");
	json_decref(st);
	if (demanded || x->a->require)
		return vctl_fail("%s: guest %s has no vtpm=, and %s", x->cfg,
		    x->plan.name,
		    demanded ? "xen_require_vtpm is on in vtpm-managerd.conf"
			     : "--require-vtpm demands one");
	if (!x->a->or_plain)
		return vctl_fail("%s: guest %s has no vtpm=, so its launch "
				 "cannot be recorded (--or-plain starts it "
				 "unmeasured)",
		    x->cfg, x->plan.name);
	return 0;
}

static int
exec_plain(struct xlaunch *x)
{
	char create[] = "create", path[PATH_MAX];
	char **argv = calloc((size_t)x->nargs + 4, sizeof(*argv));
	int i, rc;

	if (argv == NULL)
		return vctl_fail("out of memory");
	(void)snprintf(path, sizeof(path), "%s", x->cfg);
	argv[0] = x->xl;
	argv[1] = create;
	argv[2] = path;
	for (i = 0; i < x->nargs; i++)
		argv[3 + i] = x->args[i];
	(void)fflush(NULL);
	(void)execv(x->xl, argv);
	rc = vctl_fail("%s: %m", x->xl);
	free(argv);
	return rc;
}

static int
go(struct xlaunch *x)
{
	int rc;

	if (xl_find(x->xl, sizeof(x->xl)) != VT_OK)
		return vctl_fail("xl is not in $PATH: install Xen's tools, or "
				 "set $VTPM_XL to its path");
	if ((rc = xen_measure_plan(x)) != 0)
		return rc;
	if (!x->plan.has_vtpm) {
		if ((rc = without_vtpm(x)) != 0 || x->a->dry)
			return rc;
		return exec_plain(x);
	}
	if ((rc = xen_manager_find(x)) != 0 ||
	    (rc = xen_measure_defaults(x)) != 0)
		return rc;
	if ((rc = xen_measure(x)) == 0)
		rc = x->a->dry ? xen_measure_report(x, -1) : xen_run(x);
	xen_measure_done(x);
	return rc;
}

static int
launch_xen(void *ctx, void *args, int argc, char **argv)
{
	struct xlaunch *x;
	int i, rc;

	for (i = 1; i < argc; i++)
		if (strchr(argv[i], '=') == NULL)
			return opt_bad(&vctl_launch_xen,
			    "'%s' is not KEY=VALUE; other arguments of xl "
			    "create are not supported",
			    argv[i]);
	if ((x = calloc(1, sizeof(*x))) == NULL)
		return vctl_fail("out of memory");
	x->v = ctx;
	x->a = args;
	x->cfg = argv[0];
	x->args = argv + 1;
	x->nargs = argc - 1;
	xen_measure_init(x);
	rc = go(x);
	lx_done(&x->plan);
	free(x->config);
	free(x->base);
	free(x);
	return rc;
}

static const struct opt opts[] = {
	{ OPT_TEXT("policy", 0, "TEXT", struct xlaunch_args, policy,
	    "name of the policy that goes into the launch record") },
	{ OPT_FLAG("require-vtpm", 0, struct xlaunch_args, require,
	    "refuse a guest without vtpm=, even with --or-plain") },
	{ OPT_FLAG("or-plain", 0, struct xlaunch_args, or_plain,
	    "start a guest without vtpm= by xl create, unmeasured, unless "
	    "xen_require_vtpm is set; by default it is refused") },
	{ OPT_FLAG("foreground", 'F', struct xlaunch_args, foreground,
	    "stay in the foreground until the guest has ended for good") },
	{ OPT_FLAG("dry-run", 'n', struct xlaunch_args, dry,
	    "measure, and show what would be done; start nothing") },
	OPT_END,
};

const struct opt_command vctl_launch_xen = {
	.name = "vtpmctl launch xen",
	.about =
	    "Measure a Xen domain, record it in the guest's vTPM, create the "
	    "domain, and stay with it.\n"
	    "CFG and KEY=VALUE are as for xl create. The vTPM is the one whose "
	    "uuid the configuration's vtpm= names. xl create's own options are "
	    "not supported; xl console opens the console.\n",
	.operands = "CFG [KEY=VALUE...]",
	.nmin = 1,
	.nmax = OPT_ANY,
	.opts = opts,
	.size = sizeof(struct xlaunch_args),
	.run = launch_xen,
	.more = "Example:\n"
		"  vtpmctl launch xen /etc/xen/web.cfg memory=1024\n"
		"Environment: VTPM_XL names xl, if it is not in $PATH.\n",
};
