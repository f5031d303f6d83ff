/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote_memory.h - the digests of the last quotes that this TPM produced.
 *
 * Layer:  vtpm; pure.
 * A deep quote vouches only for a quote that this worker saw its own TPM
 * make.  Digest: SHA-256(TPMS_ATTEST || TPMT_SIGNATURE), as the response
 * carries them, without the TPM2B size of the first.
 */
#ifndef VTPM_ENGINE_QUOTE_MEMORY_H
#define VTPM_ENGINE_QUOTE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/state/state.h"

struct quotes {
	uint16_t n;    /* remembered, <= QUOTES_MAX */
	uint16_t next; /* where the next one goes */
	uint8_t digest[QUOTES_MAX][QUOTE_LEN];
};

/*
 * Look at a TPM2_Quote command and its response; 1: remembered, 0: not (it
 * failed, or a session encrypts the response).  VT_E_TRUNC, VT_E_FORMAT,
 * VT_E_CRYPTO.
 */
int quotes_note(struct quotes *q, const struct tpm_cmd *cmd,
    const uint8_t *resp, size_t rlen) VT_CHECK;
bool quotes_has(const struct quotes *q, const uint8_t digest[QUOTE_LEN]);

/* Oldest first into out (QUOTES_MAX * QUOTE_LEN bytes); returns bytes. */
size_t quotes_save(const struct quotes *q, uint8_t *out);
/* len is a multiple of QUOTE_LEN, at most QUOTES_MAX of them. */
void quotes_load(struct quotes *q, const uint8_t *p, size_t len);

#endif
