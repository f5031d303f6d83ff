/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vendor_command.h - the worker's side of TPM_CC_VTPM (vtpm/engine/vendor.h).
 *
 * Layer:  vtpm; pure: no engine, no I/O.
 * Spec:   TPM 2.0 Library, Part 3, 30.2 (TPM2_GetCapability); Part 2, 6.13
 *         (TPM_PT_TOTAL_COMMANDS, TPM_PT_VENDOR_COMMANDS), 8.9 (TPMA_CC).
 * Trust:  the command is the guest's bytes.
 *
 * Linux lets a command through /dev/tpmrm0 only if TPM2_GetCapability lists
 * it, and it asks first for TPM_PT_TOTAL_COMMANDS and then demands exactly
 * that many; so both answers of libtpms are completed here.  An answer that
 * a session authenticates is left alone: changing it would break its HMAC.
 */
#ifndef VTPM_ENGINE_VENDOR_COMMAND_H
#define VTPM_ENGINE_VENDOR_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/util.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm/engine/vendor.h"

#define VENDOR_CHUNK_HDR 18 /* bytes before the text in a chunk's response */

/* What the command can tell; borrowed. */
struct vendor_facts {
	uint8_t uuid[UUID_LEN];
	uint32_t group;
	uint64_t generation, version;
	uint32_t power_cycles;
	uint32_t flags;    /* VIF_* */
	const char *build; /* of the manager; not NULL */
	struct wblob log, journal, launch, ak_cert, ek_rsa_cert, ek_ecc_cert;
};

/* The subcommand of a TPM_CC_VTPM command, 0 if it has none. */
uint16_t vendor_sub(const uint8_t *cmd, size_t len);
/* The offset that a chunked subcommand asks for, 0 if it has none. */
uint32_t vendor_offset(const uint8_t *cmd, size_t len);

/* Answer it: at most cap bytes (>= 64) to out; returns the length. */
size_t vendor_answer(const struct vendor_facts *f, const uint8_t *cmd,
    size_t len, uint8_t *out, size_t cap);

/*
 * Complete libtpms' answer to TPM2_GetCapability in resp (room for cap
 * bytes); returns its new length, or len when there is nothing to add.
 */
size_t vendor_patch_capability(
    const uint8_t *cmd, size_t clen, uint8_t *resp, size_t len, size_t cap);

#endif
