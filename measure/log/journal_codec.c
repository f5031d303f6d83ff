/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * journal_codec.c - the container of a journal.  Big-endian:
 *   "VTJL" | be16 version 1 | be16 banks | banks * be16 alg |
 *   be32 power cycles | be32 flags | be32 pending | be32 records |
 *   be16 chains | chains * { u8 pcr | be32 count | value per bank } |
 *   records * { u8 kind | u8 locality | u8 pcr | u8 bank mask |
 *               be32 value | digest per bit of the mask, low bit first }
 * pending: how many records stood before the power cycle that has not seen
 * a Startup yet; NO_PENDING if it has.
 */
#include "measure/log/journal_codec.h"

#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "measure/log/journal_records.h"

#define JOURNAL_MAGIC 0x56544a4cu /* "VTJL" */
#define JOURNAL_VERSION 1

static void
put_rec(struct wr *w, const struct journal *j, const struct rec *rec)
{
	size_t off = 0;
	uint32_t b;

	wr_u8(w, rec->kind);
	wr_u8(w, rec->locality);
	wr_u8(w, rec->pcr);
	wr_u8(w, rec->mask);
	wr_be32(w, rec->value);
	for (b = 0; b < j->nbanks; off += j->lens[b], b++)
		if ((rec->mask >> b & 1) != 0)
			wr_bytes(w, rec->digests + off, j->lens[b]);
}

void
journal_encode(const struct journal *j, struct wr *w)
{
	uint32_t i;

	wr_be32(w, JOURNAL_MAGIC);
	wr_be16(w, JOURNAL_VERSION);
	wr_be16(w, (uint16_t)j->nbanks);
	for (i = 0; i < j->nbanks; i++)
		wr_be16(w, j->algs[i]);
	wr_be32(w, j->cycles);
	wr_be32(w, j->flags);
	wr_be32(w, j->pending);
	wr_be32(w, j->count);
	wr_be16(w, (uint16_t)__builtin_popcount(journal_chained_mask(j)));
	for (i = 0; i < PCR_COUNT; i++) {
		if (j->chains[i] == NULL)
			continue;
		wr_u8(w, (uint8_t)i);
		wr_be32(w, j->chains[i]->count);
		wr_bytes(w, j->chains[i]->val, j->dsum);
	}
	for (i = 0; i < j->count; i++)
		put_rec(w, j, journal_rec(j, i));
}

/* NULL: the reader says why. */
static struct journal *
get_head(struct rd *r, uint32_t *ret_count)
{
	uint16_t algs[PCR_MAX_BANKS] = { 0 }, version, n, i;
	struct journal *j = NULL;
	uint32_t magic;
	int rc;

	magic = rd_be32(r);
	version = rd_be16(r);
	n = rd_be16(r);
	if (magic != JOURNAL_MAGIC || version != JOURNAL_VERSION)
		rd_fail(r, VT_E_FORMAT);
	if (n == 0 || n > PCR_MAX_BANKS)
		rd_fail(r, VT_E_RANGE);
	for (i = 0; i < n && rd_err(r) == VT_OK; i++)
		algs[i] = rd_be16(r);
	if (rd_err(r) != VT_OK)
		return NULL;
	if ((rc = journal_new(algs, n, &j)) != VT_OK) {
		rd_fail(r, rc);
		return NULL;
	}
	j->cycles = rd_be32(r);
	j->flags = rd_be32(r);
	j->pending = rd_be32(r);
	*ret_count = rd_be32(r);
	return j;
}

/* Ascending by PCR, so that there is one way to write a journal. */
static int
get_chains(struct rd *r, struct journal *j)
{
	uint16_t n = rd_be16(r), i;
	struct chain *c;
	int last = -1;
	uint8_t pcr;

	for (i = 0; i < n; i++) {
		pcr = rd_u8(r);
		if (rd_err(r) != VT_OK)
			return rd_err(r);
		if (pcr >= PCR_COUNT || pcr <= last)
			return VT_E_FORMAT;
		if ((c = calloc(1, sizeof(*c) + j->dsum)) == NULL)
			return VT_E_NOMEM;
		c->count = rd_be32(r);
		rd_bytes(r, c->val, j->dsum);
		j->chains[pcr] = c;
		last = pcr;
	}
	return rd_err(r);
}

/* A kind has the fields that it uses, and zero in the others. */
static bool
rec_is_sound(const struct rec *r)
{
	bool digests = journal_kind_extends(r->kind) || r->kind == JR_HCRTM;
	bool pcr = journal_kind_extends(r->kind) || r->kind == JR_RESET;
	bool locality = digests || r->kind == JR_STARTUP ||
			r->kind == JR_RESUME || r->kind == JR_RESET ||
			r->kind == JR_DRTM_START;

	if (r->kind < JR_POWER || r->kind >= JR_NKINDS || r->locality > 4 ||
	    r->pcr >= PCR_COUNT || digests != (r->mask != 0) ||
	    (!pcr && r->pcr != 0) || (!locality && r->locality != 0))
		return false;
	switch (r->kind) {
	case JR_POWER:
		return true;
	case JR_RESET:
		return r->value == 0 || r->value == 0xff;
	case JR_CAP:
		return (r->value & ~PCR_ALL) == 0;
	case JR_NOTE:
		return r->value == JN_LATE || r->value == JN_NO_LAUNCH ||
		       r->value == JN_UNSEEN;
	case JR_DRTM_END:
		return r->value == 0 && r->pcr == PCR_DRTM;
	default:
		return r->value == 0;
	}
}

static int
get_rec(struct rd *r, struct journal *j)
{
	struct rec *rec;
	size_t off = 0;
	uint32_t b;
	int rc;

	if ((rc = journal_make_room(j)) != VT_OK)
		return rc;
	rec = journal_rec(j, j->count);
	memset(rec, 0, journal_rec_size(j));
	rec->kind = rd_u8(r);
	rec->locality = rd_u8(r);
	rec->pcr = rd_u8(r);
	rec->mask = rd_u8(r);
	rec->value = rd_be32(r);
	if (rd_err(r) != VT_OK)
		return rd_err(r);
	if (rec->mask >> j->nbanks != 0 || !rec_is_sound(rec))
		return VT_E_FORMAT;
	for (b = 0; b < j->nbanks; off += j->lens[b], b++)
		if ((rec->mask >> b & 1) != 0)
			rd_bytes(r, rec->digests + off, j->lens[b]);
	j->count++;
	return rd_err(r);
}

int
journal_decode(const uint8_t *buf, size_t len, struct journal **ret)
{
	struct journal *j;
	uint32_t n = 0, i;
	struct rd r;
	int rc;

	if (len > JOURNAL_MAX_LEN)
		return VT_E_RANGE;
	rd_init(&r, buf, len);
	if ((j = get_head(&r, &n)) == NULL)
		return rd_err(&r);
	if ((rc = get_chains(&r, j)) != VT_OK)
		goto out;
	rc = VT_E_RANGE;
	if (n > MAX_RECORDS)
		goto out;
	for (i = 0; i < n; i++)
		if ((rc = get_rec(&r, j)) != VT_OK)
			goto out;
	rc = VT_E_FORMAT;
	if ((j->pending != NO_PENDING && j->pending > n) ||
	    (j->flags & ~(uint32_t)(JF_CAPPED | JF_RESTORED | JF_LATE |
				    JF_FULL | JF_UNSEEN)) != 0)
		goto out;
	if ((rc = rd_end(&r)) != VT_OK)
		goto out;
	*ret = j;
	return VT_OK;
out:
	journal_free(j);
	return rc;
}
