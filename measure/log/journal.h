/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * journal.h - the extend journal: what touched a vTPM's PCRs, in order.
 *
 * Layer:  measure; may include base only.  No I/O, no logging.
 * Bytes:  big-endian, see journal.c and doc/FORMATS.md; magic "VTJL".
 * Trust:  the worker writes it from what its TPM really did.  A verifier
 *         gets it from the guest, so it means something only after its
 *         replay equals the PCRs of a signed quote.
 * Limits: JOURNAL_MAX records since the last power cycle.  Past that, and
 *         always for PCR 10 (IMA keeps its own list), a PCR is "chained":
 *         its running value and the count of extends are kept, the single
 *         digests are not.  Replay stays exact.
 *
 * Use by the worker: journal_new() once with the active banks; then
 * journal_power_cycle() whenever the TPM is powered (TPMLIB_MainInit), one
 * journal_add_*() after each command that succeeded.  A Startup(CLEAR)
 * drops all that was before its power cycle, a Startup(STATE) keeps it.
 */
#ifndef MEASURE_LOG_JOURNAL_H
#define MEASURE_LOG_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"

#define JOURNAL_MAX 1024             /* records */
#define JOURNAL_MAX_LEN (256 * 1024) /* bytes encoded, all banks, full */
#define JOURNAL_ALWAYS_CHAINED (1u << 10)

enum jr_kind {
	JR_POWER = 1,   /* the host powered the TPM on; value: cycle number */
	JR_STARTUP,     /* TPM2_Startup(CLEAR), TPM_Startup; locality */
	JR_RESUME,      /* TPM2_Startup(STATE): PCR 0-15 keep their values */
	JR_EXTEND,      /* TPM2_PCR_Extend, TPM_Extend */
	JR_EVENT,       /* TPM2_PCR_Event */
	JR_SEQUENCE,    /* TPM2_EventSequenceComplete with a PCR */
	JR_RESET,       /* TPM2_PCR_Reset, TPM_PCR_Reset; value: fill byte */
	JR_HCRTM,       /* hash sequence before Startup: PCR 0 */
	JR_DRTM_START,  /* hash start after Startup: 17-22 become zero */
	JR_DRTM_END,    /* its end: digest extended into PCR 17 */
	JR_HOST_EXTEND, /* the worker extended an event of the launch log */
	JR_CAP,         /* worker restarted after a crash; value: PCR mask */
	JR_RESTORED,    /* volatile state came from a snapshot */
	JR_NOTE,        /* value: enum journal_note */
	JR_NKINDS
};

enum journal_note {
	JN_LATE = 1,      /* attached to a guest that was running already */
	JN_NO_LAUNCH = 2, /* host had no launch record for this cycle */
	JN_UNSEEN = 3,    /* a reset that the host did not see */
};

/* Sticky facts about this power cycle, kept even when records overflow. */
enum {
	JF_CAPPED = 1,
	JF_RESTORED = 2,
	JF_LATE = 4,
	JF_UNSEEN = 16,
	JF_FULL = 8, /* records were dropped, see the chained PCRs */
};

struct jr_record {
	uint8_t kind; /* enum jr_kind */
	uint8_t locality;
	uint8_t pcr;
	uint32_t value;    /* per kind; 0 otherwise */
	uint32_t ndigests; /* one per bank that was extended */
	struct tpm_digest digests[PCR_MAX_BANKS];
};

struct journal; /* opaque */

/* *ret is owned by the caller.  VT_E_UNSUPPORTED, VT_E_RANGE, VT_E_NOMEM. */
int journal_new(
    const uint16_t *algs, uint32_t n, struct journal **ret) VT_CHECK;
void journal_free(struct journal *j); /* NULL is a no-op */

/* The number of power cycles so far grows by one. */
int journal_power_cycle(struct journal *j) VT_CHECK;
/* clear: TPM2_Startup(CLEAR) or TPM 1.2 ST_CLEAR; else ST_STATE. */
int journal_add_startup(
    struct journal *j, uint8_t locality, bool clear) VT_CHECK;
/*
 * kind is JR_EXTEND, JR_EVENT, JR_SEQUENCE or JR_HOST_EXTEND.  d: the
 * digests that were extended; those of banks that are not active are passed
 * over, an active bank without one was not extended, a bank named twice was
 * extended twice.
 * All journal_add_*: VT_E_RANGE (pcr, kind), VT_E_NOMEM, VT_E_CRYPTO,
 * VT_E_STATE (a chained PCR before any Startup), VT_E_SPACE (no room even
 * for the host's own records).  After VT_E_RANGE the journal is unchanged;
 * after the others it no longer says what the TPM did.
 */
int journal_add_extend(struct journal *j, enum jr_kind kind, uint8_t locality,
    uint32_t pcr, const struct tpm_digest *d, uint32_t n) VT_CHECK;
/* fill: 0x00 or 0xff, what the PCR was reset to. */
int journal_add_reset(
    struct journal *j, uint8_t locality, uint32_t pcr, uint8_t fill) VT_CHECK;
/* HASH_START after Startup, at locality 4. */
int journal_add_drtm_start(struct journal *j) VT_CHECK;
/* HASH_END: H(all data) per bank.  Without a Startup in this power cycle it
 * is an H-CRTM (JR_HCRTM, PCR 0), else PCR 17. */
int journal_add_drtm_end(
    struct journal *j, const struct tpm_digest *d, uint32_t n) VT_CHECK;
/* mask: the PCRs that were extended with journal_cap_digest(). */
int journal_add_cap(struct journal *j, uint32_t mask) VT_CHECK;
int journal_add_restored(struct journal *j) VT_CHECK;
int journal_add_note(struct journal *j, enum journal_note note) VT_CHECK;

/* The digest that the worker extends into every PCR after a crash:
 * H(01 00 00 00), the error separator of the PC Client profile.
 * VT_E_UNSUPPORTED, VT_E_CRYPTO. */
int journal_cap_digest(uint16_t alg, struct tpm_digest *ret) VT_CHECK;

uint32_t journal_power_cycles(const struct journal *j);
uint32_t journal_flags(const struct journal *j); /* JF_* */
uint32_t journal_count(const struct journal *j); /* records held */
/* PCRs whose single digests are not (all) there. */
uint32_t journal_chained_mask(const struct journal *j);
/* Bytes of memory it holds, for quotas and bench. */
size_t journal_memory(const struct journal *j);
/* Its banks; algs has PCR_MAX_BANKS places.  Returns how many. */
uint32_t journal_banks(const struct journal *j, uint16_t *algs);

/* Record i < journal_count().  VT_E_RANGE. */
int journal_get(
    const struct journal *j, uint32_t i, struct jr_record *ret) VT_CHECK;
/* Does this kind extend a PCR with its digests? */
bool journal_kind_extends(uint8_t kind);
const char *journal_kind_name(uint8_t kind); /* never NULL */

/*
 * The PCRs as this journal gives them, into a set with the journal's banks;
 * *ret is overwritten.  VT_E_STATE: no Startup in it, so no PCR has a value.
 * VT_E_CRYPTO.
 */
int journal_replay(const struct journal *j, struct pcr_set *ret) VT_CHECK;

#endif
