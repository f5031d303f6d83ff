/* SPDX-License-Identifier: BSD-3-Clause */
/* metrics.c - the table of metrics, and its numbers as text. */
#include "vtpm_manager/control/metrics.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vtpm_manager/core/config.h"

#define LABELS 2
#define PATH_PART 32 /* bytes of one member's name, with NUL */

enum type { COUNTER, GAUGE, HISTOGRAM };

/* What a number is; Prometheus wants seconds and bytes. */
enum unit { ONE, MS, US };

/* Where the numbers are: */
enum shape {
	SINGLE,  /* one, at path */
	INFO,    /* none: 1, with labels out of the object at path */
	MEMBERS, /* the object at path has one for each label's value */
	EACH,    /* the array at path has an object for each, with item in it */
};

struct metric {
	const char *name, *help;
	enum type type;
	enum unit unit;
	enum shape shape;
	const char *path, *item; /* members' names, with dots between */
	struct {
		const char *name, *path; /* MEMBERS: path is what is no value */
	} labels[LABELS];
};

#define GUEST                          \
	{                              \
		{ "guest", "name" },   \
		{                      \
			"uuid", "uuid" \
		}                      \
	}
#define GROUP                           \
	{                               \
		{                       \
			"group", "name" \
		}                       \
	}
#define KIND                           \
	{                              \
		{                      \
			"kind", "kind" \
		}                      \
	}

/* clang-format off */
static const struct metric table[] = {
	/* --- the manager --- */
	{ "vtpm_build_info", "Version of the manager and kind of its root.",
	    GAUGE, ONE, INFO, "", NULL,
	    { { "version", "version" }, { "root", "root" } } },
	{ "vtpm_start_time_seconds", "When the manager started, since 1970.",
	    GAUGE, MS, SINGLE, "started_ms", NULL, { { 0 } } },
	{ "vtpm_ready", "1: the manager serves guests.",
	    GAUGE, ONE, SINGLE, "ready", NULL, { { 0 } } },
	{ "vtpm_sealed", "1: the host's TPM does not release the master key.",
	    GAUGE, ONE, SINGLE, "sealed", NULL, { { 0 } } },
	{ "vtpm_zygote_restarts_total", "Restarts of vtpm-zygote.",
	    COUNTER, ONE, SINGLE, "zygote.restarts", NULL, { { 0 } } },
	{ "vtpm_hwtpm_restarts_total", "Restarts of vtpm-hwtpm.",
	    COUNTER, ONE, SINGLE, "hwtpm.restarts", NULL, { { 0 } } },
	{ "vtpm_control_requests_total", "Calls of methods of the manager.",
	    COUNTER, ONE, SINGLE, "counters.calls", NULL, { { 0 } } },
	{ "vtpm_control_requests_refused_total",
	    "Calls of methods that ended with an error.",
	    COUNTER, ONE, SINGLE, "counters.calls_refused", NULL, { { 0 } } },
	{ "vtpm_control_connections_refused_total",
	    "Connections to the control and metrics sockets closed at once.",
	    COUNTER, ONE, SINGLE, "counters.connections_refused", NULL,
	    { { 0 } } },
	{ "vtpm_audit_records_total", "Records written to the audit log.",
	    COUNTER, ONE, SINGLE, "counters.audit_records", NULL, { { 0 } } },

	/* --- vTPMs --- */
	{ "vtpm_vtpms", "vTPMs in the registry.",
	    GAUGE, ONE, SINGLE, "vtpms.known", NULL, { { 0 } } },
	{ "vtpm_vtpms_tampered", "vTPMs whose stored state was changed.",
	    GAUGE, ONE, SINGLE, "vtpms.tampered", NULL, { { 0 } } },
	{ "vtpm_vtpms_active", "vTPMs that are not stopped, by state.",
	    GAUGE, ONE, MEMBERS, "vtpms", NULL,
	    { { "state", "known,tampered" } } },
	{ "vtpm_creates_total", "vTPMs created.",
	    COUNTER, ONE, SINGLE, "counters.creates", NULL, { { 0 } } },
	{ "vtpm_pool_size", "vTPMs to keep made in advance, at least.",
	    GAUGE, ONE, SINGLE, "pool.size", NULL, { { 0 } } },
	{ "vtpm_pool_wanted",
	    "vTPMs to keep made in advance, by what was asked for lately.",
	    GAUGE, ONE, SINGLE, "pool.wanted", NULL, { { 0 } } },
	{ "vtpm_pool_ready", "vTPMs that are made in advance.",
	    GAUGE, ONE, SINGLE, "pool.ready", NULL, { { 0 } } },
	{ "vtpm_pool_hits_total", "vTPMs taken from the pool.",
	    COUNTER, ONE, SINGLE, "counters.pool_hits", NULL, { { 0 } } },
	{ "vtpm_pool_misses_total", "vTPMs for which the pool had none.",
	    COUNTER, ONE, SINGLE, "counters.pool_misses", NULL, { { 0 } } },
	{ "vtpm_worker_losses_total",
	    "Workers that ended without having been asked to.",
	    COUNTER, ONE, SINGLE, "counters.worker_crashes", NULL, { { 0 } } },

	/* --- the store --- */
	{ "vtpm_store_ok", "1: the store takes data.",
	    GAUGE, ONE, SINGLE, "space.storage_ok", NULL, { { 0 } } },
	{ "vtpm_store_free_bytes", "Free disk space in the state directory.",
	    GAUGE, ONE, SINGLE, "space.free_bytes", NULL, { { 0 } } },
	{ "vtpm_store_states_total", "States that workers sent to be stored.",
	    COUNTER, ONE, SINGLE, "counters.stores", NULL, { { 0 } } },
	{ "vtpm_store_commit_failures_total",
	    "Times that the store did not take data.",
	    COUNTER, ONE, SINGLE, "counters.commit_failures", NULL, { { 0 } } },
	{ "vtpm_store_commit_duration_seconds",
	    "Time of a commit of the store, failed ones included.",
	    HISTOGRAM, US, SINGLE, "counters.commit_time", NULL, { { 0 } } },

	/* --- the host's TPM --- */
	{ "vtpm_host_tpm_up", "1: the host's TPM answers.",
	    GAUGE, ONE, SINGLE, "tpm.up", NULL, { { 0 } } },
	{ "vtpm_host_tpm_commands_total",
	    "Commands to the host's TPM, since vtpm-hwtpm started.",
	    COUNTER, ONE, SINGLE, "tpm.commands", NULL, { { 0 } } },
	{ "vtpm_host_tpm_retries_total",
	    "Commands that the host's TPM wanted to be repeated.",
	    COUNTER, ONE, SINGLE, "tpm.retries", NULL, { { 0 } } },
	{ "vtpm_host_tpm_failures_total",
	    "Commands that failed for good, since vtpm-hwtpm started.",
	    COUNTER, ONE, SINGLE, "tpm.failures", NULL, { { 0 } } },
	{ "vtpm_host_tpm_requests_total",
	    "Requests to vtpm-hwtpm that were answered, by kind.",
	    COUNTER, ONE, EACH, "hwtpm.requests", "requests", KIND },
	{ "vtpm_host_tpm_requests_failed_total",
	    "Requests to vtpm-hwtpm that failed, by kind.",
	    COUNTER, ONE, EACH, "hwtpm.requests", "failures", KIND },
	{ "vtpm_host_tpm_request_seconds_total",
	    "Time until these requests were answered, waiting included.",
	    COUNTER, US, EACH, "hwtpm.requests", "us", KIND },
	{ "vtpm_host_tpm_group_requests_total",
	    "Requests done with the host's TPM, since vtpm-hwtpm started.",
	    COUNTER, ONE, EACH, "groups", "hw.requests", GROUP },
	{ "vtpm_host_tpm_group_seconds_total",
	    "Time of the host's TPM that a group used.",
	    COUNTER, MS, EACH, "groups", "hw.ms", GROUP },
	{ "vtpm_host_tpm_group_wait_seconds_total",
	    "Time that a group's requests waited for their turn.",
	    COUNTER, MS, EACH, "groups", "hw.wait_ms", GROUP },
	{ "vtpm_host_tpm_group_delayed_total",
	    "Requests of a group that waited for its quota.",
	    COUNTER, ONE, EACH, "groups", "hw.delayed", GROUP },
	{ "vtpm_host_tpm_group_refused_total",
	    "Requests of a group that gave up waiting.",
	    COUNTER, ONE, EACH, "groups", "hw.refused", GROUP },
	{ "vtpm_deep_quotes_asked_total", "Deep quotes that guests asked for.",
	    COUNTER, ONE, SINGLE, "deep_quotes.asked", NULL, { { 0 } } },
	{ "vtpm_deep_quotes_answered_total", "Deep quotes that guests got.",
	    COUNTER, ONE, SINGLE, "deep_quotes.answered", NULL, { { 0 } } },
	{ "vtpm_deep_quotes_failed_total", "Deep quotes that failed.",
	    COUNTER, ONE, SINGLE, "deep_quotes.failed", NULL, { { 0 } } },
	{ "vtpm_deep_quotes_waiting", "Deep quotes in hand.",
	    GAUGE, ONE, SINGLE, "deep_quotes.waiting", NULL, { { 0 } } },
	{ "vtpm_host_quotes_total",
	    "Quotes of the host's TPM for deep quotes.",
	    COUNTER, ONE, SINGLE, "deep_quotes.host_quotes", NULL, { { 0 } } },

	/* --- groups --- */
	{ "vtpm_group_vtpms", "vTPMs of a group.",
	    GAUGE, ONE, EACH, "groups", "used.vtpms", GROUP },
	{ "vtpm_group_state_bytes", "Sealed state of a group.",
	    GAUGE, ONE, EACH, "groups", "used.bytes", GROUP },

	/* --- commands of all guests --- */
	{ "vtpm_command_duration_seconds",
	    "Time from a guest's command to its answer, by class.",
	    HISTOGRAM, US, EACH, "classes", "", { { "class", "class" } } },

	/* --- guests that are not stopped --- */
	{ "vtpm_guest_up", "1: the vTPM runs.",
	    GAUGE, ONE, EACH, "guests", "up", GUEST },
	{ "vtpm_guest_in_use", "1: a guest is attached to the vTPM.",
	    GAUGE, ONE, EACH, "guests", "in_use", GUEST },
	{ "vtpm_guest_worker_losses_total",
	    "Workers of the vTPM that ended without having been asked to.",
	    COUNTER, ONE, EACH, "guests", "crashes", GUEST },
	{ "vtpm_guest_worker_start_time_seconds",
	    "When the vTPM's worker came up, since 1970.",
	    GAUGE, MS, EACH, "guests", "worker.started_ms", GUEST },
	{ "vtpm_guest_worker_cpu_seconds_total",
	    "Processor time of the vTPM's worker.",
	    COUNTER, MS, EACH, "guests", "worker.cpu_ms", GUEST },
	{ "vtpm_guest_worker_resident_bytes",
	    "Memory of the vTPM's worker, shared pages included.",
	    GAUGE, ONE, EACH, "guests", "worker.resident_bytes", GUEST },
	{ "vtpm_guest_commands_total", "Commands of the guest.",
	    COUNTER, ONE, EACH, "guests", "counted.commands", GUEST },
	{ "vtpm_guest_stores_total",
	    "States that the vTPM had stored: writes of its NV memory.",
	    COUNTER, ONE, EACH, "guests", "counted.stores", GUEST },
	{ "vtpm_guest_commands_held_total",
	    "Commands that waited for a store that takes no data.",
	    COUNTER, ONE, EACH, "guests", "counted.held", GUEST },
	{ "vtpm_guest_commands_refused_total",
	    "Commands refused for want of the store or of the group's quota.",
	    COUNTER, ONE, EACH, "guests", "counted.refused", GUEST },
	{ "vtpm_guest_attaches_refused_total",
	    "Attempts to attach to the vTPM that were refused.",
	    COUNTER, ONE, EACH, "guests", "counted.attaches_refused", GUEST },
	{ "vtpm_guest_auth_failures_total",
	    "Answers that an authorization was wrong.",
	    COUNTER, ONE, EACH, "guests", "counted.auth_failures", GUEST },
	{ "vtpm_guest_lockouts_total",
	    "Answers that dictionary attack protection locks the vTPM.",
	    COUNTER, ONE, EACH, "guests", "counted.lockouts", GUEST },
};
/* clang-format on */
#undef GUEST
#undef GROUP
#undef KIND

/* What path names below o; NULL: there is none.  "" is o itself. */
static const json_t *
find(const json_t *o, const char *path)
{
	char part[PATH_PART];
	size_t n;

	while (o != NULL && *path != '\0') {
		n = strcspn(path, ".");
		if (n >= sizeof(part))
			return NULL;
		memcpy(part, path, n);
		part[n] = '\0';
		o = json_object_get(o, part);
		path += n + (path[n] == '.');
	}
	return o;
}

/* --- one line --- */

static void
put_label(FILE *f, const char *name, const char *value, char before)
{
	(void)fprintf(f, "%c%s=\"", before, name);
	for (; *value != '\0'; value++)
		if (*value == '\n')
			(void)fputs("\\n", f);
		else {
			if (*value == '\\' || *value == '"')
				(void)fputc('\\', f);
			(void)fputc(*value, f);
		}
	(void)fputc('"', f);
}

/* Exact: no number becomes a double. */
static void
put_number(FILE *f, uint64_t v, enum unit unit)
{
	static const struct {
		uint64_t per;
		int digits;
	} units[] = {
		[ONE] = { 1, 0 }, [MS] = { 1000, 3 }, [US] = { 1000000, 6 }
	};
	uint64_t per = units[unit].per;

	(void)fprintf(f, " %llu", (unsigned long long)(v / per));
	if (unit != ONE)
		(void)fprintf(f, ".%0*llu", units[unit].digits,
		    (unsigned long long)(v % per));
	(void)fputc('\n', f);
}

/* false: v is no number. */
static bool
number_of(const json_t *v, uint64_t *ret)
{
	if (json_is_integer(v) && json_integer_value(v) >= 0)
		*ret = (uint64_t)json_integer_value(v);
	else if (json_is_boolean(v))
		*ret = json_is_true(v);
	else
		return false;
	return true;
}

/* The labels out of o; what comes before a further one: ',' or '{'. */
static char
put_labels(FILE *f, const struct metric *m, const json_t *o)
{
	const char *text;
	char before = '{';
	size_t i;

	for (i = 0; i < LABELS && m->labels[i].name != NULL; i++) {
		text = json_string_value(find(o, m->labels[i].path));
		if (text == NULL)
			continue;
		put_label(f, m->labels[i].name, text, before);
		before = ',';
	}
	return before;
}

static void
close_labels(FILE *f, char before)
{
	if (before == ',')
		(void)fputc('}', f);
}

static void
put_one(FILE *f, const struct metric *m, const json_t *labels, const json_t *v)
{
	uint64_t n;

	if (!number_of(v, &n))
		return;
	(void)fputs(m->name, f);
	close_labels(f, put_labels(f, m, labels));
	put_number(f, n, m->unit);
}

/* --- shapes --- */

static void
put_members(FILE *f, const struct metric *m, const json_t *o)
{
	const char *key, *skip = m->labels[0].path;
	json_t *v;
	uint64_t n;

	json_object_foreach((json_t *)(uintptr_t)o, key, v)
	{
		if (config_list_has(skip, key) || !number_of(v, &n))
			continue;
		(void)fputs(m->name, f);
		put_label(f, m->labels[0].name, key, '{');
		(void)fputc('}', f);
		put_number(f, n, m->unit);
	}
}

/* NAME_bucket{labels,le="BOUND"}; a bound has no zeros at its end. */
static void
put_bucket(FILE *f, const struct metric *m, const json_t *labels,
    const char *bound, uint64_t n)
{
	(void)fprintf(f, "%s_bucket", m->name);
	put_label(f, "le", bound, put_labels(f, m, labels));
	(void)fprintf(f, "} %llu\n", (unsigned long long)n);
}

static void
bound_text(uint64_t us, char text[32])
{
	size_t len;

	len = (size_t)snprintf(text, 32, "%llu.%06llu",
	    (unsigned long long)(us / 1000000),
	    (unsigned long long)(us % 1000000));
	while (text[len - 1] == '0' && text[len - 2] != '.')
		text[--len] = '\0';
}

static void
put_total(FILE *f, const struct metric *m, const char *suffix,
    const json_t *labels, uint64_t v, enum unit unit)
{
	(void)fprintf(f, "%s%s", m->name, suffix);
	close_labels(f, put_labels(f, m, labels));
	put_number(f, v, unit);
}

/* Buckets are cumulative. */
static void
put_histogram(
    FILE *f, const struct metric *m, const json_t *labels, const json_t *o)
{
	const json_t *bounds = json_object_get(o, "bounds_us");
	const json_t *counts = json_object_get(o, "counts");
	uint64_t sum = 0, us, n, bound = 0;
	char text[32];
	size_t i;

	if (!number_of(json_object_get(o, "sum_us"), &us))
		return;
	for (i = 0; i < json_array_size(counts); i++) {
		if (!number_of(json_array_get(counts, i), &n))
			return;
		sum += n;
		if (!number_of(json_array_get(bounds, i), &bound))
			continue; /* above all bounds */
		bound_text(bound, text);
		put_bucket(f, m, labels, text, sum);
	}
	put_bucket(f, m, labels, "+Inf", sum);
	put_total(f, m, "_sum", labels, us, m->unit);
	put_total(f, m, "_count", labels, sum, ONE);
}

static void
put_value(
    FILE *f, const struct metric *m, const json_t *labels, const json_t *v)
{
	if (m->type == HISTOGRAM)
		put_histogram(f, m, labels, v);
	else
		put_one(f, m, labels, v);
}

static void
put_metric(FILE *f, const struct metric *m, const json_t *status)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	const json_t *at = find(status, m->path);
	size_t i;

	(void)fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help,
	    m->name, types[m->type]);
	switch (m->shape) {
	case INFO:
		if (find(at, m->labels[0].path) != NULL)
			put_one(f, m, at, json_true());
		break;
	case MEMBERS:
		put_members(f, m, at);
		break;
	case EACH:
		for (i = 0; i < json_array_size(at); i++)
			put_value(f, m, json_array_get(at, i),
			    find(json_array_get(at, i), m->item));
		break;
	case SINGLE:
		put_value(f, m, NULL, at);
		break;
	}
}

int
metrics_text(const json_t *status, char **ret, size_t *ret_len)
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *f;
	bool bad;

	if ((f = open_memstream(&text, &len)) == NULL)
		return VT_E_NOMEM;
	for (i = 0; i < VT_NELEM(table); i++)
		put_metric(f, &table[i], status);
	bad = ferror(f) != 0;
	if (fclose(f) != 0 || bad) {
		free(text);
		return VT_E_NOMEM;
	}
	*ret = text;
	*ret_len = len;
	return VT_OK;
}
