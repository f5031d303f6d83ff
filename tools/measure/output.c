/* SPDX-License-Identifier: BSD-3-Clause */
/* output.c - prints a prediction, and writes it for other programs. */
#include "tools/measure/output.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json_hex.h"
#include "base/log.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "measure/tpm/pcr_file.h"
#include "tools/common/file.h"
#include "tools/common/json.h"

static void
print_events(const struct replay *r)
{
	char hex[2 * DIGEST_MAX + 1];
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		const struct replay_event *e = &r->ev[i];

		hex_encode(e->digests[0].val, e->digests[0].len, hex);
		(void)printf("PCR %-2u %3u  %.16s..  %s\n", e->pcr, e->pos, hex,
		    e->words);
	}
}

static void
print_pcr(const struct prediction *p, const struct pcr_bank *bank, uint32_t i)
{
	char hex[2 * DIGEST_MAX + 1];

	if ((bank->valid >> i & 1) == 0) {
		(void)printf("%s PCR %-2u unpredictable: %s\n",
		    digest_name(bank->alg), i, p->why[i]);
		return;
	}
	hex_encode(bank->val[i], bank->len, hex);
	(void)printf("%s PCR %-2u %s%s\n", digest_name(bank->alg), i, hex,
	    (p->learnt >> i & 1) != 0 ? "  (partly learnt)" : "");
}

void
output_table(const struct prediction *p, const struct replay *r, bool events)
{
	uint32_t b, i;

	if (events)
		print_events(r);
	for (b = 0; b < r->pcrs.nbanks; b++)
		for (i = 0; i < 16; i++)
			print_pcr(p, &r->pcrs.banks[b], i);
	for (i = 0; i < p->nnotes; i++)
		(void)printf("note: %s\n", p->notes[i]);
}

static json_t *
json_values(const struct pcr_bank *bank)
{
	json_t *o = json_object();
	char number[12];
	uint32_t i;

	for (i = 0; i < 16; i++) {
		if ((bank->valid >> i & 1) == 0)
			continue;
		(void)snprintf(number, sizeof(number), "%u", i);
		(void)json_object_set_new(
		    o, number, json_hex(bank->val[i], bank->len));
	}
	return o;
}

static json_t *
json_events(const struct replay *r)
{
	json_t *list = json_array(), *o;
	uint32_t i, b;

	for (i = 0; i < r->n; i++) {
		const struct replay_event *e = &r->ev[i];
		json_t *d = json_object();

		for (b = 0; b < r->pcrs.nbanks; b++)
			(void)json_object_set_new(d,
			    digest_name(r->pcrs.banks[b].alg),
			    json_hex(e->digests[b].val, e->digests[b].len));
		o = json_pack("{s:i, s:o, s:s}", "pcr", (int)e->pcr, "digests",
		    d, "event", e->words);
		(void)json_array_append_new(list, o);
	}
	return list;
}

int
output_json(const struct prediction *p, const struct replay *r)
{
	json_t *pcrs = json_object(), *why = json_object();
	json_t *learnt = json_array(), *notes = json_array();
	char number[12];
	uint32_t i;

	for (i = 0; i < r->pcrs.nbanks; i++)
		(void)json_object_set_new(pcrs,
		    digest_name(r->pcrs.banks[i].alg),
		    json_values(&r->pcrs.banks[i]));
	for (i = 0; i < 16; i++) {
		(void)snprintf(number, sizeof(number), "%u", i);
		if ((p->unknown >> i & 1) != 0)
			(void)json_object_set_new(
			    why, number, json_string(p->why[i]));
		else if ((p->learnt >> i & 1) != 0)
			(void)json_array_append_new(
			    learnt, json_integer((json_int_t)i));
	}
	for (i = 0; i < p->nnotes; i++)
		(void)json_array_append_new(notes, json_string(p->notes[i]));
	return tool_json_save(NULL,
	    json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o}", "format",
		"vtpm-prediction", "version", 1, "pcrs", pcrs, "unpredictable",
		why, "learnt", learnt, "notes", notes, "events",
		json_events(r)),
	    0644);
}

int
output_pcrs(const char *path, const struct replay *r)
{
	uint8_t buf[PCR_FILE_MAX];
	struct pcr_set set;
	struct wr w;
	uint32_t b;

	memcpy(&set, &r->pcrs, sizeof(set));
	for (b = 0; b < set.nbanks && b < PCR_MAX_BANKS; b++)
		set.banks[b].valid &= 0xffff;
	wr_init(&w, buf, sizeof(buf));
	pcr_file_put(&w, &set);
	if (wr_err(&w) != VT_OK)
		return wr_err(&w);
	return tool_write(path, buf, w.len, 0644);
}

int
output_log(const char *path, const struct prediction *p)
{
	const uint8_t *buf;
	size_t len;
	int rc;

	if ((rc = el_writer_bytes(p->log, &buf, &len)) != VT_OK)
		return rc;
	return tool_write(path, buf, len, 0644);
}

int
output_cel(const char *path, const struct replay *r)
{
	json_t *list = json_array(), *digests, *o;
	uint32_t i, b;

	for (i = 0; i < r->n; i++) {
		const struct replay_event *e = &r->ev[i];

		digests = json_array();
		for (b = 0; b < r->pcrs.nbanks; b++) {
			o = json_pack("{s:s, s:o}", "hashAlg",
			    digest_name(r->pcrs.banks[b].alg), "digest",
			    json_hex(e->digests[b].val, e->digests[b].len));
			(void)json_array_append_new(digests, o);
		}
		o = json_pack("{s:i, s:i, s:o, s:s, s:{s:s}}", "recnum", (int)i,
		    "pcr", (int)e->pcr, "digests", digests, "content_type",
		    "predicted", "content", "description", e->words);
		(void)json_array_append_new(list, o);
	}
	return tool_json_save(path, list, 0644);
}
