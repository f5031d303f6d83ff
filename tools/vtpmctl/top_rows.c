/* SPDX-License-Identifier: BSD-3-Clause */
/* top_rows.c - rates out of two samples of counters. */
#include "tools/vtpmctl/top_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tools/vtpmctl/print.h"

static uint64_t
number(const json_t *o, const char *part, const char *key)
{
	return vctl_num(part != NULL ? json_object_get(o, part) : o, key);
}

/* A counter that fell began again. */
static double
per_second(uint64_t before, uint64_t now, double seconds)
{
	return (double)(now >= before ? now - before : now) / seconds;
}

/* What is of the same worker in an older answer; NULL: there was none. */
static const json_t *
same_worker(const json_t *old, const json_t *guest)
{
	const char *uuid = json_string_value(json_object_get(guest, "uuid"));
	const json_t *o = uuid != NULL ? json_object_get(old, uuid) : NULL;

	return o != NULL && number(o, "worker", "pid") ==
				number(guest, "worker", "pid")
		   ? o
		   : NULL;
}

static void
fill_row(struct top_row *r, const json_t *old, double seconds)
{
	const json_t *o = same_worker(old, r->guest), *g = r->guest;

	r->resident_bytes = number(g, "worker", "resident_bytes");
	r->counted = json_object_get(g, "counted") != NULL;
	r->quiet_ms = number(g, "counted", "quiet_ms");
	if (o == NULL)
		return;
	r->cpu = per_second(number(o, "worker", "cpu_ms"),
		     number(g, "worker", "cpu_ms"), seconds) /
		 10;
	if (!r->counted || json_object_get(o, "counted") == NULL)
		return;
	r->commands = per_second(number(o, "counted", "commands"),
	    number(g, "counted", "commands"), seconds);
	r->stores = per_second(number(o, "counted", "stores"),
	    number(g, "counted", "stores"), seconds);
}

/* --- order --- */

static int
by_name(const struct top_row *a, const struct top_row *b)
{
	const char *x = json_string_value(json_object_get(a->guest, "name"));
	const char *y = json_string_value(json_object_get(b->guest, "name"));

	return strcmp(x != NULL ? x : "", y != NULL ? y : "");
}

/* The greater first. */
#define BY(key)                                                      \
	static int by_##key(const void *a, const void *b)            \
	{                                                            \
		const struct top_row *x = a, *y = b;                 \
                                                                     \
		return x->key != y->key ? (x->key < y->key ? 1 : -1) \
					: by_name(x, y);             \
	}
BY(commands)
BY(stores)
BY(resident_bytes)
BY(cpu)
#undef BY

static int
by_names(const void *a, const void *b)
{
	return by_name(a, b);
}

static const struct {
	const char *name;
	int (*compare)(const void *a, const void *b);
} orders[] = {
	[TOP_COMMANDS] = { "commands", by_commands },
	[TOP_STORES] = { "stores", by_stores },
	[TOP_MEMORY] = { "memory", by_resident_bytes },
	[TOP_CPU] = { "cpu", by_cpu },
	[TOP_NAME] = { "name", by_names },
};

bool
top_order_of(const char *name, enum top_order *ret)
{
	size_t i;

	for (i = 0; i < VT_NELEM(orders); i++)
		if (strcmp(orders[i].name, name) == 0) {
			*ret = (enum top_order)i;
			return true;
		}
	return false;
}

static void
turn(struct top_row *rows, size_t n)
{
	struct top_row r;
	size_t i;

	for (i = 0; i < n / 2; i++) {
		r = rows[i];
		rows[i] = rows[n - 1 - i];
		rows[n - 1 - i] = r;
	}
}

/* --- the host --- */

static uint64_t
tpm_ms(const json_t *status)
{
	const json_t *groups = json_object_get(status, "groups");
	uint64_t ms = 0;
	size_t i;

	for (i = 0; i < json_array_size(groups); i++)
		ms += number(json_array_get(groups, i), "hw", "ms");
	return ms;
}

static void
fill_host(
    struct top_host *h, const json_t *before, const json_t *now, double seconds)
{
	const json_t *o = json_object_get(before, "counters");
	const json_t *c = json_object_get(now, "counters");
	uint64_t n0 = number(o, NULL, "commits"),
		 n = number(c, NULL, "commits");
	uint64_t us0 = number(o, "commit_time", "sum_us");
	uint64_t us = number(c, "commit_time", "sum_us");

	h->commits = per_second(n0, n, seconds);
	if (n > n0 && us >= us0)
		h->commit_ms = (double)(us - us0) / (double)(n - n0) / 1000;
	h->tpm = per_second(tpm_ms(before), tpm_ms(now), seconds) / 10;
}

static void
add_guest(struct top_host *h, const struct top_row *r)
{
	h->active++;
	h->running += vctl_is(r->guest, "up");
	h->in_use += vctl_is(r->guest, "in_use");
	h->commands += r->commands;
	h->stores += r->stores;
}

/* The guests of an answer by their UUIDs. */
static json_t *
by_uuid(const json_t *stats)
{
	const json_t *list = json_object_get(stats, "guests");
	json_t *o = json_object(), *g;
	const char *uuid;
	size_t i;

	json_array_foreach(list, i, g)
	{
		uuid = json_string_value(json_object_get(g, "uuid"));
		if (uuid != NULL)
			(void)json_object_set(o, uuid, g);
	}
	return o;
}

int
top_rows(const struct top_sample *before, const struct top_sample *now,
    enum top_order order, bool reverse, struct top_row **ret, size_t *ret_n,
    struct top_host *host)
{
	const json_t *list = json_object_get(now->stats, "guests");
	uint64_t t0 = vctl_num(before->stats, "time_us");
	uint64_t t = vctl_num(now->stats, "time_us");
	size_t n = json_array_size(list), i;
	struct top_row *rows;
	double seconds;
	json_t *old;

	if (!json_is_array(list) || t <= t0)
		return VT_E_FORMAT;
	seconds = (double)(t - t0) / 1e6;
	old = by_uuid(before->stats);
	if (old == NULL || (rows = calloc(n + 1, sizeof(*rows))) == NULL) {
		json_decref(old);
		return VT_E_NOMEM;
	}
	memset(host, 0, sizeof(*host));
	fill_host(host, before->status, now->status, seconds);
	for (i = 0; i < n; i++) {
		rows[i].guest = json_array_get(list, i);
		fill_row(&rows[i], old, seconds);
		add_guest(host, &rows[i]);
	}
	json_decref(old);
	qsort(rows, n, sizeof(*rows), orders[order].compare);
	if (reverse)
		turn(rows, n);
	*ret = rows;
	*ret_n = n;
	return VT_OK;
}

/* --- as JSON --- */

static json_t *
row_json(const struct top_row *r)
{
	json_t *o = json_pack("{s:f,s:I}", "cpu_percent", r->cpu,
	    "resident_bytes", (json_int_t)r->resident_bytes);
	static const char *const same[] = { "name", "uuid", "state", "group",
		"group_name", "in_use", "channel" };
	json_t *v;
	size_t i;

	for (i = 0; i < VT_NELEM(same); i++)
		if ((v = json_object_get(r->guest, same[i])) != NULL)
			(void)json_object_set(o, same[i], v);
	if (!r->counted)
		return o;
	(void)json_object_set_new(o, "commands_per_s", json_real(r->commands));
	(void)json_object_set_new(o, "stores_per_s", json_real(r->stores));
	(void)json_object_set_new(
	    o, "quiet_ms", json_integer((json_int_t)r->quiet_ms));
	return o;
}

json_t *
top_json(uint64_t time_ms, double seconds, const struct top_row *rows, size_t n,
    const struct top_host *host)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		(void)json_array_append_new(list, row_json(&rows[i]));
	return json_pack("{s:I,s:f,s:{s:I,s:I,s:I,s:f,s:f,s:f,s:f,s:f},s:o}",
	    "time_ms", (json_int_t)time_ms, "seconds", seconds, "host",
	    "active", (json_int_t)host->active, "running",
	    (json_int_t)host->running, "in_use", (json_int_t)host->in_use,
	    "commands_per_s", host->commands, "stores_per_s", host->stores,
	    "commits_per_s", host->commits, "commit_ms", host->commit_ms,
	    "tpm_percent", host->tpm, "guests", list);
}

void
top_sample_done(struct top_sample *s)
{
	json_decref(s->stats);
	json_decref(s->status);
	s->stats = s->status = NULL;
}
