/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote_verify.h - verify a TPM 2.0 quote step by step, failing closed.
 *
 * Layer:  measure; no I/O, no logging, no TPM library.
 * Spec:   TPM 2.0 Library, Part 3, 18.4 (TPM2_Quote).
 * Trust:  quote and signature are hostile input.  The caller vouches for the
 *         AK (see measure/cert/x509.h) and says what the quote must carry.
 */
#ifndef MEASURE_TPM_QUOTE_VERIFY_H
#define MEASURE_TPM_QUOTE_VERIFY_H

#include <openssl/evp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/quote.h"
#include "measure/tpm/step.h"
#include "measure/tpm/tpm_public.h"

/* True if sig is a TPMT_SIGNATURE over msg by this key, with the scheme and
 * hash of pub, and not with SHA-1.  key: from tpm_pub_to_evp(). */
bool quote_signature_ok(const struct tpm_pub *pub, EVP_PKEY *key,
    const uint8_t *msg, size_t len, const uint8_t *sig, size_t sig_len);

/* The steps of a verification, in the order in which they are taken. */
enum quote_step {
	QS_AK_PUBLIC,  /* the AK's public area is well-formed and strong */
	QS_AK_ATTRS,   /* restricted signing key that cannot leave its TPM */
	QS_SCHEME,     /* signature scheme and hash are those of the AK */
	QS_SIGNATURE,  /* over these very bytes */
	QS_ATTEST,     /* magic, type, structure, no bytes left over */
	QS_EXTRA,      /* qualifyingData: fresh and ours */
	QS_SIGNER,     /* the AK is a child of this EK */
	QS_SELECTION,  /* exactly the requested PCRs, none in SHA-1 */
	QS_PCR_DIGEST, /* the PCR values shown are those signed */
	QS_CLOCK,      /* the TPM's clock and counters make sense */
	QS_FIRMWARE,   /* the TPM's firmware is the expected one */
	QS_N
};

struct quote_want {
	const uint8_t *ak_pub; /* TPMT_PUBLIC; borrowed */
	size_t ak_pub_len;
	EVP_PKEY *ak_key;     /* ak_pub for OpenSSL, or NULL; borrowed */
	const uint8_t *extra; /* the qualifyingData that it must carry */
	size_t extra_len;
	bool stock;      /* extra is the nonce itself: 8 bytes are enough */
	bool any_signer; /* the caller trusts the AK: no EK is asked for */
	struct tpm_name ek_name;
	const struct pcr_sel *sel;  /* what was asked for */
	const struct pcr_set *pcrs; /* the values that it must cover */
	/* Clock of an earlier quote of this TPM, or NULL: counters may not
	 * run backwards. */
	const struct quote_attest *last;
	/* firmwareVersion that it must have, or NULL: any. */
	const uint64_t *firmware;
};

struct quote_report {
	enum step_outcome outcome[QS_N];
	enum quote_step failed;     /* QS_N if none */
	const char *why;            /* static text about failed, or NULL */
	struct quote_attest attest; /* meaningful once QS_ATTEST passed */
	struct tpm_name ak_name;    /* meaningful once QS_AK_PUBLIC passed */
	/* The TPM was reset or restarted since want->last. */
	bool rebooted;
};

/*
 * Verify.  VT_OK: every step passed.  VT_E_AUTH: ret->failed says which
 * step did not, later ones are STEP_NOT_REACHED.  ret is always filled.
 */
int quote_verify(const struct quote_want *want, const uint8_t *attest,
    size_t attest_len, const uint8_t *sig, size_t sig_len,
    struct quote_report *ret) VT_CHECK;

/* A short name of a step for machines ("signature"), and what it is about
 * in words. */
const char *quote_step_id(enum quote_step s);
const char *quote_step_words(enum quote_step s);

#endif
