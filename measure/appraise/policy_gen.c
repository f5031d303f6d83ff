/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy_gen.c - make a policy from one boot that is known to be good.
 */
#include "measure/appraise/policy_gen.h"

#include <jansson.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "measure/appraise/appraise.h"
#include "measure/appraise/appraise_report.h"
#include "measure/appraise/policy.h"
#include "measure/log/eventlog.h"
#include "measure/log/journal.h"
#include "measure/log/journal_codec.h"
#include "measure/log/launch_record.h"
#include "measure/log/trail.h"
#include "measure/log/trail_describe.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"

#define WORDS 1024

struct gen {
	const struct policy_gen *in;
	struct trail *t;
	struct launch_record *launch; /* or NULL */
	struct pcr_set pcrs;          /* in->pcrs, or what the trail gives */
	json_t *initrds;
	char *err;
};

static int VT_PRINTF(3, 4) refuse(char *err, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err, POLICY_ERR_MAX, fmt, ap);
	va_end(ap);
	return rc;
}

static json_t *
digest_json(const uint8_t *val, size_t len, const char *what)
{
	char hex[2 * DIGEST_MAX + 1];

	hex_encode(val, len, hex);
	return json_pack("{s:s, s:s}", "digest", hex, "what", what);
}

/* --- what must occur ------------------------------------------------------ */

static bool
text_occurs(const struct trail *t, const struct policy_need *n)
{
	const struct trail_event *ev;
	uint32_t i;

	for (i = 0; i < t->n; i++) {
		ev = &t->ev[i];
		if (ev->pcr == n->pcr && trail_fit(t, ev) == TF_PART &&
		    memmem(ev->data, ev->datalen, n->data, n->len) != NULL)
			return true;
	}
	return false;
}

static int
check_need(struct gen *g, const struct policy_need *n)
{
	uint8_t d[DIGEST_MAX];
	uint32_t i;
	int rc;

	if ((rc = digest_buf(g->t->alg, n->data, n->len, d)) != VT_OK)
		return refuse(g->err, rc, "%s", vt_strerror(rc));
	for (i = 0; i < g->t->n; i++)
		if (g->t->ev[i].pcr == n->pcr &&
		    memcmp(g->t->ev[i].val, d, g->t->len) == 0)
			break;
	if (i == g->t->n && (n->pcr != 8 || !text_occurs(g->t, n)))
		return refuse(g->err, VT_E_NOTFOUND,
		    "the %s that was given does not occur in PCR %u of this "
		    "boot: it is another one, or this boot path does not "
		    "measure it",
		    n->what, n->pcr);
	if (n->initrd)
		(void)json_array_append_new(
		    g->initrds, digest_json(d, g->t->len, n->what));
	return VT_OK;
}

/* --- which events are initrds --------------------------------------------- */

/* One of the words of a GRUB initrd command is this file's name. */
static bool
command_names(const struct trail_event *cmd, const struct trail_event *file)
{
	static const char prefix[] = "grub_cmd: initrd";
	size_t plen = sizeof(prefix) - 1, len = file->datalen, i;
	const uint8_t *p = cmd->data;

	if (cmd->pcr != 8 || cmd->type != EV_IPL || cmd->datalen <= plen ||
	    memcmp(p, prefix, plen) != 0)
		return false;
	if (len > 0 && file->data[len - 1] == '\0')
		len--;
	for (i = plen; len > 0 && i + len < cmd->datalen; i++)
		if (p[i] == ' ' && memcmp(p + i + 1, file->data, len) == 0 &&
		    (i + 1 + len == cmd->datalen || p[i + 1 + len] == ' ' ||
			p[i + 1 + len] == '\0'))
			return true;
	return false;
}

static bool
is_launch_initrd(const struct gen *g, const struct trail_event *ev)
{
	const struct launch_item *it = NULL;
	uint32_t i;

	while (g->launch != NULL &&
	       (it = launch_find(g->launch, LR_INITRD, it)) != NULL)
		for (i = 0; i < it->ndigests; i++)
			if (it->digests[i].alg == g->t->alg &&
			    memcmp(it->digests[i].val, ev->val, g->t->len) == 0)
				return true;
	return false;
}

static bool
is_initrd(const struct gen *g, uint32_t at)
{
	static const uint8_t tag[4] = { 0xec, 0x22, 0x3b, 0x8f };
	const struct trail_event *ev = &g->t->ev[at];
	uint32_t i;

	if (ev->pcr != 9)
		return false;
	if (is_launch_initrd(g, ev))
		return true;
	if (ev->type == EV_EVENT_TAG && ev->datalen >= 4 &&
	    memcmp(ev->data, tag, 4) == 0)
		return true;
	for (i = 0; i < at && ev->type == EV_IPL; i++)
		if (command_names(&g->t->ev[i], ev))
			return true;
	return false;
}

static int
find_initrds(struct gen *g)
{
	char words[WORDS];
	uint32_t i;

	for (i = 0; i < g->t->n; i++) {
		if (!is_initrd(g, i))
			continue;
		trail_describe(g->t, &g->t->ev[i], words, sizeof(words));
		(void)json_array_append_new(
		    g->initrds, digest_json(g->t->ev[i].val, g->t->len, words));
	}
	if (json_array_size(g->initrds) > 0 || g->in->no_initrd_reason != NULL)
		return VT_OK;
	return refuse(g->err, VT_E_POLICY,
	    "no initrd was measured in this boot (chainloader and initrd= "
	    "leave it out), so an attacker could replace it; boot it through "
	    "linuxefi/initrdefi or directly, or give a reason to accept that");
}

/* --- one PCR -------------------------------------------------------------- */

static json_t *
events_json(struct gen *g, uint32_t pcr)
{
	json_t *list = json_array();
	char words[WORDS];
	uint32_t i;

	for (i = 0; i < g->t->n; i++) {
		if (g->t->ev[i].pcr != pcr)
			continue;
		trail_describe(g->t, &g->t->ev[i], words, sizeof(words));
		(void)json_array_append_new(
		    list, digest_json(g->t->ev[i].val, g->t->len, words));
	}
	return json_pack("{s:o}", "events", list);
}

static json_t *
value_json(struct gen *g, const uint8_t *val)
{
	return json_pack("{s:[o]}", "values",
	    digest_json(val, g->t->len, "value of the reference boot"));
}

static const char *
ignore_reason(uint32_t pcr)
{
	switch (pcr) {
	case 10:
		return "IMA keeps its own list of what it measures";
	case 16:
		return "debug PCR, resettable by the guest";
	case 23:
		return "application PCR, resettable by the guest";
	default:
		return NULL;
	}
}

/* NULL: the policy leaves this PCR out. */
static json_t *
pcr_json(struct gen *g, uint32_t pcr)
{
	const uint8_t *val = pcr_get(&g->pcrs, g->t->alg, pcr);
	const char *reason = ignore_reason(pcr);
	bool has_events = false;
	uint32_t i;

	if (reason != NULL)
		return json_pack("{s:s}", "ignore", reason);
	if (pcr == PCR_DRTM && g->launch != NULL)
		return json_pack("{s:b}", "launch", 1);
	for (i = 0; i < g->t->n; i++)
		has_events = has_events || g->t->ev[i].pcr == pcr;
	if (val == NULL && pcr <= 15 && !has_events)
		return json_pack(
		    "{s:s}", "ignore", "not quoted when this policy was made");
	if (has_events && (g->t->chained >> pcr & 1) == 0 &&
	    (g->t->reset_mask >> pcr & 1) == 0 &&
	    (g->in->values_mask >> pcr & 1) == 0)
		return events_json(g, pcr);
	if (val == NULL || pcr_is_extreme(val, g->t->len))
		return NULL;
	return value_json(g, val);
}

/* --- whole ---------------------------------------------------------------- */

/* The machine's text goes with its digest, so that a verdict can name what
 * differs.  Only the whole text: a record may hold but its beginning. */
static json_t *
launch_json(const struct gen *g)
{
	const struct launch_item *it = launch_find(g->launch, LR_CONFIG, NULL);
	uint8_t d[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	hex_encode(g->launch->config_digest, SHA256_LEN, hex);
	if (it != NULL &&
	    digest_buf(ALG_SHA256, it->text, strlen(it->text), d) == VT_OK &&
	    memcmp(d, g->launch->config_digest, sizeof(d)) == 0)
		return json_pack("{s:[{s:s,s:s}]}", "configs", "digest", hex,
		    "what", it->text);
	return json_pack("{s:[s]}", "configs", hex);
}

static json_t *
allow_json(const struct gen *g)
{
	json_t *o = json_object();

	if (g->t->alg == ALG_SHA1 && g->in->sha1_reason != NULL)
		(void)json_object_set_new(
		    o, "sha1", json_string(g->in->sha1_reason));
	if (json_array_size(g->initrds) == 0)
		(void)json_object_set_new(o, "unmeasured-initrd",
		    json_string(g->in->no_initrd_reason));
	return o;
}

static json_t *
policy_json(struct gen *g)
{
	json_t *root, *pcrs = json_object(), *rule;
	uint32_t pcr;
	char key[4];

	for (pcr = 0; pcr < PCR_COUNT; pcr++) {
		if ((rule = pcr_json(g, pcr)) == NULL)
			continue;
		(void)snprintf(key, sizeof(key), "%u", pcr);
		(void)json_object_set_new(pcrs, key, rule);
	}
	root = json_pack("{s:s, s:s, s:{s:b, s:b, s:b}}", "format",
	    "vtpm-policy 1", "name",
	    g->in->name != NULL ? g->in->name : "reference boot", "require",
	    "log", g->in->logs[1].p != NULL, "journal", g->in->journal != NULL,
	    "launch", g->launch != NULL);
	(void)json_object_set_new(root, "allow", allow_json(g));
	if (g->in->allow_software_root)
		(void)json_object_set_new(
		    root, "allow_software_root", json_true());
	if (g->launch != NULL)
		(void)json_object_set_new(root, "launch", launch_json(g));
	if (json_array_size(g->initrds) > 0)
		(void)json_object_set(root, "initrd", g->initrds);
	(void)json_object_set_new(
	    root, "banks", json_pack("{s:o}", digest_name(g->t->alg), pcrs));
	return root;
}

static int
set_pcrs(struct gen *g)
{
	uint8_t val[DIGEST_MAX];
	struct pcr_set chained;
	const uint8_t *v;
	uint32_t n;
	int rc;

	if (g->in->pcrs != NULL) {
		g->pcrs = *g->in->pcrs;
		return VT_OK;
	}
	if ((rc = pcr_set_init(&g->pcrs, &g->t->alg, 1)) != VT_OK)
		return rc;
	if (g->in->journal != NULL &&
	    (rc = journal_replay(g->in->journal, &chained)) != VT_OK)
		return rc;
	for (n = 0; n < PCR_COUNT; n++) {
		if (trail_value(g->t, n, val))
			v = val;
		else if ((v = pcr_get(&chained, g->t->alg, n)) == NULL)
			continue;
		if ((rc = pcr_put(&g->pcrs, g->t->alg, n, v)) != VT_OK)
			return rc;
	}
	return VT_OK;
}

/* A policy that does not accept the boot that it was made from is a trap. */
static int
self_check(struct gen *g, const struct policy *p)
{
	struct ap_in in = { .policy = p,
		.pcrs = &g->pcrs,
		.record = g->in->record,
		.record_len = g->in->record_len };
	struct ap_report *rep;
	struct wr w;
	int rc, i;

	for (i = 0; i < 2; i++) {
		in.logs[i].p = g->in->logs[i].p;
		in.logs[i].len = g->in->logs[i].len;
	}
	wr_grow(&w, JOURNAL_MAX_LEN);
	if (g->in->journal != NULL) {
		journal_encode(g->in->journal, &w);
		in.journal = w.buf;
		in.journal_len = w.len;
	}
	rc = wr_err(&w);
	if (rc == VT_OK)
		rc = appraise(&in, &rep);
	wr_free(&w);
	if (rc != VT_OK)
		return refuse(g->err, rc, "%s", vt_strerror(rc));
	if (rep->verdict != AP_ACCEPTED)
		rc = refuse(g->err, VT_E_POLICY,
		    "this boot is no reference: %.270s",
		    rep->findings[0].words);
	ap_report_free(rep);
	return rc;
}

static int
finish(struct gen *g, char **ret_json)
{
	json_t *root = policy_json(g);
	struct policy *p = NULL;
	char *text = NULL;
	int rc;

	if (root != NULL)
		text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	if (text == NULL)
		return refuse(g->err, VT_E_NOMEM, "out of memory");
	rc = policy_parse(text, strlen(text), &p, g->err);
	if (rc == VT_OK)
		rc = self_check(g, p);
	policy_free(p);
	if (rc != VT_OK)
		free(text);
	else
		*ret_json = text;
	return rc;
}

static int
open_inputs(struct gen *g)
{
	const struct policy_gen *in = g->in;
	struct trail_in ti = { .alg = in->alg != 0 ? in->alg : ALG_SHA256,
		.journal = in->journal };
	char why[TRAIL_ERR_MAX];
	int rc, i;

	for (i = 0; i < 2; i++) {
		ti.logs[i].p = in->logs[i].p;
		ti.logs[i].len = in->logs[i].len;
	}
	if ((rc = trail_make(&ti, &g->t, why)) != VT_OK)
		return refuse(g->err, rc, "%s", why);
	if (in->record != NULL && (rc = launch_decode(in->record,
				       in->record_len, &g->launch)) != VT_OK)
		return refuse(g->err, rc, "the launch record %s",
		    vt_input_error(rc, in->record_len));
	if ((rc = set_pcrs(g)) != VT_OK)
		return refuse(g->err, rc, "%s", vt_strerror(rc));
	return VT_OK;
}

int
policy_generate(
    const struct policy_gen *in, char **ret_json, char err[POLICY_ERR_MAX])
{
	struct gen g = { .in = in, .err = err, .initrds = json_array() };
	size_t i;
	int rc;

	err[0] = '\0';
	if (g.initrds == NULL)
		return refuse(err, VT_E_NOMEM, "out of memory");
	rc = open_inputs(&g);
	for (i = 0; rc == VT_OK && i < in->nneeds; i++)
		rc = check_need(&g, &in->needs[i]);
	if (rc == VT_OK)
		rc = find_initrds(&g);
	if (rc == VT_OK)
		rc = finish(&g, ret_json);
	json_decref(g.initrds);
	launch_free(g.launch);
	trail_free(g.t);
	return rc;
}

int
policy_accepts(const struct policy_gen *in, const struct policy *p,
    char err[POLICY_ERR_MAX])
{
	struct gen g = { .in = in, .err = err };
	int rc;

	err[0] = '\0';
	if ((rc = open_inputs(&g)) == VT_OK)
		rc = self_check(&g, p);
	launch_free(g.launch);
	trail_free(g.t);
	return rc;
}
