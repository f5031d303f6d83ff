/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prediction.h - a boot that has not happened yet: its events, the PCRs that
 * they give, and the PCRs that nobody can know ahead.
 *
 * Layer:  measure; may include base, measure/tpm, measure/log.  No I/O, no
 *         logging.
 * Rule:   a PCR has either a value or a reason why it has none; no value is
 *         guessed.
 */
#ifndef MEASURE_PREDICT_PREDICTION_H
#define MEASURE_PREDICT_PREDICTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/log/eventlog.h"
#include "measure/log/replay.h"
#include "measure/tpm/pcr.h"

#define PRED_TEXT_MAX 240
#define PRED_NOTES_MAX 32

struct prediction {
	struct el_writer *log; /* owned; errors are sticky in it */
	uint16_t algs[PCR_MAX_BANKS];
	uint32_t nalgs;
	uint32_t unknown; /* bit n: PCR n cannot be predicted */
	char why[PCR_COUNT][PRED_TEXT_MAX]; /* the first reason */
	uint32_t learnt; /* bit n: PCR n has events of a reference boot */
	/* The first program, and that of the reference boot where firmware
	 * measured who signed it; len 0: not seen. */
	struct tpm_digest program, signed_program;
	/* Set before fw_start(): firmware that was built without Secure Boot,
	 * where the variable SecureBoot is absent. */
	bool no_secure_boot;
	uint32_t nnotes; /* what the values depend on */
	char notes[PRED_NOTES_MAX][PRED_TEXT_MAX];
};

/* *ret is owned by the caller.  As el_writer_new(). */
int pred_new(
    const uint16_t *algs, uint32_t n, struct prediction **ret) VT_CHECK;
void pred_free(struct prediction *p); /* NULL is a no-op */

/* H(measured) extends pcr; data is the event's. */
void pred_event(struct prediction *p, uint32_t pcr, uint32_t type,
    const void *measured, size_t mlen, const void *data, size_t dlen);
/* The same where text, without its NUL, is both. */
void pred_text(
    struct prediction *p, uint32_t pcr, uint32_t type, const char *text);
void pred_digests(struct prediction *p, uint32_t pcr, uint32_t type,
    const struct tpm_digest *d, uint32_t n, const void *data, size_t dlen);
void pred_separator(struct prediction *p, uint32_t pcr);

/* PCR pcr has no value, and why.  The first reason stays. */
void pred_unknown(struct prediction *p, uint32_t pcr, const char *fmt, ...)
    VT_PRINTF(3, 4);
/* What runs from here on is not known, and why: PCRs 4, 5, 8, 9 and 11 to 14
 * have no value. */
void pred_unknown_rest(struct prediction *p, const char *fmt, ...)
    VT_PRINTF(2, 3);
/* What the reader of the values must know; the same note once. */
void pred_note(struct prediction *p, const char *fmt, ...) VT_PRINTF(2, 3);

/* The events as replay_make() gives them; PCRs that are unknown have no value
 * in its pcrs.  PCRs 0-15 that no event extends are zero.  *ret as there;
 * err[REPLAY_ERR_MAX]. */
int pred_result(
    const struct prediction *p, struct replay **ret, char *err) VT_CHECK;

#endif
