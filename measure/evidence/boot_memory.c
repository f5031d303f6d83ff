/* SPDX-License-Identifier: BSD-3-Clause */
/* boot_memory.c - the reports of accepted boots, kept and repeated. */
#include "measure/evidence/boot_memory.h"

#include <stdlib.h>
#include <string.h>

#include "measure/appraise/appraise_report.h"
#include "measure/evidence/lru.h"

#define LABEL "vtpm boot 1"

struct line {
	const char *id; /* static */
	enum report_outcome outcome;
	const char *words; /* in the entry's text */
};

struct entry {
	uint32_t nreplays, n; /* lines: those of the replays come first */
	struct line *lines;
	char *text;
	size_t text_len;
	bool restored;
	struct ap_report *ap;
};

struct boot_memory {
	const struct policy *policy;
	struct lru *boots;
	const struct entry *found;
	uint64_t hits;
};

static void
entry_free(void *val)
{
	struct entry *e = val;

	free(e->lines);
	free(e->text);
	ap_report_free(e->ap);
	free(e);
}

int
boot_memory_new(
    const struct policy *policy, size_t max_bytes, struct boot_memory **ret)
{
	struct boot_memory *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		return VT_E_NOMEM;
	c->policy = policy;
	rc = lru_new(BOOT_MEMORY_N, max_bytes, entry_free, &c->boots);
	if (rc != VT_OK) {
		free(c);
		return rc;
	}
	*ret = c;
	return VT_OK;
}

void
boot_memory_free(struct boot_memory *c)
{
	if (c == NULL)
		return;
	lru_free(c->boots);
	free(c);
}

const struct policy *
boot_memory_policy(const struct boot_memory *c)
{
	return c->policy;
}

size_t
boot_memory_count(const struct boot_memory *c)
{
	return lru_count(c->boots);
}

size_t
boot_memory_bytes(const struct boot_memory *c)
{
	return lru_bytes(c->boots);
}

uint64_t
boot_memory_hits(const struct boot_memory *c)
{
	return c->hits;
}

/* All inputs of verify_boot.c except the policy. */
int
boot_memory_key(const struct bundle *ev, const struct bundle_digests *dig,
    const struct report *rep, uint8_t key[SHA256_LEN])
{
	static const enum bundle_part parts[] = { BUNDLE_LOG, BUNDLE_JOURNAL,
		BUNDLE_LAUNCH, BUNDLE_HOST_LOG };
	uint8_t buf[sizeof(LABEL) + VT_NELEM(parts) * (4 + SHA256_LEN) + 1 +
		    UUID_LEN + 4 + 8 +
		    PCR_MAX_BANKS * (6 + PCR_COUNT * DIGEST_MAX)];
	struct wr w;
	size_t i;
	int rc;

	wr_init(&w, buf, sizeof(buf));
	wr_bytes(&w, LABEL, sizeof(LABEL));
	for (i = 0; i < VT_NELEM(parts); i++)
		bundle_put_part(&w, dig, parts[i]);
	wr_u8(&w, rep->have_instance);
	wr_bytes(&w, rep->instance.uuid, UUID_LEN);
	wr_be32(&w, rep->instance.group);
	pcr_set_encode(&w, &ev->pcrs);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	return digest_buf(ALG_SHA256, buf, w.len, key);
}

bool
boot_memory_find(struct boot_memory *c, const uint8_t key[SHA256_LEN])
{
	c->found = lru_find(c->boots, key);
	c->hits += c->found != NULL;
	return c->found != NULL;
}

void
boot_memory_say_replays(const struct boot_memory *c, struct report *rep)
{
	const struct entry *e = c->found;
	uint32_t i;

	for (i = 0; i < e->nreplays; i++)
		report_say(rep, e->lines[i].id, e->lines[i].outcome, "%s",
		    e->lines[i].words);
	rep->restored |= e->restored;
}

void
boot_memory_say_boot(const struct boot_memory *c, struct report *rep)
{
	const struct entry *e = c->found;
	uint32_t i;

	for (i = e->nreplays; i < e->n; i++)
		report_say(rep, e->lines[i].id, e->lines[i].outcome, "%s",
		    e->lines[i].words);
	rep->appraisal = ap_report_share(e->ap);
}

static size_t
text_len(const struct report *rep, const struct boot_memory_lines *l)
{
	size_t len = 0;
	uint32_t i;

	for (i = l->from; i < l->to; i++)
		len += strlen(rep->checks[i].words) + 1;
	return len;
}

static void
add_lines(struct entry *e, const struct report *rep,
    const struct boot_memory_lines *l)
{
	const struct report_check *c;
	struct line *to;
	size_t len;
	uint32_t i;

	for (i = l->from; i < l->to; i++) {
		c = &rep->checks[i];
		to = &e->lines[e->n++];
		len = strlen(c->words) + 1;
		memcpy(e->text + e->text_len, c->words, len);
		to->id = c->id;
		to->outcome = c->outcome;
		to->words = e->text + e->text_len;
		e->text_len += len;
	}
}

void
boot_memory_keep(struct boot_memory *c, const uint8_t key[SHA256_LEN],
    const struct report *rep, const struct boot_memory_boot *b)
{
	size_t n = b->replays.to - b->replays.from + b->boot.to - b->boot.from,
	       len = text_len(rep, &b->replays) + text_len(rep, &b->boot);
	struct entry *e;

	/* The whole report must accept, not only the boot: a guest whose
	 * evidence is refused cannot fill the memory.  A full report has lost
	 * lines. */
	if (rep->n >= REPORT_MAX_CHECKS || rep->appraisal == NULL ||
	    report_verdict(rep) != AP_ACCEPTED)
		return;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return;
	e->lines = calloc(n, sizeof(*e->lines)); /* "boot" is one of them */
	e->text = malloc(len);
	if (e->lines == NULL || e->text == NULL) {
		entry_free(e);
		return;
	}
	add_lines(e, rep, &b->replays);
	e->nreplays = e->n;
	add_lines(e, rep, &b->boot);
	e->restored = b->restored;
	e->ap = ap_report_share(rep->appraisal);
	if (lru_put(c->boots, key, e,
		sizeof(*e) + n * sizeof(*e->lines) + len +
		    ap_report_bytes(e->ap)) != VT_OK)
		entry_free(e);
}
