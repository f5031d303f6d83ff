/* SPDX-License-Identifier: BSD-3-Clause */
/* replay.c - replay an event log of any form, bank by bank. */
#include "measure/log/replay.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/util.h"
#include "measure/log/eventlog.h"
#include "measure/log/trail.h"
#include "measure/log/trail_describe.h"

/* gcc's analyzer loses sight of a text that an element of an array owns. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

#define WORDS_MAX (IMA_MAX_FILE + 256)

/* A replay under way. */
struct job {
	struct replay *r;
	uint32_t room;
	uint32_t pos[PCR_COUNT];
	struct pcr_set set; /* all PCRs, from their reset values on */
	char *err;
};

static int
fail(struct job *j, int rc, const char *what, size_t len)
{
	(void)snprintf(
	    j->err, REPLAY_ERR_MAX, "%s %s", what, vt_input_error(rc, len));
	return rc;
}

/* A place for one more event; NULL: no memory. */
static struct replay_event *
add(struct job *j, uint32_t pcr, const char *words)
{
	uint32_t room = j->room == 0 ? 64 : 2 * j->room;
	struct replay_event *e;

	if (j->r->n == j->room) {
		e = realloc(j->r->ev, room * sizeof(*e));
		if (e == NULL)
			return NULL;
		j->r->ev = e;
		j->room = room;
	}
	e = &j->r->ev[j->r->n];
	memset(e, 0, sizeof(*e));
	if ((e->words = strdup(words)) == NULL)
		return NULL;
	e->pcr = pcr;
	e->pos = ++j->pos[pcr];
	j->r->n++;
	return e;
}

/* Extend by an event's digests, and remember which PCRs have a value. */
static int
extend(struct job *j, struct replay_event *e)
{
	uint32_t b;
	int rc;

	for (b = 0; b < j->set.nbanks; b++) {
		if (e->digests[b].len == 0)
			continue;
		rc = pcr_extend(&j->set, e->pcr, &e->digests[b], 1);
		if (rc != VT_OK)
			return rc;
		j->r->pcrs.banks[b].valid |= 1u << e->pcr;
	}
	return VT_OK;
}

static int
start(struct job *j, const uint16_t *algs, uint32_t n)
{
	int rc = pcr_set_init(&j->set, algs, n);

	if (rc == VT_OK)
		rc = pcr_set_init(&j->r->pcrs, algs, n);
	if (rc == VT_OK)
		pcr_set_reset(&j->set, 0);
	return rc;
}

/* The values of PCRs that are valid. */
static void
finish(struct job *j)
{
	uint32_t b, i;

	for (b = 0; b < j->set.nbanks; b++)
		for (i = 0; i < PCR_COUNT; i++)
			if (j->r->pcrs.banks[b].valid >> i & 1)
				memcpy(j->r->pcrs.banks[b].val[i],
				    j->set.banks[b].val[i],
				    j->set.banks[b].len);
}

/* --- TCG ---------------------------------------------------------------------
 */

/* The log's banks that can be computed. */
static uint32_t
tcg_banks(const struct el_spec *spec, uint16_t *algs, uint32_t *ret_unknown)
{
	uint32_t i, n = 0;

	for (i = 0; i < spec->nbanks; i++)
		if (digest_len(spec->algs[i]) != 0 && n < PCR_MAX_BANKS)
			algs[n++] = spec->algs[i];
	*ret_unknown = spec->nbanks - n;
	return n;
}

/* The events of one bank: the first brings the descriptions. */
static int
tcg_bank(struct job *j, uint32_t b, const struct trail *t)
{
	struct pcr_bank *bank = &j->set.banks[b];
	char words[WORDS_MAX];
	struct replay_event *e;
	uint32_t i;

	for (i = 0; i < PCR_COUNT; i++)
		memcpy(bank->val[i], t->start[i], bank->len);
	for (i = 0; i < t->n; i++) {
		const struct trail_event *ev = &t->ev[i];

		trail_describe(t, ev, words, sizeof(words));
		e = b == 0 ? add(j, ev->pcr, words) : &j->r->ev[i];
		if (e == NULL)
			return VT_E_NOMEM;
		e->type = ev->type;
		e->lies |= trail_fit(t, ev) == TF_LIE;
		e->digests[b].alg = t->alg;
		e->digests[b].len = t->len;
		memcpy(e->digests[b].val, ev->val, t->len);
	}
	return VT_OK;
}

static int
tcg(struct job *j, const uint8_t *buf, size_t len)
{
	struct trail_in in = { .logs[1] = { buf, len } };
	uint16_t algs[PCR_MAX_BANKS] = { 0 };
	struct el_log *log = NULL;
	uint32_t n, b, i;
	struct trail *t;
	int rc;

	if ((rc = el_open(buf, len, &log)) != VT_OK)
		return fail(j, rc, "the event log", len);
	j->r->form = el_spec(log)->agile ? "tcg" : "tcg-sha1";
	n = tcg_banks(el_spec(log), algs, &j->r->unknown);
	el_close(log);
	if (n == 0)
		return fail(j, VT_E_UNSUPPORTED, "the event log", len);
	rc = start(j, algs, n);
	for (b = 0; b < n && rc == VT_OK; b++) {
		in.alg = algs[b];
		if ((rc = trail_make(&in, &t, j->err)) != VT_OK)
			return rc;
		rc = tcg_bank(j, b, t);
		trail_free(t);
	}
	for (i = 0; i < j->r->n && rc == VT_OK; i++)
		rc = extend(j, &j->r->ev[i]);
	return rc;
}

/* --- CEL ---------------------------------------------------------------------
 */

/* All algorithms that occur, in order of their first use. */
static uint32_t
cel_banks(const struct cel_log *log, uint16_t algs[PCR_MAX_BANKS])
{
	uint32_t i, k, b, n = 0;

	for (i = 0; i < log->n; i++)
		for (k = 0; k < log->ev[i].ndigests; k++) {
			for (b = 0; b < n; b++)
				if (algs[b] == log->ev[i].digests[k].alg)
					break;
			if (b == n && n < PCR_MAX_BANKS)
				algs[n++] = log->ev[i].digests[k].alg;
		}
	return n;
}

static int
cel_event(struct job *j, const struct cel_event *ev)
{
	struct replay_event *e;
	uint32_t b, k;

	if (ev->nv)
		return VT_OK;
	if ((e = add(j, ev->pcr, ev->words)) == NULL)
		return VT_E_NOMEM;
	for (b = 0; b < j->set.nbanks; b++)
		for (k = 0; k < ev->ndigests; k++)
			if (ev->digests[k].alg == j->set.banks[b].alg)
				e->digests[b] = ev->digests[k];
	return extend(j, e);
}

static int
cel(struct job *j, const uint8_t *buf, size_t len)
{
	uint16_t algs[PCR_MAX_BANKS] = { 0 };
	struct cel_log *log = NULL;
	uint32_t i, n;
	int rc;

	j->r->form = "cel-json";
	if ((rc = cel_parse(buf, len, &log, j->err)) != VT_OK)
		return rc;
	if ((n = cel_banks(log, algs)) == 0)
		rc = fail(j, VT_E_UNSUPPORTED, "the event log", len);
	else
		rc = start(j, algs, n);
	for (i = 0; i < log->n && rc == VT_OK; i++)
		rc = cel_event(j, &log->ev[i]);
	cel_free(log);
	return rc;
}

/* --- predictions of vtpm-measure ---------------------------------------------
 */

#define PREDICTED_PCRS 0xffffu

/* NULL: it is something else. */
static json_t *
load_prediction(const uint8_t *buf, size_t len)
{
	json_t *root =
	    json_loadb((const char *)buf, len, JSON_REJECT_DUPLICATES, NULL);
	const char *s = json_string_value(json_object_get(root, "format"));

	if (s != NULL && strcmp(s, REPLAY_PREDICTION) == 0)
		return root;
	json_decref(root);
	return NULL;
}

/* The banks of the first event; each event has all of them. */
static uint32_t
prediction_banks(const json_t *events, uint16_t algs[PCR_MAX_BANKS])
{
	json_t *digests = json_object_get(json_array_get(events, 0), "digests");
	uint32_t n = 0;
	const char *name;
	json_t *v;

	json_object_foreach(digests, name, v)
	{
		if (digest_alg(name) != 0 && n < PCR_MAX_BANKS)
			algs[n++] = digest_alg(name);
	}
	return n;
}

static int
prediction_event(struct job *j, const json_t *o)
{
	const json_t *digests = json_object_get(o, "digests"), *d;
	const char *words = json_string_value(json_object_get(o, "event"));
	json_int_t pcr = json_integer_value(json_object_get(o, "pcr"));
	struct replay_event *e;
	size_t len;
	uint32_t b;
	char *p;

	if (words == NULL || strlen(words) >= WORDS_MAX || pcr < 0 ||
	    pcr >= PCR_COUNT || !json_is_integer(json_object_get(o, "pcr")))
		return VT_E_FORMAT;
	if ((e = add(j, (uint32_t)pcr, words)) == NULL)
		return VT_E_NOMEM;
	for (p = e->words; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	for (b = 0; b < j->set.nbanks; b++) {
		d = json_object_get(digests, digest_name(j->set.banks[b].alg));
		e->digests[b].alg = j->set.banks[b].alg;
		e->digests[b].len = j->set.banks[b].len;
		if (json_string_length(d) != 2u * e->digests[b].len ||
		    hex_decode(json_string_value(d), e->digests[b].val,
			e->digests[b].len, &len) != VT_OK)
			return VT_E_FORMAT;
	}
	return extend(j, e);
}

static int
prediction(struct job *j, const json_t *root, size_t len)
{
	const json_t *events = json_object_get(root, "events");
	const json_t *why = json_object_get(root, "unpredictable");
	uint16_t algs[PCR_MAX_BANKS] = { 0 };
	uint32_t n = prediction_banks(events, algs);
	char key[24];
	size_t i;
	int rc;

	j->r->form = REPLAY_PREDICTION;
	j->r->silent = ~PREDICTED_PCRS;
	for (i = 0; i < PCR_COUNT; i++) {
		(void)snprintf(key, sizeof(key), "%zu", i);
		if (json_object_get(why, key) != NULL)
			j->r->silent |= 1u << i;
	}
	rc = n > 0 ? start(j, algs, n) : VT_E_FORMAT;
	for (i = 0; i < json_array_size(events) && rc == VT_OK; i++)
		rc = prediction_event(j, json_array_get(events, i));
	return rc == VT_OK ? VT_OK : fail(j, rc, "the prediction", len);
}

/* --- IMA ---------------------------------------------------------------------
 */

static void
ima_words(const struct ima_event *ev, char *out, size_t cap)
{
	char *p;

	(void)snprintf(out, cap, "%s \"%s\" %s:%.16s...%s%s",
	    strcmp(ev->file, "boot_aggregate") == 0 ? "digest of PCRs" : "file",
	    ev->file, ev->alg, ev->digest,
	    ev->sig_len > 0 ? ", with a signature" : "",
	    ev->violation ? ", changed while it was measured" : "");
	for (p = out; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

static int
ima_event(struct job *j, const struct ima_event *ev)
{
	char words[WORDS_MAX];
	struct replay_event *e;
	uint32_t b;
	int rc;

	ima_words(ev, words, sizeof(words));
	if ((e = add(j, ev->pcr, words)) == NULL)
		return VT_E_NOMEM;
	e->lies = !ev->fits;
	for (b = 0; b < j->set.nbanks; b++) {
		e->digests[b].alg = j->set.banks[b].alg;
		e->digests[b].len = j->set.banks[b].len;
		rc = ima_digest(ev, j->set.banks[b].alg, e->digests[b].val);
		if (rc != VT_OK)
			return rc;
	}
	return extend(j, e);
}

static int
ima(struct job *j, const uint8_t *buf, size_t len)
{
	static const uint16_t algs[] = { ALG_SHA1, ALG_SHA256, ALG_SHA384,
		ALG_SHA512 };
	struct ima_log log;
	struct ima_event ev;
	int rc;

	j->r->form = "ima";
	if ((rc = ima_open(buf, len, &log)) == VT_OK)
		rc = start(j, algs, VT_NELEM(algs));
	while (rc == VT_OK && (rc = ima_next(&log, &ev)) == 1)
		rc = ima_event(j, &ev);
	return rc == VT_OK ? VT_OK : fail(j, rc, "the measurement list", len);
}

/* --- all ---------------------------------------------------------------------
 */

int
replay_make(const uint8_t *buf, size_t len, struct replay **ret,
    char err[REPLAY_ERR_MAX])
{
	struct job j = { .err = err };
	json_t *root;
	int rc;

	(void)snprintf(err, REPLAY_ERR_MAX, "out of memory");
	if ((j.r = calloc(1, sizeof(*j.r))) == NULL)
		return VT_E_NOMEM;
	if (!cel_is_json(buf, len))
		root = NULL;
	else
		root = load_prediction(buf, len);
	if (root != NULL)
		rc = prediction(&j, root, len);
	else if (cel_is_json(buf, len))
		rc = cel(&j, buf, len);
	else if (ima_is_list(buf, len))
		rc = ima(&j, buf, len);
	else
		rc = tcg(&j, buf, len);
	json_decref(root);
	if (rc != VT_OK) {
		replay_free(j.r);
		return rc;
	}
	finish(&j);
	*ret = j.r;
	return VT_OK;
}

void
replay_free(struct replay *r)
{
	uint32_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->n; i++)
		free(r->ev[i].words);
	free(r->ev);
	free(r);
}

/* --- JSON --------------------------------------------------------------------
 */

static json_t *
json_pcrs(const struct pcr_bank *b)
{
	char hex[2 * DIGEST_MAX + 1], key[4];
	json_t *o = json_object();
	uint32_t i;

	for (i = 0; i < PCR_COUNT; i++) {
		if ((b->valid >> i & 1) == 0)
			continue;
		hex_encode(b->val[i], b->len, hex);
		(void)snprintf(key, sizeof(key), "%u", i);
		(void)json_object_set_new(o, key, json_string(hex));
	}
	return o;
}

static json_t *
json_event(const struct replay_event *e)
{
	char hex[2 * DIGEST_MAX + 1];
	json_t *d = json_object();
	uint32_t b;

	for (b = 0; b < PCR_MAX_BANKS; b++) {
		if (e->digests[b].len == 0)
			continue;
		hex_encode(e->digests[b].val, e->digests[b].len, hex);
		(void)json_object_set_new(
		    d, digest_name(e->digests[b].alg), json_string(hex));
	}
	return json_pack("{s:I, s:I, s:I, s:s, s:b, s:o}", "pcr",
	    (json_int_t)e->pcr, "event", (json_int_t)e->pos, "type",
	    (json_int_t)e->type, "what", e->words, "lies", (int)e->lies,
	    "digests", d);
}

char *
replay_json(const struct replay *r)
{
	json_t *banks = json_object(), *events = json_array(), *root;
	char *text = NULL;
	uint32_t i;

	for (i = 0; i < r->pcrs.nbanks; i++)
		(void)json_object_set_new(banks,
		    digest_name(r->pcrs.banks[i].alg),
		    json_pcrs(&r->pcrs.banks[i]));
	for (i = 0; i < r->n; i++)
		(void)json_array_append_new(events, json_event(&r->ev[i]));
	root = json_pack("{s:s, s:s, s:o, s:I, s:o}", "format", "vtpm-replay",
	    "log", r->form, "pcrs", banks, "unknown_banks",
	    (json_int_t)r->unknown, "events", events);
	if (root != NULL)
		text = json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	return text;
}
