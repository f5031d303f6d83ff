/* SPDX-License-Identifier: BSD-3-Clause */
/* show_json.c - the parts of evidence as one JSON object; not verified. */
#include "tools/verify/show_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/util.h"
#include "measure/evidence/bundle.h"
#include "measure/log/journal.h"
#include "measure/log/journal_codec.h"
#include "measure/log/launch_record.h"
#include "measure/log/trail.h"
#include "measure/log/trail_describe.h"
#include "measure/tpm/quote.h"
#include "tools/common/file.h"
#include "tools/verify/input.h"

#define WORDS_MAX 512

static json_t *
hex_json(const uint8_t *p, size_t len)
{
	char hex[2 * DIGEST_MAX + 1];

	hex_encode(p, len, hex);
	return json_string(hex);
}

static json_t *
pcrs_json(const struct pcr_set *set)
{
	json_t *root = json_object(), *bank;
	char key[4];
	uint32_t b, i;

	for (b = 0; b < set->nbanks; b++) {
		bank = json_object();
		for (i = 0; i < PCR_COUNT; i++) {
			if ((set->banks[b].valid >> i & 1) == 0)
				continue;
			(void)snprintf(key, sizeof(key), "%u", i);
			(void)json_object_set_new(bank, key,
			    hex_json(set->banks[b].val[i], set->banks[b].len));
		}
		(void)json_object_set_new(
		    root, digest_name(set->banks[b].alg), bank);
	}
	return root;
}

static json_t *
info_json(const struct bundle_blob *b)
{
	char uuid[UUID_STRLEN + 1];
	struct bundle_info v;

	if (b->p == NULL || bundle_info_get(b->p, b->len, &v) != VT_OK)
		return json_null();
	uuid_format(v.uuid, uuid);
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:b, s:b, "
			 "s:s}",
	    "uuid", uuid, "group", (json_int_t)v.group, "generation",
	    (json_int_t)v.generation, "version", (json_int_t)v.version,
	    "power_cycles", (json_int_t)v.power_cycles, "worker_restarted",
	    (v.flags & BUNDLE_F_CAPPED) != 0, "restored",
	    (v.flags & BUNDLE_F_RESTORED) != 0, "launch_measured",
	    (v.flags & BUNDLE_F_LAUNCHED) != 0, "software_root",
	    (v.flags & BUNDLE_F_SOFT_ROOT) != 0, "unseen_reset",
	    (v.flags & BUNDLE_F_UNSEEN) != 0, "build", v.build);
}

static json_t *
quote_json(const struct bundle_blob *b)
{
	struct quote_attest q;
	char firmware[20];

	if (quote_attest_get(b->p, b->len, &q) != VT_OK)
		return json_null();
	(void)snprintf(firmware, sizeof(firmware), "%016llx",
	    (unsigned long long)q.firmware);
	return json_pack("{s:I, s:I, s:I, s:s}", "clock_ms",
	    (json_int_t)q.clock, "resets", (json_int_t)q.reset_count,
	    "restarts", (json_int_t)q.restart_count, "firmware", firmware);
}

static json_t *
launch_json(const struct bundle_blob *b)
{
	struct launch_record *rec = NULL;
	json_t *items = json_array(), *root, *it;
	uint32_t i, k;

	if (b->p == NULL || launch_decode(b->p, b->len, &rec) != VT_OK) {
		json_decref(items);
		return json_null();
	}
	for (i = 0; i < rec->nitems; i++) {
		const struct launch_item *li = &rec->items[i];

		it = json_pack("{s:s, s:s}", "role", launch_role_name(li->role),
		    "text", li->text);
		for (k = 0; k < li->ndigests; k++)
			(void)json_object_set_new(it,
			    digest_name(li->digests[k].alg),
			    hex_json(li->digests[k].val, li->digests[k].len));
		(void)json_array_append_new(items, it);
	}
	root = json_pack("{s:s, s:s, s:o, s:o}", "name", rec->name, "mode",
	    rec->mode == LAUNCH_M_DIRECT ? "direct" : "firmware", "config",
	    hex_json(rec->config_digest, SHA256_LEN), "items", items);
	launch_free(rec);
	return root;
}

static json_t *
journal_json(const struct journal *j)
{
	uint32_t flags;

	if (j == NULL)
		return json_null();
	flags = journal_flags(j);
	return json_pack("{s:I, s:I, s:b, s:b, s:b, s:b}", "power_cycle",
	    (json_int_t)journal_power_cycles(j), "records",
	    (json_int_t)journal_count(j), "capped", (flags & JF_CAPPED) != 0,
	    "restored", (flags & JF_RESTORED) != 0, "late",
	    (flags & JF_LATE) != 0, "full", (flags & JF_FULL) != 0);
}

static json_t *
events_json(const struct trail *t)
{
	json_t *list = json_array();
	char words[WORDS_MAX];
	uint32_t i;

	for (i = 0; t != NULL && i < t->n; i++) {
		const struct trail_event *ev = &t->ev[i];

		trail_describe(t, ev, words, sizeof(words));
		(void)json_array_append_new(list,
		    json_pack("{s:I, s:I, s:s, s:o, s:b, s:b}", "pcr",
			(json_int_t)ev->pcr, "event", (json_int_t)ev->pos,
			"what", words, "digest", hex_json(ev->val, t->len),
			"log", ev->log >= 0, "journal", ev->record >= 0));
	}
	return list;
}

/* The events of the first bank; *ret_why: why there are none, or "". */
static json_t *
bank_json(
    const struct bundle *ev, const struct journal *j, char why[TRAIL_ERR_MAX])
{
	const struct bundle_blob *b = ev->part;
	struct trail_in in = { .alg = ev->pcrs.banks[0].alg, .journal = j };
	struct trail *t = NULL;
	json_t *list;

	in.logs[0].p = b[BUNDLE_HOST_LOG].p;
	in.logs[0].len = b[BUNDLE_HOST_LOG].len;
	in.logs[1].p = b[BUNDLE_LOG].p;
	in.logs[1].len = b[BUNDLE_LOG].len;
	if (trail_make(&in, &t, why) == VT_OK)
		why[0] = '\0';
	list = events_json(t);
	trail_free(t);
	return list;
}

int
show_json(const char *path)
{
	char why[TRAIL_ERR_MAX], *text = NULL;
	struct journal *journal = NULL;
	const struct bundle_blob *b;
	struct bundle *ev = NULL;
	json_t *root, *events;
	int rc;

	if ((rc = input_evidence(path, &ev)) != VT_OK)
		return rc;
	b = ev->part;
	if (b[BUNDLE_JOURNAL].p != NULL &&
	    journal_decode(
		b[BUNDLE_JOURNAL].p, b[BUNDLE_JOURNAL].len, &journal) != VT_OK)
		journal = NULL;
	events = bank_json(ev, journal, why);
	root = json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:b, s:s, s:o, "
			 "s:s}",
	    "format", "vtpm-show", "verified", 0, "info",
	    info_json(&b[BUNDLE_INFO]), "quote", quote_json(&b[BUNDLE_QUOTE]),
	    "pcrs", pcrs_json(&ev->pcrs), "launch",
	    launch_json(&b[BUNDLE_LAUNCH]), "journal", journal_json(journal),
	    "deep", b[BUNDLE_DEEP].p != NULL, "bank",
	    digest_name(ev->pcrs.banks[0].alg), "events", events,
	    "events_error", why);
	text = root != NULL ? json_dumps(root, JSON_INDENT(1)) : NULL;
	if (text == NULL) {
		log_err("out of memory");
		rc = VT_E_NOMEM;
	} else
		rc = tool_write_line(NULL, text, 0);
	free(text);
	json_decref(root);
	journal_free(journal);
	bundle_free(ev);
	return rc;
}
