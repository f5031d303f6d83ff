/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stock_quote.h - judge a quote that other software made, such as tpm2_quote:
 * by the rules that the quote of our own evidence is held to.
 *
 * Layer:  measure; no I/O, no logging.
 * Trust:  quote, signature and PCR values are hostile input.  The AK is the
 *         caller's to trust, unless an EK is given that it must be a child of.
 */
#ifndef MEASURE_EVIDENCE_STOCK_QUOTE_H
#define MEASURE_EVIDENCE_STOCK_QUOTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/evidence/report.h"

struct stock_part {
	const uint8_t *p; /* borrowed; NULL: absent */
	size_t len;
};

struct stock_quote {
	struct stock_part ak;    /* TPM2B_PUBLIC or TPMT_PUBLIC */
	struct stock_part quote; /* TPMS_ATTEST */
	struct stock_part sig;   /* TPMT_SIGNATURE */
	struct stock_part pcrs;  /* of measure/tpm/pcr_file.h */
	struct stock_part nonce; /* qualifyingData, 8 to 64 bytes */
	/* EK: certificate (DER), TPM2B_PUBLIC or TPMT_PUBLIC; or absent. */
	struct stock_part ek;
};

/* Add every check and the verdict to rep, which is zeroed. */
void stock_quote_verify(const struct stock_quote *in, struct report *rep);

#endif
