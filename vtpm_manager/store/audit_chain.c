/* SPDX-License-Identifier: BSD-3-Clause */
/* audit_chain.c - make and verify the records of the hash-chained audit log. */
#include "vtpm_manager/store/audit_chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/rdwr.h"

#define REC_MAX 1024 /* more than all texts of a record */

static int
rec_hash(const uint8_t before[SHA256_LEN], const struct audit_rec *r,
    uint8_t out[SHA256_LEN])
{
	static const char tag[] = "\x02vTPM audit";
	uint8_t buf[REC_MAX];
	struct wr w;
	int rc;

	wr_init(&w, buf, sizeof(buf));
	wr_bytes(&w, tag, sizeof(tag) - 1);
	wr_bytes(&w, before, SHA256_LEN);
	wr_be64(&w, r->seq);
	wr_be64(&w, r->wall_ms);
	wr_str(&w, r->who);
	wr_str(&w, r->action);
	wr_str(&w, r->object);
	wr_str(&w, r->result);
	wr_str(&w, r->detail);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	return digest_buf(ALG_SHA256, buf, w.len, out);
}

/* Terminals and JSON show these texts. */
static void
clean_copy(char *dst, size_t cap, const char *src)
{
	size_t i;

	for (i = 0; src != NULL && src[i] != '\0' && i < cap - 1; i++)
		dst[i] = src[i] >= ' ' && src[i] <= '~' ? src[i] : '?';
	dst[i] = '\0';
}

int
audit_chain_append(struct audit_chain *c, uint64_t wall, const char *who,
    const char *action, const char *object, const char *result,
    const char *detail, struct audit_rec *ret)
{
	struct audit_rec r;
	int rc;

	memset(&r, 0, sizeof(r));
	r.seq = c->seq + 1;
	r.wall_ms = wall;
	clean_copy(r.who, sizeof(r.who), who);
	clean_copy(r.action, sizeof(r.action), action);
	clean_copy(r.object, sizeof(r.object), object);
	clean_copy(r.result, sizeof(r.result), result);
	clean_copy(r.detail, sizeof(r.detail), detail);
	if ((rc = rec_hash(c->head, &r, r.hash)) != VT_OK)
		return rc;
	c->seq = r.seq;
	memcpy(c->head, r.hash, SHA256_LEN);
	*ret = r;
	return VT_OK;
}

int
audit_chain_follow(
    struct audit_chain *at, const struct audit_rec *rec, char *text)
{
	uint8_t want[SHA256_LEN];
	int rc;

	if (rec->seq != at->seq + 1) {
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "the audit log was tampered with: record %" PRIu64
		    " is missing",
		    at->seq + 1);
		return VT_E_CORRUPT;
	}
	if ((rc = rec_hash(at->head, rec, want)) != VT_OK)
		return rc;
	if (!mem_equal(want, rec->hash, SHA256_LEN)) {
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "the audit log was tampered with: record %" PRIu64
		    " or one before it was changed",
		    rec->seq);
		return VT_E_CORRUPT;
	}
	at->seq = rec->seq;
	memcpy(at->head, want, SHA256_LEN);
	return VT_OK;
}

int
audit_chain_ends(
    const struct audit_chain *at, const struct audit_chain *c, char *text)
{
	if (at->seq < c->seq) {
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "the audit log was tampered with: it ends at record "
		    "%" PRIu64 ", the last one written is %" PRIu64,
		    at->seq, c->seq);
		return VT_E_CORRUPT;
	}
	if (at->seq > c->seq || !mem_equal(at->head, c->head, SHA256_LEN)) {
		(void)snprintf(text, TEXT_MAX_LEN + 1,
		    "the audit log was tampered with: its last record is not "
		    "the one in the store's root");
		return VT_E_CORRUPT;
	}
	return VT_OK;
}
