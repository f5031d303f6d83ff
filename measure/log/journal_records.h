/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * journal_records.h - the inside of struct journal.
 *
 * Layer:  measure; for journal.c, its codec and journal_records.c only.
 */
#ifndef MEASURE_LOG_JOURNAL_RECORDS_H
#define MEASURE_LOG_JOURNAL_RECORDS_H

#include "measure/log/journal.h"
#include "measure/tpm/pcr_selection.h"

#define NO_PENDING 0xffffffffu
#define FIRST_ROOM 32 /* records; a normal boot has 30 to 70 */
/* What only the host can add gets room past what a guest can fill. */
#define HOST_ROOM 32
#define HCRTM_ROOM 8
#define MAX_RECORDS (JOURNAL_MAX + HOST_ROOM + HCRTM_ROOM)

/* In memory; dsum bytes of digests follow. */
struct rec {
	uint8_t kind, locality, pcr, mask;
	uint32_t value;
	uint8_t digests[];
};

struct chain {
	uint32_t count;
	uint8_t val[];
};

struct journal {
	uint32_t nbanks;
	uint16_t algs[PCR_MAX_BANKS];
	uint16_t lens[PCR_MAX_BANKS];
	size_t dsum; /* bytes of one digest per bank */
	uint32_t cycles, flags, pending;
	uint32_t count, room; /* records */
	uint8_t *recs;
	struct chain *chains[PCR_COUNT];
};

/* Bytes of one record in memory. */
size_t journal_rec_size(const struct journal *j);
/* Record i, which may be the one past the last if there is room. */
struct rec *journal_rec(const struct journal *j, uint32_t i);
/* Room for one record more.  VT_E_SPACE, VT_E_NOMEM. */
int journal_make_room(struct journal *j) VT_CHECK;
/* Copy r behind the last record.  VT_E_SPACE, VT_E_NOMEM. */
int journal_append(struct journal *j, const struct jr_record *r) VT_CHECK;

#endif
