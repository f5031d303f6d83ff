/* SPDX-License-Identifier: BSD-3-Clause */
/* top_draw.c - two lines of the host, then one for each guest. */
#include "tools/vtpmctl/top_draw.h"

#include <string.h>

#include "base/util.h"
#include "tools/vtpmctl/print.h"

/* The columns behind the name, and the blanks before them. */
#define OTHERS (1 + 12 + 1 + 5 + 1 + 8 + 1 + 7 + 1 + 7 + 1 + 5 + 1 + 5)
#define NAME_MIN 8
#define HEAD_LINES 4 /* two of the host, a blank one, the columns' names */
#define LINE_MAX_LEN 256

/* What a person reads: a worker that no guest uses is idle. */
static const char *
state_of(const json_t *o)
{
	const char *s = vctl_text(o, "state");

	return strcmp(s, "running") == 0 && !vctl_is(o, "in_use") ? "idle" : s;
}

/* "12s", "5m", "3h", "9d"; fits five columns. */
static void
short_time(uint64_t ms, char out[24])
{
	static const struct {
		uint64_t s;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	uint64_t s = ms / 1000;
	size_t i = 0;

	while (i + 1 < VT_NELEM(units) && s < units[i].s)
		i++;
	(void)snprintf(out, 24, "%llu%c", (unsigned long long)(s / units[i].s),
	    units[i].unit);
}

/* "940K", "12.3M", "1.2G". */
static void
short_bytes(uint64_t n, char out[24])
{
	if (n < UINT64_C(1) << 20)
		(void)snprintf(out, 24, "%lluK", (unsigned long long)(n >> 10));
	else if (n < UINT64_C(1) << 30)
		(void)snprintf(out, 24, "%.1fM", (double)n / 1048576);
	else
		(void)snprintf(out, 24, "%.1fG", (double)n / 1073741824);
}

/* One line, cut where the terminal ends. */
static void
put_line(FILE *f, const struct top_view *v, const char *text)
{
	(void)fprintf(f, "%.*s%s",
	    (int)(v->width < LINE_MAX_LEN ? v->width : LINE_MAX_LEN), text,
	    v->eol);
}

static void
put_host(FILE *f, const struct top_view *v)
{
	const struct top_host *h = v->host;
	char line[LINE_MAX_LEN], when[32];

	(void)snprintf(line, sizeof(line),
	    "%s: %zu active, %zu running, %zu in use; host's TPM %s, %.1f %%",
	    vctl_time(v->time_ms, when), h->active, h->running, h->in_use,
	    v->tpm_up ? "up" : "AWAY", h->tpm);
	put_line(f, v, line);
	(void)snprintf(line, sizeof(line),
	    "%.1f commands/s, %.1f NV writes/s, %.1f commits/s of %.1f ms",
	    h->commands, h->stores, h->commits, h->commit_ms);
	put_line(f, v, line);
	put_line(f, v, "");
}

static void
put_row(FILE *f, const struct top_view *v, const struct top_row *r,
    size_t name_width)
{
	char line[LINE_MAX_LEN], name[128], bytes[24], quiet[24] = "-";
	char commands[24] = "-", stores[24] = "-";
	const char *channel = vctl_text(r->guest, "channel");

	text_fit(name,
	    name_width + 1 < sizeof(name) ? name_width + 1 : sizeof(name),
	    vctl_text(r->guest, "name"));
	short_bytes(r->resident_bytes, bytes);
	if (r->counted) {
		short_time(r->quiet_ms, quiet);
		(void)snprintf(commands, sizeof(commands), "%.1f", r->commands);
		(void)snprintf(stores, sizeof(stores), "%.1f", r->stores);
	}
	(void)snprintf(line, sizeof(line),
	    "%-*s %-12.12s %-5.5s %8s %7s %7s %5.1f %5s", (int)name_width, name,
	    state_of(r->guest), channel, commands, stores, bytes, r->cpu,
	    quiet);
	put_line(f, v, line);
}

/* As wide as the longest, if the terminal is. */
static size_t
name_width(const struct top_view *v)
{
	size_t most = NAME_MIN, len, i;

	for (i = 0; i < v->n; i++) {
		len = strlen(vctl_text(v->rows[i].guest, "name"));
		most = len > most ? len : most;
	}
	if (most + OTHERS <= v->width)
		return most;
	return v->width > OTHERS + NAME_MIN ? v->width - OTHERS : NAME_MIN;
}

void
top_draw(FILE *f, const struct top_view *v)
{
	size_t name = name_width(v), room, shown, i;
	char line[LINE_MAX_LEN];

	room = v->lines > HEAD_LINES + 2 ? v->lines - HEAD_LINES - 1 : 1;
	shown = v->n > room ? room - 1 : v->n;
	put_host(f, v);
	(void)snprintf(line, sizeof(line),
	    "%-*s %-12s %-5s %8s %7s %7s %5s %5s", (int)name, "NAME", "STATE",
	    "CHAN", "CMD/S", "NV/S", "MEMORY", "CPU%", "QUIET");
	put_line(f, v, line);
	for (i = 0; i < shown; i++)
		put_row(f, v, &v->rows[i], name);
	if (shown < v->n) {
		(void)snprintf(line, sizeof(line), "(%zu more)", v->n - shown);
		put_line(f, v, line);
	}
}
