/* SPDX-License-Identifier: BSD-3-Clause */
/* events.c - vtpmctl events: the audit log's newest records, as they come. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/options.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"

#define LATEST 20 /* records shown at first */
#define PAUSE_NS 500000000

struct args {
	bool follow;
	const char *guest;
	uint32_t latest;
};

/* The records from N on, at most 5000; NULL after a message. */
static json_t *
records(struct vctl *v, uint64_t from)
{
	sd_bus_message *reply = vctl_ask(v, "Audit", "tu", from, (uint32_t)0);

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

/* Print what is new in list, but for the first skip; *next: where to go on. */
static void
print_new(const struct vctl *v, const struct args *a, const json_t *list,
    size_t skip, uint64_t *next)
{
	json_t *r;
	size_t i;

	json_array_foreach(list, i, r)
	{
		*next = vctl_num(r, "seq") + 1;
		if (i < skip ||
		    (a->guest != NULL &&
			strcmp(a->guest, vctl_text(r, "object")) != 0))
			continue;
		print_record(v, r);
	}
	(void)fflush(stdout);
}

/* All records up to now, a part at a time: the last ones are shown. */
static int
print_latest(struct vctl *v, const struct args *a, uint64_t *next)
{
	json_t *list = NULL, *more;
	size_t n;

	for (;;) {
		if ((more = records(v, *next)) == NULL) {
			json_decref(list);
			return EXIT_REFUSED;
		}
		if ((n = json_array_size(more)) == 0)
			break;
		*next = vctl_num(json_array_get(more, n - 1), "seq") + 1;
		json_decref(list);
		list = more;
	}
	json_decref(more);
	n = json_array_size(list);
	print_new(v, a, list, n > a->latest ? n - a->latest : 0, next);
	json_decref(list);
	return EXIT_OK;
}

static int
events(void *ctx, void *args, int argc, char **argv)
{
	const struct timespec pause = { 0, PAUSE_NS };
	const struct args *a = args;
	uint64_t next = 0;
	json_t *list;
	int ex;

	(void)argc;
	(void)argv;
	ex = print_latest(ctx, a, &next);
	while (ex == EXIT_OK && a->follow && !ferror(stdout)) {
		(void)nanosleep(&pause, NULL);
		if ((list = records(ctx, next)) == NULL)
			return EXIT_REFUSED;
		print_new(ctx, a, list, 0, &next);
		json_decref(list);
	}
	return ex;
}

static const struct opt opts[] = {
	{ OPT_FLAG("follow", 'f', struct args, follow,
	    "go on with each new event, until interrupted") },
	{ OPT_TEXT("object", 0, "NAME", struct args, guest,
	    "only those of this vTPM or group") },
	{ OPT_U32("latest", "N", struct args, latest, 0, 5000,
	    "begin with the last N events (default 20)") },
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
