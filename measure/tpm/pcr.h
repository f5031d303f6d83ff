/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcr.h - PCR values of some banks: reset, extend, encode, digest.
 *
 * Layer:  measure; may include base only.  No I/O, no logging.
 * Spec:   TPM 2.0 Library, Part 1, 17 (PCR); PC Client Platform TPM
 *         Profile 1.05, 4.6 (reset values).
 * Bytes:  big-endian: "VTPC" | be16 version 1 | be16 banks |
 *         banks * { be16 alg | be32 mask | value per set bit, ascending }.
 */
#ifndef MEASURE_TPM_PCR_H
#define MEASURE_TPM_PCR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/rdwr.h"
#include "measure/tpm/pcr_selection.h"

#define PCR_DRTM 17 /* 17-22 start at all ones */
#define PCR_SET_MAX_LEN (8 + PCR_MAX_BANKS * (6 + PCR_COUNT * DIGEST_MAX))

struct tpm_digest {   /* TPMT_HA */
	uint16_t alg; /* TPM_ALG_ID; 0: none */
	uint16_t len; /* bytes used in val */
	uint8_t val[DIGEST_MAX];
};

struct pcr_bank {
	uint16_t alg;
	uint16_t len;   /* bytes per value */
	uint32_t valid; /* bit n: val[n] is known */
	uint8_t val[PCR_COUNT][DIGEST_MAX];
};

struct pcr_set {
	uint32_t nbanks;
	struct pcr_bank banks[PCR_MAX_BANKS];
};

/* Banks with no valid value.  VT_E_UNSUPPORTED (alg unknown), VT_E_RANGE
 * (too many), VT_E_EXISTS (twice the same). */
int pcr_set_init(
    struct pcr_set *set, const uint16_t *algs, uint32_t n) VT_CHECK;
/* NULL: no such bank. */
struct pcr_bank *pcr_bank(struct pcr_set *set, uint16_t alg);
/* The value, NULL if not known. */
const uint8_t *pcr_get(const struct pcr_set *set, uint16_t alg, uint32_t pcr);
int pcr_put(struct pcr_set *set, uint16_t alg, uint32_t pcr,
    const uint8_t *val) VT_CHECK;

/* TPM2_Startup(CLEAR) at that locality: 0-16 and 23 are zero, 17-22 all
 * ones; PCR 0 ends in the locality (0; 3, or 4 after an H-CRTM). */
void pcr_set_reset(struct pcr_set *set, uint8_t locality);
/* One PCR to all 00 or all FF, in every bank. */
void pcr_fill(struct pcr_set *set, uint32_t pcr, uint8_t fill);
/* D-RTM start (HASH_START after Startup): 17-22 become zero. */
void pcr_drtm_start(struct pcr_set *set);

/* Extend by the digests of banks that are in set; the others are passed
 * over.  VT_E_RANGE (pcr), VT_E_CRYPTO. */
int pcr_extend(struct pcr_set *set, uint32_t pcr, const struct tpm_digest *d,
    uint32_t n) VT_CHECK;

void pcr_set_encode(struct wr *w, const struct pcr_set *set);
/* VT_E_TRUNC, VT_E_FORMAT, VT_E_UNSUPPORTED, VT_E_RANGE. */
int pcr_set_decode(
    const uint8_t *buf, size_t len, struct pcr_set *ret) VT_CHECK;

/* pcrDigest of a quote: H of the selected values in order.  VT_E_NOTFOUND:
 * a selected value is not known. */
int pcr_digest(const struct pcr_set *set, const struct pcr_sel *sel,
    uint16_t hash, uint8_t out[DIGEST_MAX]) VT_CHECK;

/* Every byte is 00, or every byte is FF: never extended. */
bool pcr_is_extreme(const uint8_t *val, size_t len);
/* First selected PCR whose value is extreme: 1 and *ret_alg, *ret_pcr;
 * 0: none; VT_E_NOTFOUND: a selected value is not known. */
int pcr_find_extreme(const struct pcr_set *set, const struct pcr_sel *sel,
    uint16_t *ret_alg, uint32_t *ret_pcr) VT_CHECK;

#endif
