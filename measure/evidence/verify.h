/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify.h - judge a bundle of evidence: every check, with a reason.
 *
 * Layer:  measure; no I/O, no logging.
 * Spec:   doc/FORMATS.md, "Evidence", checks.
 * Trust:  the bundle is hostile input; what it is held against is the
 *         verifier's own.
 */
#ifndef MEASURE_EVIDENCE_VERIFY_H
#define MEASURE_EVIDENCE_VERIFY_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "measure/appraise/policy.h"
#include "measure/evidence/boot_memory.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/deep_host.h"
#include "measure/evidence/report.h"
#include "measure/tpm/quote.h"

struct boot_memory; /* measure/evidence/boot_memory.h */
struct deep_host;   /* measure/evidence/deep_host.h */

struct verify_want {
	const uint8_t *nonce; /* the one that was given out */
	size_t nonce_len;
	const struct policy *policy;
	const uint8_t *ca; /* PEM or DER; NULL: none */
	size_t ca_len;
	const uint8_t *uuid; /* of the vTPM that it must be, or NULL */
	time_t now;          /* 0: the system's clock */
	/* An earlier quote of the same vTPM, or NULL. */
	const struct quote_attest *last;
	/* firmwareVersion that its TPM must have, or NULL: any. */
	const uint64_t *firmware;
	/* The host that it must stand on, with its accepted states, or NULL;
	 * its CA is then taken where ca is NULL.  Not const: it remembers
	 * what it has verified. */
	struct deep_host *host;
	/* Boots that policy accepted before, or NULL; not looked at if it was
	 * made for another policy. */
	struct boot_memory *boots;
	/* SHA-256 of the key of the channel over which the verifier talks
	 * to the guest, or NULL: the deep quote must name it. */
	const uint8_t *channel_key;
};

/*
 * Judge ev.  A refusal is not an error: it is in *ret, with every check that
 * was made.  All borrowed.  *ret: report_free().  VT_E_NOMEM,
 * VT_E_CRYPTO.
 */
int verify_bundle(const struct bundle *ev, const struct verify_want *want,
    struct report **ret) VT_CHECK;

#endif
