/* SPDX-License-Identifier: BSD-3-Clause */
/* recover.c - vtpmctl recover: accept an older copy of a store or a vTPM. */
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

#define NAMES_MAX 1000

struct args {
	bool all;
	const char *reason;
	char *names[NAMES_MAX + 1]; /* borrowed from argv, ended by NULL */
	size_t n;
};

static int
add_name(void *dst, const struct opt *o, const char *arg)
{
	struct args *a = dst;

	(void)o;
	if (a->n == NAMES_MAX)
		return VT_E_RANGE;
	a->names[a->n++] = (char *)(uintptr_t)arg;
	return VT_OK;
}

static int
ask(struct vctl *v, char **names, const char *reason)
{
	sd_bus_message *m = vctl_new_call(v, "Recover"), *reply;
	uint32_t n = 0;
	bool good;
	int r;

	if (m == NULL)
		return EXIT_REFUSED;
	if ((r = sd_bus_message_append_strv(m, names)) >= 0)
		r = sd_bus_message_append(m, "s", reason);
	if ((reply = vctl_call(v, m, r)) == NULL)
		return EXIT_REFUSED;
	good = vctl_take(reply, "u", &n);
	sd_bus_message_unref(reply);
	if (!good)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(
		    json_pack("{s:I}", "recovered", (json_int_t)n));
	(void)printf(
	    "%u recovered; every later signature for them shows it\n", n);
	return EXIT_OK;
}

static int
recover(void *ctx, void *args, int argc, char **argv)
{
	struct args *a = args;
	int i;

	for (i = 0; i < argc; i++) /* --instance A B ... */
		if (add_name(a, NULL, argv[i]) != VT_OK)
			return opt_bad(&vctl_recover, "too many names");
	if (a->all == (a->n > 0))
		return opt_bad(
		    &vctl_recover, "give either --all or --instance NAME");
	if (a->reason == NULL || a->reason[0] == '\0')
		return opt_bad(&vctl_recover,
		    "--reason TEXT is missing: the audit log keeps it");
	return ask(ctx, a->names, a->reason);
}

static const struct opt opts[] = {
	{ OPT_FLAG("all", 0, struct args, all,
	    "recover the whole store, whose number is behind the counter in "
	    "the host's TPM") },
	{ OPT_CALL("instance", "NAME", add_name, "a name",
	    "recover this vTPM, whose record is old but whole; may be "
	    "repeated") },
	{ OPT_TEXT("reason", 0, "TEXT", struct args, reason,
	    "why, in up to 120 characters; goes into the audit log") },
	OPT_END,
};

const struct opt_command vctl_recover = {
	.name = "vtpmctl recover",
	.about =
	    "Accept an older copy of the store, or of vTPMs, that the manager "
	    "refuses.\n"
	    "Do so only when no newer copy exists. Each vTPM keeps its keys, "
	    "is stopped, loses its launch and volatile state, and is marked as "
	    "recovered for good: every deep quote shows it to the verifier.\n",
	.usage = "--all --reason TEXT\n--instance NAME... --reason TEXT\n",
	.operands = "NAME",
	.nmax = OPT_ANY,
	.opts = opts,
	.size = sizeof(struct args),
	.run = recover,
};
