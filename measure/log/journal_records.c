/* SPDX-License-Identifier: BSD-3-Clause */
/* journal_records.c - the records of a journal in memory. */
#include "measure/log/journal_records.h"

#include <stdlib.h>
#include <string.h>

size_t
journal_rec_size(const struct journal *j)
{
	return (sizeof(struct rec) + j->dsum + 3) & ~(size_t)3;
}

struct rec *
journal_rec(const struct journal *j, uint32_t i)
{
	return (
	    struct rec *)(void *)(j->recs + (size_t)i * journal_rec_size(j));
}

int
journal_make_room(struct journal *j)
{
	uint32_t room = j->room == 0 ? FIRST_ROOM : 2 * j->room;
	uint8_t *p;

	if (j->count < j->room)
		return VT_OK;
	if (room > MAX_RECORDS)
		room = MAX_RECORDS;
	if (j->count >= room)
		return VT_E_SPACE;
	if ((p = realloc(j->recs, room * journal_rec_size(j))) == NULL)
		return VT_E_NOMEM;
	j->recs = p;
	j->room = room;
	return VT_OK;
}

int
journal_append(struct journal *j, const struct jr_record *r)
{
	uint32_t i, k;
	struct rec *rec;
	size_t off = 0;
	int rc;

	if ((rc = journal_make_room(j)) != VT_OK)
		return rc;
	rec = journal_rec(j, j->count);
	memset(rec, 0, journal_rec_size(j));
	rec->kind = r->kind;
	rec->locality = r->locality;
	rec->pcr = r->pcr;
	rec->value = r->value;
	for (i = 0; i < j->nbanks; off += j->lens[i], i++)
		for (k = 0; k < r->ndigests; k++) {
			if (r->digests[k].alg != j->algs[i])
				continue;
			memcpy(
			    rec->digests + off, r->digests[k].val, j->lens[i]);
			rec->mask |= (uint8_t)(1u << i);
		}
	j->count++;
	return VT_OK;
}
