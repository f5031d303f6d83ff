/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bundle.h - the bundle that a guest hands to a verifier, and its verdict.
 *
 * Layer:  measure; no I/O, no logging.  JSON by jansson.
 * Spec:   doc/FORMATS.md, "Evidence".
 * Trust:  a bundle is hostile input.  What its quote signs: the PCRs, and
 *         through qualifyingData the nonce and the digests of log, journal,
 *         launch record and info.  That binds the parts to one another and
 *         to this nonce; what is true in them only the PCRs tell, and for
 *         info nothing does but the guest's word.
 * Limits: EV_MAX_*.
 */
#ifndef MEASURE_EVIDENCE_BUNDLE_H
#define MEASURE_EVIDENCE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "base/util.h"
#include "measure/appraise/appraise.h"
#include "measure/log/launch_record.h"
#include "measure/tpm/pcr.h"
#include "measure/appraise/policy.h"
#include "measure/tpm/quote.h"
#include "measure/cert/x509.h"

struct deep_host;   /* measure/evidence/verify_deep.h */
struct boot_memory; /* measure/evidence/boot_memory.h */

#define EV_MAX_LEN (6u * 1024 * 1024) /* bytes of JSON */
#define EV_MAX_BLOB (1024u * 1024)    /* bytes of one part */
#define EV_NONCE_MIN 8
#define EV_NONCE_MAX 64
#define EV_ERR_MAX 160 /* an error in words */
#define EV_WORDS_MAX 320

struct ev_blob { /* owned by the bundle; NULL: absent */
	uint8_t *p;
	size_t len;
};

enum ev_part { /* binary parts, in the order of the JSON file */
	EV_NONCE,
	EV_QUOTE,     /* TPMS_ATTEST */
	EV_SIGNATURE, /* TPMT_SIGNATURE */
	EV_AK_PUBLIC, /* TPM2B_PUBLIC */
	EV_AK_CERT,   /* DER */
	EV_EK_CERT,   /* DER */
	EV_LOG,       /* the guest's TCG event log */
	EV_JOURNAL,   /* measure/log/journal.h */
	EV_LAUNCH,    /* measure/log/launch_record.h */
	EV_HOST_LOG,  /* the host-made TCG event log */
	EV_INFO, /* parameters of VSUB_INFO's answer, vtpm/engine/vendor.h */
	/* The answer to a deep quote, measure/evidence/deep_leaf.h.  It is made
	 * after the quote, so the quote cannot bind it: it binds the quote. */
	EV_DEEP,
	EV_NPARTS
};

struct evidence {
	struct ev_blob part[EV_NPARTS];
	struct pcr_set pcrs; /* banks ascending by algorithm */
};

/* An empty bundle.  VT_E_NOMEM. */
int evidence_new(struct evidence **ret) VT_CHECK;
void evidence_free(struct evidence *ev); /* NULL is a no-op */
/* Copy bytes in.  VT_E_RANGE: over EV_MAX_BLOB; VT_E_NOMEM. */
int evidence_set(
    struct evidence *ev, enum ev_part part, const void *p, size_t len) VT_CHECK;

/*
 * JSON -> bundle.  Nonce, quote, signature and ak_public must be there, the
 * rest may be null or absent; an unknown or doubled key is an error.
 * VT_E_RANGE, VT_E_FORMAT, VT_E_UNSUPPORTED (another version), VT_E_NOMEM;
 * err then says what and where.  *ret: evidence_free().
 */
int evidence_parse(const void *json, size_t len, struct evidence **ret,
    char err[EV_ERR_MAX]) VT_CHECK;
/* *ret: heap, free().  VT_E_NOMEM. */
int evidence_format(const struct evidence *ev, char **ret) VT_CHECK;

/* The selection that a quote over exactly ev->pcrs has. */
void evidence_selection(const struct evidence *ev, struct pcr_sel *ret);
/* qualifyingData that binds the quote to nonce and parts.  VT_E_CRYPTO. */
int evidence_qualify(
    const struct evidence *ev, uint8_t out[SHA256_LEN]) VT_CHECK;

/* As VIF_* in vtpm/engine/vendor.h. */
enum { EVI_CAPPED = 1, EVI_RESTORED = 2, EVI_LAUNCHED = 4, EVI_SOFT_ROOT = 8 };

struct ev_info {
	uint8_t uuid[UUID_LEN];
	uint32_t group;
	uint64_t generation, version;
	uint32_t power_cycles, flags;
	char build[256];
};
/* VT_E_TRUNC, VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED. */
int evidence_info_get(
    const uint8_t *buf, size_t len, struct ev_info *ret) VT_CHECK;

enum ev_outcome {
	EVO_PASS,
	EVO_NOTE,   /* worth knowing */
	EVO_CANNOT, /* undecided, unless something fails */
	EVO_FAIL,   /* refuses */
};

struct ev_check {
	const char *id; /* static; stable, for scripts */
	enum ev_outcome outcome;
	char words[EV_WORDS_MAX];
};

#define EV_MAX_CHECKS 96

struct ev_report {
	enum ap_verdict verdict;
	uint32_t n;
	struct ev_check checks[EV_MAX_CHECKS];
	/* What the evidence says, meaningful for verdict AP_ACCEPTED, and for
	 * others as far as the checks go. */
	bool have_instance;
	struct cert_ext_instance instance; /* from the AK certificate */
	uint8_t root;                      /* enum cert_ext_root; 0 unknown */
	bool worker_restarted;
	bool restored;
	struct quote_report quote;
	struct x509_report certs;
	struct ap_report *appraisal; /* or NULL: not got that far */
};

struct ev_want {
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
 * was made.  All borrowed.  *ret: evidence_report_free().  VT_E_NOMEM,
 * VT_E_CRYPTO.
 */
int evidence_verify(const struct evidence *ev, const struct ev_want *want,
    struct ev_report **ret) VT_CHECK;
void evidence_report_free(struct ev_report *r); /* NULL is a no-op */
/* The report as JSON text; heap, free().  NULL: no memory. */
char *evidence_report_json(const struct ev_report *r);

const char *ev_outcome_name(enum ev_outcome o); /* "pass", "fail", ... */

#endif
