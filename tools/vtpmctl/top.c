/* SPDX-License-Identifier: BSD-3-Clause */
/* top.c - vtpmctl top: what guests do with their vTPMs, again and again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "base/util.h"
#include "tools/vtpmctl/bus.h"
#include "tools/vtpmctl/commands.h"
#include "tools/vtpmctl/print.h"
#include "tools/vtpmctl/top_draw.h"
#include "tools/vtpmctl/top_rows.h"
#include "tools/vtpmctl/top_screen.h"

struct args {
	uint32_t times, delay;
	const char *sort;
	bool reverse;
};

struct top {
	struct vctl *v;
	struct top_sample before, now;
	enum top_order order;
	bool reverse, screen;
};

static void
draw(const struct top *t, const struct top_row *rows, size_t n,
    const struct top_host *host)
{
	const struct top_view view = { .rows = rows,
		.n = n,
		.host = host,
		.tpm_up = vctl_is(json_object_get(t->now.status, "tpm"), "up"),
		.time_ms = wall_ms(),
		.width = vctl_width(),
		.lines = screen_lines(),
		.eol = screen_eol() };

	screen_begin();
	top_draw(stdout, &view);
	screen_end();
}

/* One sample; an exit code. */
static int
take_sample(struct vctl *v, struct top_sample *s)
{
	s->status = vctl_json(v, "Status", NULL);
	s->stats = s->status != NULL ? vctl_json(v, "Stats", NULL) : NULL;
	return s->stats != NULL ? EXIT_OK : EXIT_REFUSED;
}

static int
show(struct top *t)
{
	struct top_row *rows;
	struct top_host host;
	double seconds;
	json_t *j;
	size_t n;
	int rc;

	rc = top_rows(
	    &t->before, &t->now, t->order, t->reverse, &rows, &n, &host);
	if (rc != VT_OK)
		return vctl_fail("%s", vt_strerror(rc));
	if (!t->v->json) {
		draw(t, rows, n, &host);
		free(rows);
		return EXIT_OK;
	}
	seconds = (double)(vctl_num(t->now.stats, "time_us") -
			   vctl_num(t->before.stats, "time_us")) /
		  1e6;
	j = top_json(wall_ms(), seconds, rows, n, &host);
	free(rows);
	if (j == NULL)
		return vctl_fail("out of memory");
	(void)json_dumpf(j, stdout, JSON_COMPACT);
	(void)putchar('\n');
	(void)fflush(stdout);
	json_decref(j);
	return EXIT_OK;
}

/* false: end. */
static bool
on_key(struct top *t, int key)
{
	static const char keys[] = { [TOP_COMMANDS] = 'c',
		[TOP_STORES] = 'w',
		[TOP_MEMORY] = 'm',
		[TOP_CPU] = 'p',
		[TOP_NAME] = 'n' };
	size_t i;

	if (key == 'q')
		return false;
	if (key == 'r')
		t->reverse = !t->reverse;
	for (i = 0; i < sizeof(keys); i++)
		if (key == keys[i])
			t->order = (enum top_order)i;
	return t->before.stats == NULL || show(t) == EXIT_OK;
}

/* Until the next sample; false: end. */
static bool
pause_for(struct top *t, uint32_t seconds)
{
	uint64_t until = now_us() + seconds * UINT64_C(1000000), now;
	int key;

	while ((now = now_us()) < until) {
		key = screen_wait((unsigned int)((until - now) / 1000 + 1));
		if (key < 0 || (key > 0 && !on_key(t, key)))
			return false;
	}
	return true;
}

static int
loop(struct top *t, const struct args *a)
{
	uint32_t i;
	int ex;

	if ((ex = take_sample(t->v, &t->now)) != EXIT_OK)
		return ex;
	for (i = 0; a->times == 0 || i < a->times; i++) {
		if (!pause_for(t, a->delay) || ferror(stdout))
			break;
		top_sample_done(&t->before);
		t->before = t->now;
		t->now = (struct top_sample){ 0 };
		if ((ex = take_sample(t->v, &t->now)) != EXIT_OK ||
		    (ex = show(t)) != EXIT_OK)
			break;
		if (!t->screen && !t->v->json && i + 1 != a->times)
			(void)putchar('\n'); /* between two tables */
	}
	return ex;
}

static int
top(void *ctx, void *args, int argc, char **argv)
{
	const struct args *a = args;
	struct top t = { .v = ctx, .reverse = a->reverse };
	int ex;

	(void)argc;
	(void)argv;
	if (!top_order_of(a->sort, &t.order))
		return opt_bad(&vctl_top,
		    "--sort: '%s' is not one of commands, stores, memory, cpu, "
		    "name",
		    a->sort);
	if ((ex = vctl_connect(t.v)) != EXIT_OK)
		return ex;
	t.screen = !t.v->json && screen_open();
	ex = loop(&t, a);
	screen_close();
	if (t.screen && ex != EXIT_OK) /* its message went with the screen */
		(void)vctl_fail("the manager no longer answers; "
				"`vtpmctl status` says why");
	top_sample_done(&t.before);
	top_sample_done(&t.now);
	screen_signal();
	return ex;
}

static const struct opt opts[] = {
	{ OPT_U32("times", "N", struct args, times, 0, UINT32_MAX,
	      "end after N tables (default 0: when interrupted)"),
	    .letter = 'n' },
	{ OPT_U32("delay", "SECONDS", struct args, delay, 1, 3600,
	      "between two tables (default 2)"),
	    .letter = 'd' },
	{ OPT_TEXT("sort", 0, "KEY", struct args, sort,
	    "order by commands (default), stores, memory, cpu or name") },
	{ OPT_FLAG("reverse", 'r', struct args, reverse, "the other order") },
	OPT_END,
};

static const struct args defaults = { .delay = 2, .sort = "commands" };

const struct opt_command vctl_top = {
	.name = "vtpmctl top",
	.about =
	    "Show what guests do with their vTPMs, again and again.\n"
	    "Each table is of the time since the one before; the first one "
	    "comes after the delay. On a terminal the keys c, w, m, p, n order "
	    "by commands, NV writes, memory, processor and name, r turns the "
	    "order, q ends. With --json each table is one line.\n",
	.opts = opts,
	.size = sizeof(struct args),
	.defaults = &defaults,
	.run = top,
};
