/* SPDX-License-Identifier: BSD-3-Clause */
/* events.c - vtpmctl events: the audit log's newest records, as they come. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/options.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

#define LATEST 20          /* records shown at first */
#define PART UINT32_C(500) /* records asked for at once */
#define PAUSE_NS 500000000 /* between two questions */

struct args {
	bool follow;
	const char *object;
	uint32_t latest;
};

/* The records from N on, at most PART; NULL after a message. */
static json_t *
records(struct vctl *v, uint64_t from)
{
	sd_bus_message *reply = vctl_ask(v, "Audit", "tu", from, PART);

	return reply != NULL ? vctl_take_json(reply) : NULL;
}

static void
print_record(const struct vctl *v, json_t *r)
{
	char when[32];

	if (v->json) { /* one a line, so that a program can follow */
		(void)json_dumpf(r, stdout, JSON_COMPACT);
		(void)putchar('\n');
		return;
	}
	(void)printf("%s %s %s: %s, by %s",
	    vctl_time(vctl_num(r, "time_ms"), when), vctl_text(r, "object"),
	    vctl_text(r, "action"), vctl_text(r, "result"),
	    vctl_text(r, "who"));
	if (vctl_text(r, "detail")[0] != '\0')
		(void)printf(": %s", vctl_text(r, "detail"));
	(void)putchar('\n');
}

/* Move those of list that are wanted to the end of kept; *next: where to go
 * on. */
static void
keep_wanted(
    const struct args *a, const json_t *list, json_t *kept, uint64_t *next)
{
	json_t *r;
	size_t i;

	json_array_foreach(list, i, r)
	{
		*next = vctl_num(r, "seq") + 1;
		if (a->object == NULL ||
		    strcmp(a->object, vctl_text(r, "object")) == 0)
			(void)json_array_append(kept, r);
	}
}

/* One part of the log into kept.  How many records it had; -1 after a
 * message. */
static ssize_t
take_part(struct vctl *v, const struct args *a, json_t *kept, uint64_t *next)
{
	json_t *list = records(v, *next);
	ssize_t n;

	if (list == NULL)
		return -1;
	n = (ssize_t)json_array_size(list);
	keep_wanted(a, list, kept, next);
	json_decref(list);
	return n;
}

static void
print_kept(const struct vctl *v, json_t *kept)
{
	json_t *r;
	size_t i;

	json_array_foreach(kept, i, r) print_record(v, r);
	(void)json_array_clear(kept);
	(void)fflush(stdout);
}

/* Of all records up to now, the last ones that are wanted stay in kept. */
static int
take_latest(struct vctl *v, const struct args *a, json_t *kept, uint64_t *next)
{
	ssize_t n;

	while ((n = take_part(v, a, kept, next)) > 0)
		while (json_array_size(kept) > a->latest)
			(void)json_array_remove(kept, 0);
	return n == 0 ? EXIT_OK : EXIT_REFUSED;
}

static int
follow(struct vctl *v, const struct args *a, json_t *kept, uint64_t next)
{
	const struct timespec pause = { 0, PAUSE_NS };

	while (!ferror(stdout)) {
		(void)nanosleep(&pause, NULL);
		if (take_part(v, a, kept, &next) == -1)
			return EXIT_REFUSED;
		print_kept(v, kept);
	}
	return EXIT_OK;
}

static int
events(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	json_t *kept = json_array();
	uint64_t next = 0;
	int ex;

	(void)argc;
	(void)argv;
	if (kept == NULL)
		return vctl_fail("out of memory");
	if ((ex = take_latest(ctx, a, kept, &next)) == EXIT_OK) {
		print_kept(ctx, kept);
		if (a->follow)
			ex = follow(ctx, a, kept, next);
	}
	json_decref(kept);
	return ex;
}

static const struct opt opts[] = {
	{ OPT_FLAG("follow", 'f', struct args, follow,
	    "go on with each new event, until interrupted") },
	{ OPT_TEXT("object", 0, "NAME", struct args, object,
	    "only those of this vTPM or group") },
	{ OPT_U32("latest", "N", struct args, latest, 0, 5000,
	    "begin with the last N of them (default 20)") },
	OPT_END,
};

static const struct args defaults = { .latest = LATEST };

const struct opt_command vctl_events = {
	.name = "vtpmctl events",
	.about = "Show the newest records of the audit log, and follow it.\n"
		 "With --json each is one line.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.defaults = &defaults,
	.run = events,
};
