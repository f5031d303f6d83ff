/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote.h - parse what TPM2_Quote returns: TPMS_ATTEST and TPMT_SIGNATURE.
 *
 * Layer:  measure; no I/O, no logging, no TPM library.
 * Spec:   TPM 2.0 Library, Part 2: 10.12.12 (TPMS_ATTEST), 11.3.4
 *         (TPMT_SIGNATURE).
 * Bytes:  big-endian on the wire, host order in these structs.
 * Trust:  hostile input until quote_verify() has passed.
 * Limits: PCR_MAX_BANKS banks.
 */
#ifndef MEASURE_TPM_QUOTE_H
#define MEASURE_TPM_QUOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/tpm_public.h"

#define QUOTE_ATTEST_MAX 2048
#define QUOTE_SIG_MAX 1024

struct quote_attest {           /* TPMS_ATTEST of type TPM_ST_ATTEST_QUOTE */
	struct tpm_name signer; /* qualified */
	uint16_t extra_len;
	uint8_t extra[DIGEST_MAX + 2];
	uint64_t clock; /* ms */
	uint32_t reset_count, restart_count;
	bool safe;
	uint64_t firmware;
	struct pcr_sel sel;
	uint16_t digest_len;
	uint8_t digest[DIGEST_MAX];
};

struct tpm_sig {      /* TPMT_SIGNATURE */
	uint16_t alg; /* TA_RSASSA, TA_RSAPSS, TA_ECDSA */
	uint16_t hash;
	const uint8_t *r, *s; /* borrowed; RSA: r is the signature, s NULL */
	size_t r_len, s_len;
};

/*
 * Parsers; all of buf must be used up.  A TPMS_ATTEST that is not of
 * TPM_GENERATED_VALUE, or not of a quote, is VT_E_FORMAT.  Otherwise
 * VT_E_TRUNC, VT_E_FORMAT (bytes left over), VT_E_RANGE (over a limit),
 * VT_E_UNSUPPORTED (algorithm).
 */
int quote_attest_get(
    const uint8_t *buf, size_t len, struct quote_attest *ret) VT_CHECK;
/* ret->r and ret->s borrow from buf. */
int quote_sig_get(const uint8_t *buf, size_t len, struct tpm_sig *ret) VT_CHECK;

#endif
