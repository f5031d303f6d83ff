/* SPDX-License-Identifier: BSD-3-Clause */
/* guest_stats_json.c - numbers about guests as JSON. */
#include "vtpm_manager/guest/guest_stats_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json_histogram.h"
#include "vtpm_manager/guest/guest.h"
#include "vtpm_manager/guest/guest_stats.h"
#include "vtpm_manager/guest/guests_priv.h"
#include "vtpm_manager/tenant/tenant.h"

#define STAT_MAX 4096

/*
 * Fields of /proc/PID/stat, proc(5), counted from the one behind the name,
 * which is the third: the name may have blanks and brackets in it.
 */
enum {
	STAT_UTIME = 14 - 3,
	STAT_STIME = 15 - 3,
	STAT_START = 22 - 3, /* since the boot */
	STAT_RSS = 24 - 3
};

struct usage {
	uint64_t cpu_ms, resident_bytes, started_ms; /* wall clock */
};

static uint64_t
since_boot_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static bool
read_usage(uint32_t pid, struct usage *ret)
{
	unsigned long long v[STAT_RSS + 1] = { 0 };
	long hz = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);
	uint8_t *buf = NULL;
	char path[64], *p, *next;
	size_t len, i;

	(void)snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	if (pid == 0 || hz <= 0 || page <= 0 ||
	    read_file(path, STAT_MAX, &buf, &len) != VT_OK)
		return false;
	p = strrchr((char *)buf, ')');
	if (p == NULL || p[1] != ' ' || p[2] == '\0') {
		free(buf);
		return false;
	}
	p += 3; /* the state's letter */
	for (i = 1; i <= STAT_RSS; i++, p = next)
		v[i] = strtoull(p, &next, 10);
	free(buf);
	ret->cpu_ms = (v[STAT_UTIME] + v[STAT_STIME]) * 1000 / (uint64_t)hz;
	ret->resident_bytes = v[STAT_RSS] * (uint64_t)page;
	ret->started_ms =
	    wall_ms() - since_boot_ms() + v[STAT_START] * 1000 / (uint64_t)hz;
	return true;
}

/* Without a worker there is no "worker". */
static json_t *
worker_json(const struct guest_run *g)
{
	struct usage u;

	if (g->link == NULL || !read_usage(g->link->pid, &u))
		return NULL;
	return json_pack("{s:I,s:I,s:I,s:I}", "pid", (json_int_t)g->link->pid,
	    "started_ms", (json_int_t)u.started_ms, "cpu_ms",
	    (json_int_t)u.cpu_ms, "resident_bytes",
	    (json_int_t)u.resident_bytes);
}

/* What its worker counted; NULL: it has not been asked. */
static json_t *
counted_json(const struct guest_run *g)
{
	const struct wstats *n = &g->counted.last;

	if (g->link == NULL || g->counted.serial != g->link->serial)
		return NULL;
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "commands",
	    (json_int_t)n->commands, "stores", (json_int_t)n->stores, "held",
	    (json_int_t)n->held, "refused", (json_int_t)n->refused,
	    "attaches_refused", (json_int_t)n->attaches_refused,
	    "auth_failures", (json_int_t)n->auth_failures, "lockouts",
	    (json_int_t)n->lockouts, "quiet_ms",
	    (json_int_t)(n->quiet_us / 1000));
}

static json_t *
one_json(const struct guest_run *g)
{
	static const char *const channels[WLINK_CHANS] = { [CHAN_LOCAL] =
							       "local",
		[CHAN_SWTPM] = "swtpm",
		[CHAN_XEN] = "xen" };
	const char *channel = channels[guest_channel(g)];
	const struct tenant *t = tenant_number(g->m, g->in.group);
	char uuid[UUID_STRLEN + 1];

	uuid_format(g->in.uuid, uuid);
	return json_pack("{s:s,s:s,s:s,s:I,s:o*,s:b,s:b,s:o*,s:I,s:o*,s:o*}",
	    "name", g->in.name, "uuid", uuid, "state", guest_state_name(g->st),
	    "group", (json_int_t)g->in.group, "group_name",
	    t != NULL ? json_string(t->r.name) : NULL, "up",
	    g->st == IS_RUNNING, "in_use", guest_in_use(g), "channel",
	    channel != NULL ? json_string(channel) : NULL, "crashes",
	    (json_int_t)g->crashes, "worker", worker_json(g), "counted",
	    counted_json(g));
}

static json_t *
classes_json(const struct mgr *m)
{
	static const char *const names[WCLASSES] = { "other", "startup", "pcr",
		"random", "nv", "key", "sign", "session" };
	json_t *list = json_array(), *o;
	unsigned int i;

	for (i = 0; i < WCLASSES; i++) {
		o = json_histogram(guest_stats_times(m, i));
		(void)json_object_set_new(o, "class", json_string(names[i]));
		(void)json_array_append_new(list, o);
	}
	return list;
}

json_t *
guest_stats_json(struct mgr *m)
{
	json_t *list = json_array();
	const struct guest_run *g;

	LIST_FOREACH(g, &m->guests->list, entry)
		(void)json_array_append_new(list, one_json(g));
	return json_pack("{s:I,s:o,s:o}", "time_us", (json_int_t)now_us(),
	    "classes", classes_json(m), "guests", list);
}
