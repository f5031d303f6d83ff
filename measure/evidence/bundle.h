/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bundle.h - the bundle of evidence that a guest hands to a verifier.
 *
 * Layer:  measure; no I/O, no logging.  JSON by jansson.
 * Spec:   doc/FORMATS.md, "Evidence".
 * Trust:  a bundle is hostile input.  What its quote signs: the PCRs, and
 *         through qualifyingData the nonce and the digests of log, journal,
 *         launch record and info.  That binds the parts to one another and
 *         to this nonce.  Whether they are true only the PCRs show; info is
 *         no more than the guest's claim.
 * Limits: EV_MAX_*.
 */
#ifndef MEASURE_EVIDENCE_BUNDLE_H
#define MEASURE_EVIDENCE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"

#define BUNDLE_FORMAT "vtpm-evidence"     /* member "format" of the JSON */
#define BUNDLE_MAX_LEN (6u * 1024 * 1024) /* bytes of JSON */
#define BUNDLE_MAX_BLOB (1024u * 1024)    /* bytes of one part */
#define BUNDLE_NONCE_MIN 8
#define BUNDLE_NONCE_MAX 64
#define BUNDLE_ERR_MAX 160 /* bytes of an error text */

struct bundle_blob { /* owned by the bundle; NULL: absent */
	uint8_t *p;
	size_t len;
};

enum bundle_part { /* binary parts, in the order of the JSON file */
	BUNDLE_NONCE,
	BUNDLE_QUOTE,     /* TPMS_ATTEST */
	BUNDLE_SIGNATURE, /* TPMT_SIGNATURE */
	BUNDLE_AK_PUBLIC, /* TPM2B_PUBLIC */
	BUNDLE_AK_CERT,   /* DER */
	BUNDLE_EK_CERT,   /* DER */
	BUNDLE_LOG,       /* the guest's TCG event log */
	BUNDLE_JOURNAL,   /* measure/log/journal.h */
	BUNDLE_LAUNCH,    /* measure/log/launch_record.h */
	BUNDLE_HOST_LOG,  /* the host-made TCG event log */
	BUNDLE_INFO, /* parameters of VSUB_INFO's answer, vtpm/engine/vendor.h
		      */
	/* The answer to a deep quote, measure/evidence/deep_leaf.h.  It is made
	 * after the quote, so the quote cannot bind it: it binds the quote. */
	BUNDLE_DEEP,
	BUNDLE_NPARTS
};

struct bundle {
	struct bundle_blob part[BUNDLE_NPARTS];
	struct pcr_set pcrs; /* banks ascending by algorithm */
};

/* An empty bundle.  VT_E_NOMEM. */
int bundle_new(struct bundle **ret) VT_CHECK;
void bundle_free(struct bundle *ev); /* NULL is a no-op */
/* Copy bytes in.  VT_E_RANGE: over BUNDLE_MAX_BLOB; VT_E_NOMEM. */
int bundle_set(struct bundle *ev, enum bundle_part part, const void *p,
    size_t len) VT_CHECK;

/*
 * JSON -> bundle.  Nonce, quote, signature and ak_public must be there, the
 * rest may be null or absent; an unknown or doubled key is an error.
 * VT_E_RANGE, VT_E_FORMAT, VT_E_UNSUPPORTED (another version), VT_E_NOMEM;
 * err then says what and where.  *ret: bundle_free().
 */
int bundle_parse(const void *json, size_t len, struct bundle **ret,
    char err[BUNDLE_ERR_MAX]) VT_CHECK;
/* *ret: heap, free().  VT_E_NOMEM. */
int bundle_format(const struct bundle *ev, char **ret) VT_CHECK;

/* The selection that a quote over exactly ev->pcrs has. */
void bundle_selection(const struct bundle *ev, struct pcr_sel *ret);
/* qualifyingData that binds the quote to nonce and parts.  VT_E_CRYPTO. */
int bundle_qualify(const struct bundle *ev, uint8_t out[SHA256_LEN]) VT_CHECK;

/* As VIF_* in vtpm/engine/vendor.h. */
enum {
	BUNDLE_F_CAPPED = 1,
	BUNDLE_F_RESTORED = 2,
	BUNDLE_F_LAUNCHED = 4,
	BUNDLE_F_SOFT_ROOT = 8,
	BUNDLE_F_UNSEEN = 16, /* the host did not see the last reset */
	BUNDLE_F_ALL = 31
};

struct bundle_info {
	uint8_t uuid[UUID_LEN];
	uint32_t group;
	uint64_t generation, version;
	uint32_t power_cycles, flags;
	char build[256];
};
/* VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED. */
int bundle_info_get(
    const uint8_t *buf, size_t len, struct bundle_info *ret) VT_CHECK;

/* SHA-256 of the parts that the quote's qualifyingData binds, made once. */
struct bundle_digests {
	bool there[BUNDLE_NPARTS];
	uint8_t d[BUNDLE_NPARTS][SHA256_LEN];
};
int bundle_digests(
    const struct bundle *ev, struct bundle_digests *ret) VT_CHECK;
/* part(x) of doc/FORMATS.md, "Evidence". */
void bundle_put_part(
    struct wr *w, const struct bundle_digests *dig, enum bundle_part part);
int bundle_qualify_by(const struct bundle *ev, const struct bundle_digests *dig,
    uint8_t out[SHA256_LEN]) VT_CHECK;

#endif
