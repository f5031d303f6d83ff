/* SPDX-License-Identifier: BSD-3-Clause */
/* appraise_report.c - collect findings and events, and print them as JSON. */
#include "measure/appraise/appraise_report.h"

#include <jansson.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/appraise/appraise.h"
#include "measure/appraise/appraise_priv.h"
#include "measure/log/trail.h"
#include "measure/log/trail_describe.h"

void
ap_say(struct appraisal *a, enum ap_code code, enum ap_severity sev,
    uint16_t alg, int32_t pcr, int32_t index, const char *fmt, ...)
{
	struct ap_report *r = a->rep;
	struct ap_finding *f;
	va_list ap;
	int n;

	f = realloc(r->findings, (r->n + 1) * sizeof(*f));
	if (f == NULL) {
		a->rc = VT_E_NOMEM;
		return;
	}
	r->findings = f;
	f += r->n;
	memset(f, 0, sizeof(*f));
	f->code = code;
	f->severity = sev;
	f->alg = alg;
	f->pcr = pcr;
	f->index = index;
	va_start(ap, fmt);
	n = vasprintf(&f->words, fmt, ap);
	va_end(ap);
	if (n < 0) {
		a->rc = VT_E_NOMEM;
		return;
	}
	text_clean(f->words);
	r->n++;
}

void
ap_tag(struct appraisal *a, uint32_t place, const char *cause)
{
	if (a->rc != VT_OK || a->rep->n == 0)
		return;
	a->rep->findings[a->rep->n - 1].place = place;
	a->rep->findings[a->rep->n - 1].cause = cause;
}

static bool
list_event(struct ap_event *e, const struct trail *t, uint32_t i)
{
	char words[AP_WORDS];

	e->pcr = t->ev[i].pcr;
	e->pos = t->ev[i].pos;
	trail_describe(t, &t->ev[i], words, sizeof(words));
	hex_encode(t->ev[i].val, t->len, e->hex);
	return asprintf(&e->words, "%s", words) >= 0;
}

void
ap_list_events(struct appraisal *a, const struct trail *t)
{
	struct ap_report *r = a->rep;
	uint32_t i;

	if (t->n == 0)
		return;
	if ((r->events = calloc(t->n, sizeof(*r->events))) == NULL) {
		a->rc = VT_E_NOMEM;
		return;
	}
	for (i = 0; i < t->n; i++) {
		if (!list_event(&r->events[i], t, i)) {
			a->rc = VT_E_NOMEM;
			return;
		}
		r->nevents++;
	}
}

const char *
ap_code_name(enum ap_code code)
{
	static const char *const names[AP_C_NCODES] = { [AP_C_OK] = "ok",
		[AP_C_PCR_MISSING] = "pcr-missing",
		[AP_C_PCR_EXTREME] = "pcr-never-extended",
		[AP_C_PCR_UNMENTIONED] = "pcr-unmentioned",
		[AP_C_VALUE_DIFFERS] = "value-differs",
		[AP_C_LOG_MISSING] = "log-missing",
		[AP_C_LOG_BAD] = "log-bad",
		[AP_C_LOG_LIES] = "log-lies",
		[AP_C_LOG_REPLAY] = "log-replay",
		[AP_C_JOURNAL_MISSING] = "journal-missing",
		[AP_C_LOG_VS_JOURNAL] = "log-vs-journal",
		[AP_C_CHAINED] = "chained",
		[AP_C_EVENT_UNKNOWN] = "event-unknown",
		[AP_C_EVENT_MISSING] = "event-missing",
		[AP_C_INITRD] = "initrd",
		[AP_C_CAPPED] = "worker-restarted",
		[AP_C_RESTORED] = "restored",
		[AP_C_UNSEEN] = "unseen-reset",
		[AP_C_LATE] = "late-attached",
		[AP_C_LAUNCH_MISSING] = "launch-missing",
		[AP_C_LAUNCH_DIFFERS] = "launch-differs",
		[AP_C_PCR_RESET] = "pcr-reset" };

	if ((int)code < 0 || code >= AP_C_NCODES)
		return "unknown";
	return names[code];
}

const char *
ap_verdict_name(enum ap_verdict v)
{
	switch (v) {
	case AP_ACCEPTED:
		return "accepted";
	case AP_REFUSED:
		return "refused";
	default:
		return "undecided";
	}
}

static const char *
ap_severity_name(enum ap_severity s)
{
	switch (s) {
	case AP_NOTE:
		return "note";
	case AP_FAIL:
		return "fail";
	default:
		return "cannot";
	}
}

void
ap_report_free(struct ap_report *r)
{
	uint32_t i;

	if (r == NULL)
		return;
	if (r->shared > 0) {
		r->shared--;
		return;
	}
	for (i = 0; i < r->n; i++)
		free(r->findings[i].words);
	for (i = 0; i < r->nevents; i++)
		free(r->events[i].words);
	for (i = 0; i < r->ndiffs; i++) {
		free(r->diffs[i].was);
		free(r->diffs[i].now);
	}
	free(r->diffs);
	free(r->findings);
	free(r->events);
	free(r);
}

struct ap_report *
ap_report_share(struct ap_report *r)
{
	r->shared++;
	return r;
}

size_t
ap_report_bytes(const struct ap_report *r)
{
	size_t bytes = sizeof(*r) + r->n * sizeof(*r->findings) +
		       r->nevents * sizeof(*r->events) +
		       r->ndiffs * sizeof(*r->diffs);
	uint32_t i;

	for (i = 0; i < r->n; i++)
		bytes += strlen(r->findings[i].words) + 1;
	for (i = 0; i < r->nevents; i++)
		bytes += strlen(r->events[i].words) + 1;
	for (i = 0; i < r->ndiffs; i++) {
		const struct ap_diff *d = &r->diffs[i];

		bytes += d->was != NULL ? strlen(d->was) + 1 : 0;
		bytes += d->now != NULL ? strlen(d->now) + 1 : 0;
	}
	return bytes;
}

static json_t *
finding_json(const struct ap_finding *f)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "code", ap_code_name(f->code),
	    "severity", ap_severity_name(f->severity), "words", f->words);

	if (f->pcr >= 0)
		(void)json_object_set_new(o, "pcr", json_integer(f->pcr));
	if (f->index > 0)
		(void)json_object_set_new(o, "event", json_integer(f->index));
	if (f->alg != 0)
		(void)json_object_set_new(
		    o, "bank", json_string(digest_name(f->alg)));
	if (f->cause != NULL)
		(void)json_object_set_new(o, "cause", json_string(f->cause));
	return o;
}

static json_t *
diffs_json(const struct ap_report *r)
{
	json_t *list = json_array();
	struct explain e;
	uint32_t i;

	for (i = 0; i < r->ndiffs; i++) {
		e = ap_diff_explain(&r->diffs[i]);
		(void)json_array_append_new(list, explain_json(&e));
	}
	return list;
}

char *
ap_report_json(const struct ap_report *r)
{
	json_t *root, *findings = json_array(), *events = json_array();
	const struct ap_event *e;
	char *text = NULL;
	uint32_t i;

	for (i = 0; i < r->n; i++)
		(void)json_array_append_new(
		    findings, finding_json(&r->findings[i]));
	for (i = 0; i < r->nevents; i++) {
		e = &r->events[i];
		(void)json_array_append_new(events,
		    json_pack("{s:i, s:i, s:s, s:s, s:b}", "pcr", (int)e->pcr,
			"event", (int)e->pos, "what", e->words, "digest",
			e->hex, "known", (int)e->known));
	}
	root = json_pack("{s:s, s:o, s:o, s:I, s:o}", "verdict",
	    ap_verdict_name(r->verdict), "findings", findings, "differences",
	    diffs_json(r), "more_differences", (json_int_t)r->more_diffs,
	    "events", events);
	if (root != NULL)
		text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	return text;
}
