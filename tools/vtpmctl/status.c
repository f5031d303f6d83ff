/* SPDX-License-Identifier: BSD-3-Clause */
/* status.c - vtpmctl status: the manager and what it stands on. */
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/limits.h"
#include "tools/vtpmctl/print.h"

static void
print_processes(const json_t *o)
{
	static const struct {
		const char *key, *title;
	} kinds[] = { { "zygote", "Zygote" }, { "hwtpm", "hwtpm" } };
	const json_t *c;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		c = json_object_get(o, kinds[i].key);
		(void)printf("%-10s pid %llu, restarted %llu time(s)\n",
		    kinds[i].title, vctl_num(c, "pid"),
		    vctl_num(c, "restarts"));
	}
}

/* vtpm-hwtpm did not answer: what is shown is older. */
static void
print_busy(const json_t *t)
{
	char since[32], as_of[32];

	(void)printf("%-10s the TPM is busy with one command since %s", "",
	    vctl_time(vctl_num(t, "busy_since_ms"), since));
	if (vctl_num(t, "as_of_ms") > 0)
		(void)printf("; state as of %s",
		    vctl_time(vctl_num(t, "as_of_ms"), as_of));
	(void)printf("\n");
}

static void
print_tpm(const json_t *o)
{
	const json_t *t = json_object_get(o, "tpm");

	(void)printf("%-10s %s", "Root", vctl_text(o, "root"));
	if (vctl_is(t, "up"))
		(void)printf(", TPM of %s firmware %s over %s\n",
		    vctl_text(t, "manufacturer"), vctl_text(t, "firmware"),
		    vctl_text(t, "tcti"));
	else
		(void)printf(
		    ", its TPM does not answer: %s\n", vctl_text(t, "why"));
	if (vctl_num(t, "busy_since_ms") > 0)
		print_busy(t);
}

static void
print_anchor(const json_t *o)
{
	const json_t *a = json_object_get(o, "anchor");
	const char *state = vctl_text(a, "state"), *why = vctl_text(a, "why");
	char when[32];

	(void)printf("%-10s %s", "Anchor", vctl_text(a, "policy"));
	if (strcmp(vctl_text(a, "policy"), "interval") == 0)
		(void)printf(" of %llu s", vctl_num(a, "interval_s"));
	if (strcmp(state, "refused") == 0)
		(void)printf(", STORE REFUSED");
	else if (strcmp(state, "none") == 0 || strcmp(state, "off") == 0)
		(void)printf(", NOT ANCHORED");
	else
		(void)printf(", counter %llu, raised %llu time(s), last %s%s",
		    vctl_num(a, "counter"), vctl_num(a, "raises"),
		    vctl_num(a, "last_raise_ms") > 0
			? vctl_time(vctl_num(a, "last_raise_ms"), when)
			: "never",
		    strcmp(state, "away") == 0 ? ", NOT RAISED NOW" : "");
	if (vctl_num(a, "failures") > 0)
		(void)printf(", %llu failure(s)", vctl_num(a, "failures"));
	(void)printf("%s%s\n", why[0] != '\0' ? ": " : "", why);
	if (vctl_num(a, "exposed_since_ms") > 0)
		(void)printf("%-10s what was stored since %s could be rolled "
			     "back\n",
		    "", vctl_time(vctl_num(a, "exposed_since_ms"), when));
}

static void
print_deep(const json_t *o)
{
	const json_t *d = json_object_get(o, "deep_quotes");

	if (vctl_num(d, "asked") == 0)
		return;
	(void)printf("%-10s %llu answered, %llu failed, %llu waiting; %llu "
		     "quotes of the host, at most %llu under one\n",
	    "Deep", vctl_num(d, "answered"), vctl_num(d, "failed"),
	    vctl_num(d, "waiting"), vctl_num(d, "host_quotes"),
	    vctl_num(d, "batch_max"));
}

static void
print_vtpms(const json_t *o)
{
	const json_t *n = json_object_get(o, "vtpms"), *val;
	const char *key;

	(void)printf("%-10s %llu", "vTPMs", vctl_num(n, "known"));
	json_object_foreach((json_t *)(uintptr_t)n, key,
	    val) if (json_integer_value(val) != 0 && key[0] != 'k')(void)
	    printf(", %lld %s", (long long)json_integer_value(val), key);
	(void)printf("\n");
}

static void
print_groups(const json_t *o)
{
	const json_t *g;
	size_t i;

	json_array_foreach(json_object_get(o, "groups"), i, g)
	{
		const json_t *u = json_object_get(g, "used");
		const json_t *h = json_object_get(g, "hw");

		(void)printf("%-10s %s: %llu vTPMs, %llu KB, TPM %llu ms in "
			     "%llu requests, %llu delayed, %llu refused%s\n",
		    i == 0 ? "Groups" : "", vctl_text(g, "name"),
		    vctl_num(u, "vtpms"),
		    (unsigned long long)(vctl_num(u, "bytes") >> 10),
		    vctl_num(h, "ms"), vctl_num(h, "requests"),
		    vctl_num(h, "delayed"), vctl_num(h, "refused"),
		    vctl_is(u, "full") ? ", NO MORE NV SPACE" : "");
	}
}

/* false: it is not ready, and there is no more to say. */
static bool
print_manager(const json_t *o)
{
	char when[32];

	(void)printf("%-10s %s, pid %llu, since %s\n", "Manager",
	    vctl_text(o, "version"), vctl_num(o, "pid"),
	    vctl_time(vctl_num(o, "started_ms"), when));
	(void)printf("%-10s %s\n%-10s %s\n", "State", vctl_text(o, "state"),
	    "Run", vctl_text(o, "run"));
	(void)printf("%-10s %s\n", "Workers",
	    vctl_is(o, "separated") ? "each with its own uid"
				    : "all under the manager's uid");
	print_tpm(o);
	print_processes(o);
	if (vctl_is(o, "ready"))
		return true;
	if (vctl_is(o, "sealed"))
		(void)printf("%-10s %s (vtpmctl host status)\n", "SEALED",
		    vctl_text(o, "why"));
	else
		(void)printf("%-10s\n", "STARTING");
	return false;
}

static void
print_human(const json_t *o)
{
	const json_t *s = json_object_get(o, "space");
	const json_t *p = json_object_get(o, "pool");
	const json_t *c = json_object_get(o, "counters");

	if (!print_manager(o))
		return;
	print_anchor(o);
	print_deep(o);
	if (vctl_is(s, "storage_error"))
		(void)printf("%-10s storage error: %s; guests wait, and go on "
			     "by themselves when the disk is back\n",
		    "STORE", vctl_text(s, "storage_why"));
	else
		(void)printf("%-10s %llu MB free%s%s\n", "Space",
		    (unsigned long long)(vctl_num(s, "free_bytes") >> 20),
		    vctl_is(s, "ok") ? "" : ", too little for new vTPMs",
		    vctl_is(s, "storage_ok") ? ""
					     : ", THE STORE TAKES NO DATA");
	(void)printf("%-10s %llu of %llu ready\n", "Pool", vctl_num(p, "ready"),
	    vctl_num(p, "size"));
	print_vtpms(o);
	print_groups(o);
	(void)printf("%-10s %llu states in %llu commits (at most %llu at "
		     "once), last took %llu us\n",
	    "Stored", vctl_num(c, "stores"), vctl_num(c, "commits"),
	    vctl_num(c, "batch_max"), vctl_num(c, "commit_us_last"));
}

struct args {
	bool limits;
};

static int
status(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	struct vctl *v = ctx;
	json_t *o;

	(void)argc;
	(void)argv;
	o = vctl_json(v, a->limits ? "Limits" : "Status", NULL);
	if (o == NULL)
		return EXIT_REFUSED;
	if (v->json)
		return vctl_print_json(o);
	if (a->limits)
		vctl_print_limits(o);
	else
		print_human(o);
	json_decref(o);
	return EXIT_OK;
}

static const struct opt opts[] = {
	{ OPT_FLAG("limits", 0, struct args, limits,
	    "show what guests, groups and callers can use up, by process: the "
	    "limit in force and what happens at it") },
	OPT_END,
};

const struct opt_command vctl_status = {
	.name = "vtpmctl status",
	.about = "Show the manager, the host's TPM, disk space and the pool.\n"
		 "It does not wait for the host's TPM: while the TPM is busy, "
		 "it shows the last known state and its timestamp.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.run = status,
};
