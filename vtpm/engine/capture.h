/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * capture.h - builds the extend journal from the commands that a TPM ran.
 *
 * Layer:  vtpm; uses the engine where a command's own bytes do not say what
 *         happened.
 * Trust:  commands are the guest's bytes; only those that the TPM accepted
 *         reach this file, and every length is checked again.
 * Limits: a TPM 1.2 extend inside TPM_ExecuteTransport is not seen: the
 *         journal's replay then differs from the PCRs, and a verifier that
 *         compares them refuses.
 */
#ifndef VTPM_ENGINE_CAPTURE_H
#define VTPM_ENGINE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "measure/log/journal.h"
#include "measure/tpm/pcr_selection.h"
#include "vtpm/engine/tpm_command.h"

struct capture {
	struct journal *journal; /* never NULL after capture_init() */
	uint32_t nbanks;
	uint16_t algs[PCR_MAX_BANKS];
	/* A hash sequence in progress: one per bank, or all NULL. */
	struct digest_ctx *seq[PCR_MAX_BANKS];
};

/* An empty journal; c is zeroed or was in use.  VT_E_NOMEM.  The journal
 * starts with the SHA-256 bank (TPM 1.2: SHA-1); capture_startup() corrects
 * that. */
int capture_init(struct capture *c, bool tpm2) VT_CHECK;

/*
 * TPM2_Startup or TPM_Startup succeeded: learn the active banks and note
 * it.  clear: not resumed from a saved state.  Uses the engine.
 */
int capture_startup(struct capture *c, uint8_t locality, bool clear) VT_CHECK;
/* Go on with an encoded journal. */
int capture_load(struct capture *c, const uint8_t *p, size_t len) VT_CHECK;

/*
 * Note what a command that succeeded (CT_PCRS of vtpm/engine/command_table.h)
 * did.  Uses the engine for CT_RESET: resp must then not be the engine's own
 * buffer. VT_E_TRUNC, VT_E_FORMAT: its bytes contradict its success;
 * VT_E_NOMEM.
 */
int capture_command(struct capture *c, const struct tpm_cmd *cmd,
    const uint8_t *resp, size_t rlen) VT_CHECK;

/* HASH_START, HASH_DATA, HASH_END went through.  started: the TPM had had a
 * Startup in this power cycle (PCR 17), else H-CRTM (PCR 0). */
int capture_hash_start(struct capture *c, bool started) VT_CHECK;
int capture_hash_data(struct capture *c, const uint8_t *p, size_t len) VT_CHECK;
int capture_hash_end(struct capture *c) VT_CHECK;

#endif
