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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/util.h"
#include "vtpm/engine/tpm_command.h"
#include "vtpm/engine/vendor.h"
#include "vtpm/proto/worker_msg.h"

#define VENDOR_CHUNK_HDR 18 /* bytes before the text in a chunk's response */

/* A TPM_CC_VTPM command that was opened. */
struct vendor_request {
	uint16_t sub;     /* VSUB_*, or unknown */
	struct rd params; /* borrows from the command */
};

/* What the command can tell; borrowed. */
struct vendor_facts {
	uint8_t uuid[UUID_LEN];
	uint32_t group;
	uint64_t generation, version;
	uint32_t power_cycles;
	uint32_t flags;                   /* VIF_* */
	const char *build;                /* of the manager; not NULL */
	struct wblob text[VSUB_LAST + 1]; /* by VSUB_*, where read in parts */
};

/* Is it the command, in either form? */
bool vendor_is(const struct tpm_cmd *c);
/* VT_E_TRUNC, VT_E_FORMAT (sessions): the answer is RC_SIZE. */
int vendor_open(const struct tpm_cmd *c, struct vendor_request *ret) VT_CHECK;

/* Answer it: at most cap bytes (>= 64) to out; returns the length. */
size_t vendor_answer(const struct vendor_facts *f,
    const struct vendor_request *q, uint8_t *out, size_t cap);

/* Parts of an answer: its header up to sub; its length once w is complete
 * (RC_SIZE if it did not fit); an error instead.  The two last return the
 * length of the response. */
void vendor_begin(struct wr *w, uint8_t *out, size_t cap, uint16_t sub);
size_t vendor_end(struct wr *w);
size_t vendor_fail(uint8_t *out, uint32_t tpm_rc);

/*
 * Complete libtpms' answer to TPM2_GetCapability in resp (room for cap
 * bytes); returns its new length, or len when there is nothing to add.
 */
size_t vendor_patch_capability(
    const struct tpm_cmd *cmd, uint8_t *resp, size_t len, size_t cap);

#endif
