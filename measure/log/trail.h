/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trail.h - one trail of PCR events out of event logs and the journal.
 *
 * Layer:  measure; no I/O, no logging.
 * Trust:  both inputs are hostile until their replay equals signed PCRs.
 *         Digests and positions come from the journal where there is one,
 *         words from the logs.
 *
 * The journal is complete and in order, but has no words; a log has words,
 * but ends where the firmware stopped writing, and a guest may have lost
 * or forged it.  Per PCR, the k-th log event belongs to the k-th journal
 * record; where their digests differ the log is wrong from there on.
 */
#ifndef MEASURE_LOG_TRAIL_H
#define MEASURE_LOG_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/log/journal.h"
#include "measure/tpm/pcr_selection.h"

#define TRAIL_MAX_LOGS 2
#define TRAIL_ERR_MAX 160 /* bytes of an error text */

struct trail_event {
	uint32_t pcr;
	uint32_t pos; /* 1: first event of this PCR since its reset */
	uint8_t val[DIGEST_MAX]; /* in the trail's bank */
	int32_t log;             /* which log described it; -1: none */
	int32_t log_index;       /* el_event.index there; -1 */
	int32_t record;          /* journal record; -1: none */
	uint8_t kind;            /* enum jr_kind; 0 without a journal */
	uint8_t locality;
	uint32_t type;       /* EV_*; 0 if no log has it */
	const uint8_t *data; /* borrowed from the log; NULL if none */
	uint32_t datalen;
};

/* The first log event of a PCR that the journal does not confirm. */
struct trail_diff {
	bool differs;
	uint32_t pcr, pos;
	int32_t log, log_index;
	int32_t record;          /* -1: the journal ends before it */
	struct trail_event said; /* as the log has it */
};

struct trail {
	uint16_t alg;
	uint16_t len; /* bytes of a digest */
	bool has_log, has_journal;
	uint32_t journal_flags; /* JF_* */
	uint32_t chained;       /* PCRs of which not all digests are known */
	uint32_t reset_mask;    /* PCRs that were reset after the start */
	uint32_t n;
	struct trail_event *ev; /* in order of the journal, else of the logs */
	struct trail_diff diff; /* the earliest, by log index */
	uint32_t diff_mask;     /* PCRs in which log and journal differ */
	uint32_t extended_mask; /* PCRs extended since the start, even if a
				   reset followed */
	int locality;           /* of the start, as a log says it; -1 */
	int journal_locality;   /* the same of the journal; -1 */
	uint8_t start[PCR_COUNT][DIGEST_MAX]; /* value before ev */
};

struct trail_in {
	uint16_t alg;
	struct { /* host-made log first: it was extended first */
		const uint8_t *p; /* NULL: absent; outlives the trail */
		size_t len;
	} logs[TRAIL_MAX_LOGS];
	const struct journal *journal; /* NULL: absent */
};

/*
 * *ret is owned by the caller, who frees it with trail_free().  Errors of
 * el_open() and el_next() for a log that cannot be read; VT_E_NOTFOUND: an
 * input lacks the bank, or there is no input; VT_E_FORMAT: NO_ACTION with a
 * digest, StartupLocality behind an extend of PCR 0, or a second one;
 * VT_E_STATE: the journal has no Startup; VT_E_NOMEM.  err then says what is
 * wrong with which input.
 */
int trail_make(const struct trail_in *in, struct trail **ret,
    char err[TRAIL_ERR_MAX]) VT_CHECK;
void trail_free(struct trail *t); /* NULL is a no-op */

/* Value that the trail gives for pcr; false if that PCR is chained. */
bool trail_value(const struct trail *t, uint32_t pcr, uint8_t out[DIGEST_MAX]);

#endif
