/* SPDX-License-Identifier: BSD-3-Clause */
/* report.c - add a check to a report, and print it as JSON. */
#include "measure/evidence/report.h"

#include <jansson.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check_on.h"
#include "base/util.h"
#include "measure/appraise/appraise_report.h"

void
report_say(struct report *rep, const char *id, enum report_outcome o,
    const char *fmt, ...)
{
	struct report_check *c;
	va_list ap;
	char *p;

	if (o >= REPORT_CANNOT && !check_on(id))
		o = REPORT_PASS;
	if (rep->n == REPORT_MAX_CHECKS) { /* never lose a refusal */
		c = &rep->checks[REPORT_MAX_CHECKS - 1];
		if (o > c->outcome)
			c->outcome = o;
		return;
	}
	c = &rep->checks[rep->n++];
	c->id = id;
	c->outcome = o;
	va_start(ap, fmt);
	(void)vsnprintf(c->words, sizeof(c->words), fmt, ap);
	va_end(ap);
	/* Names come from certificates and logs: nothing that a terminal or
	 * JSON would take for more than text. */
	for (p = c->words; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
}

enum ap_verdict
report_verdict(const struct report *rep)
{
	enum ap_verdict v = AP_ACCEPTED;
	uint32_t i;

	for (i = 0; i < rep->n; i++) {
		if (rep->checks[i].outcome == REPORT_FAIL)
			return AP_REFUSED;
		if (rep->checks[i].outcome == REPORT_CANNOT)
			v = AP_UNDECIDED;
	}
	return v;
}

void
report_free(struct report *r)
{
	if (r == NULL)
		return;
	ap_report_free(r->appraisal);
	free(r);
}

const char *
report_outcome_name(enum report_outcome o)
{
	static const char *const names[] = { [REPORT_PASS] = "pass",
		[REPORT_NOTE] = "note",
		[REPORT_CANNOT] = "cannot decide",
		[REPORT_FAIL] = "fail" };

	return (size_t)o < VT_NELEM(names) ? names[o] : "?";
}

static json_t *
json_checks(const struct report *r)
{
	json_t *arr = json_array();
	uint32_t i;

	for (i = 0; arr != NULL && i < r->n; i++)
		if (json_array_append_new(
			arr, json_pack("{s:s, s:s, s:s}", "check",
				 r->checks[i].id, "outcome",
				 report_outcome_name(r->checks[i].outcome),
				 "words", r->checks[i].words)) != 0) {
			json_decref(arr);
			return NULL;
		}
	return arr;
}

static json_t *
json_instance(const struct report *r)
{
	char uuid[UUID_STRLEN + 1];

	if (!r->have_instance)
		return json_null();
	uuid_format(r->instance.uuid, uuid);
	return json_pack("{s:s, s:I, s:I, s:b}", "uuid", uuid, "group",
	    (json_int_t)r->instance.group, "generation",
	    (json_int_t)r->instance.generation, "virtual",
	    r->instance.is_virtual);
}

char *
report_json(const struct report *r)
{
	json_t *root, *boot = NULL;
	char *text, *ap = NULL;

	if (r->appraisal != NULL && (ap = ap_report_json(r->appraisal)) != NULL)
		boot = json_loads(ap, 0, NULL);
	free(ap);
	root = json_pack("{s:s, s:s, s:o, s:s?, s:b, s:b, s:o, s:o}", "format",
	    "vtpm-verdict", "verdict", ap_verdict_name(r->verdict), "instance",
	    json_instance(r), "root",
	    r->root != 0 ? cert_ext_root_name(r->root) : NULL,
	    "worker_restarted", r->worker_restarted, "restored", r->restored,
	    "checks", json_checks(r), "boot",
	    boot != NULL ? boot : json_null());
	text = root != NULL ? json_dumps(root, JSON_INDENT(1)) : NULL;
	json_decref(root);
	return text;
}
