/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcr_selection.h - which PCRs of which banks: on the wire and as text.
 *
 * Layer:  measure; may include base only.  No I/O, no logging.
 * Spec:   TPM 2.0 Library, Part 2, 10.9.7 (TPML_PCR_SELECTION).
 */
#ifndef MEASURE_TPM_PCR_SELECTION_H
#define MEASURE_TPM_PCR_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rdwr.h"

#define PCR_COUNT 24
#define PCR_ALL 0xffffffu /* mask of all PCRs */
#define PCR_MAX_BANKS 4

/* Banks in the order of the TPML_PCR_SELECTION. */
struct pcr_sel {
	uint32_t n;
	struct {
		uint16_t alg;
		uint32_t mask;
	} banks[PCR_MAX_BANKS];
};

/* TPML_PCR_SELECTION with sizeofSelect 3. */
void pcr_sel_put(struct wr *w, const struct pcr_sel *sel);
/* Reads one; sizeofSelect 1..4, bits past 23 are VT_E_RANGE; a bank with no
 * bit is kept. */
void pcr_sel_get(struct rd *r, struct pcr_sel *ret);
/* Same banks in the same order with the same bits. */
bool pcr_sel_equal(const struct pcr_sel *a, const struct pcr_sel *b);
/* Text "sha256:0,2-7+sha384:8" or "sha256:all".  VT_E_FORMAT. */
int pcr_sel_parse(const char *text, struct pcr_sel *ret) VT_CHECK;
/* The inverse; cut short at cap. */
void pcr_sel_format(const struct pcr_sel *sel, char *out, size_t cap);

#endif
