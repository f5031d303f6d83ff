/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcti_retry.h - the way to the physical TPM: any TCTI, made bounded.
 *
 * Layer:  vtpm_manager, in vtpm-hwtpm only.
 * Spec:   TCG TSS 2.0 TCTI 1.0; TPM 2.0 Library, Part 2, 6.6.3 (warnings:
 *         the same command is to be sent again), Part 1, 39 (retries).
 * A TCTI of our own stands between ESYS and the one that the operator
 * named.  It sends a command again, with back-off, when the TPM answers
 * RETRY, YIELDED, TESTING, NV_RATE or NV_UNAVAILABLE; it limits how long an
 * answer may take; it counts.  When the device is lost it says so once and
 * for all: then close it and open a new one.
 */
#ifndef VTPM_MANAGER_HWTPM_TCTI_RETRY_H
#define VTPM_MANAGER_HWTPM_TCTI_RETRY_H

#include <tss2/tss2_tcti.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HWTCTI_MAX 4096 /* bytes of a command or response */

struct hwtcti_limits {
	unsigned int answer_ms; /* for one command */
	unsigned int keygen_ms; /* for one that makes a key */
	unsigned int retry_ms;  /* for repeats since hwtcti_begin() */
	unsigned int stuck_ms;  /* beyond the above, until SIGALRM, for TCTIs
				   without time limits; 0: never */
};
extern const struct hwtcti_limits hwtcti_default_limits;

/* Kept by the caller, across opens. */
struct hwtcti_counts {
	uint64_t commands, retries, failures;
};

struct hwtcti; /* opaque */

/*
 * conf: "tpmfront:..." (linked in) or anything that Tss2_TctiLdr_Initialize
 * takes.  limits and counts are borrowed.  VT_E_NOMEM; VT_E_TPM:
 * *ret_tss_rc says why.
 */
int hwtcti_open(const char *conf, const struct hwtcti_limits *limits,
    struct hwtcti_counts *counts, struct hwtcti **ret,
    uint32_t *ret_tss_rc) VT_CHECK;
void hwtcti_close(struct hwtcti *t); /* NULL is a no-op */

/* For Esys_Initialize(); borrowed, until hwtcti_close(). */
TSS2_TCTI_CONTEXT *hwtcti_context(struct hwtcti *t);
/* A new piece of work: it may repeat commands for limits->retry_ms. */
void hwtcti_begin(struct hwtcti *t);
bool hwtcti_is_lost(const struct hwtcti *t);

/*
 * Send one command without ESYS.  rsp has room for HWTCTI_MAX bytes.  Returns
 * 0 for a well-formed response of whatever code, else a TSS2_RC.
 */
uint32_t hwtcti_command(struct hwtcti *t, const uint8_t *cmd, size_t len,
    uint8_t *rsp, size_t *ret_len) VT_CHECK;

#endif
