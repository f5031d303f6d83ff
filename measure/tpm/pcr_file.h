/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcr_file.h - the PCR values that tpm2_quote --pcr writes.
 *
 * Layer:  measure; may include base only.  No I/O, no logging.
 * Spec:   tpm2-tools 5, tpm2_quote(1), --pcrs_format: "serialized" (C structs,
 *         little-endian) and "values".
 * Bytes:  serialized: TPML_PCR_SELECTION as in memory (132 bytes: le32 count,
 *         16 * { le16 alg | u8 size | 4 bytes of bits | 1 byte of padding }) |
 *         le32 lists | lists * { le32 count | 8 * { le16 size | 64 bytes } };
 *         values: the digests alone, in the order of the selection.
 */
#ifndef MEASURE_TPM_PCR_FILE_H
#define MEASURE_TPM_PCR_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rdwr.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"

#define PCR_FILE_MAX 16384 /* bytes */

/*
 * Parse a file of either kind; quoted is the selection of a file of values.
 * ret_sel is set to the selection of the file.  VT_E_TRUNC, VT_E_FORMAT,
 * VT_E_RANGE, VT_E_UNSUPPORTED (a bank).
 */
int pcr_file_get(const uint8_t *buf, size_t len, const struct pcr_sel *quoted,
    struct pcr_sel *ret_sel, struct pcr_set *ret) VT_CHECK;

/* Append the values that set knows, serialized. */
void pcr_file_put(struct wr *w, const struct pcr_set *set);

#endif
