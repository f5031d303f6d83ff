/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * replay.h - what any event log gives: every bank, every value, every event
 * with a description.
 *
 * Layer:  measure; no I/O, no logging.
 * Forms:  TCG binary logs (SHA-1 and crypto-agile), CEL-JSON, measurement
 *         lists of IMA (ascii and binary), predictions of vtpm-measure (JSON).
 * Trust:  a log is hostile input, and nothing here is verified.  A log of one
 *         part of a boot (systemd's, IMA's) gives a PCR's value only if no
 *         other part extends that PCR.
 */
#ifndef MEASURE_LOG_REPLAY_H
#define MEASURE_LOG_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/log/cel.h"
#include "measure/log/ima.h"
#include "measure/tpm/pcr.h"

#define REPLAY_MAX_LOG IMA_MAX_LOG
#define REPLAY_ERR_MAX 200
#define REPLAY_PREDICTION "vtpm-prediction"

struct replay_event {
	uint32_t pcr;
	uint32_t pos;  /* 1: first event of this PCR */
	uint32_t type; /* EV_* of a TCG log; else 0 */
	bool lies;     /* its text is not what was measured */
	/* In the order of the banks; len 0: this bank was not extended. */
	struct tpm_digest digests[PCR_MAX_BANKS];
	char *words; /* printable ASCII; never NULL */
};

struct replay {
	const char *form;    /* "tcg-sha1", "tcg", "cel-json", "ima", or
			      REPLAY_PREDICTION */
	struct pcr_set pcrs; /* valid: the PCRs that the log extends */
	uint32_t unknown;    /* banks that cannot be computed here */
	uint32_t silent;     /* PCRs of which a prediction says nothing */
	uint32_t n;
	struct replay_event *ev;
};

/*
 * *ret is owned by the caller, who frees it with replay_free().  VT_E_TRUNC,
 * VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED (no bank that can be computed),
 * VT_E_NOMEM, VT_E_CRYPTO; err then says what is wrong.
 */
int replay_make(const uint8_t *buf, size_t len, struct replay **ret,
    char err[REPLAY_ERR_MAX]) VT_CHECK;
void replay_free(struct replay *r); /* NULL is a no-op */
/* As a JSON object in text; heap, free().  NULL: no memory. */
char *replay_json(const struct replay *r);

#endif
