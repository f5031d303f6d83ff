/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote.h - parse and verify a TPM 2.0 quote, every step, failing closed.
 *
 * Layer:  measure; no I/O, no logging, no TPM library.
 * Spec:   TPM 2.0 Library, Part 2: 10.12.12 (TPMS_ATTEST), 11.3.4
 *         (TPMT_SIGNATURE), 12.2.4 (TPMT_PUBLIC), 8.3 (TPMA_OBJECT);
 *         Part 1: 16 (names), 26.6 (qualified names); Part 3: 18.4
 *         (TPM2_Quote).
 * Bytes:  big-endian on the wire, host order in these structs.
 * Trust:  all of it is hostile input; the caller vouches for the AK (see
 *         x509.h) and chooses what the quote must say.
 * Limits: RSA 2048..4096, P-256, P-384, P-521; PCR_MAX_BANKS banks.
 */
#ifndef MEASURE_TPM_QUOTE_H
#define MEASURE_TPM_QUOTE_H

#include <openssl/evp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/rdwr.h"
#include "measure/tpm/pcr.h"

#define QUOTE_RSA_MAX 512 /* bytes of a modulus or RSA signature */
#define QUOTE_ECC_MAX 66  /* bytes of a coordinate, r or s */
#define QUOTE_PUB_MAX 1024
#define QUOTE_ATTEST_MAX 2048
#define QUOTE_SIG_MAX 1024

/* TPM_ALG_ID (Part 2, 6.3); digests are in base/crypto.h. */
enum {
	TA_RSA = 0x0001,
	TA_NULL = 0x0010,
	TA_RSASSA = 0x0014,
	TA_RSAPSS = 0x0016,
	TA_ECDSA = 0x0018,
	TA_ECC = 0x0023,
};

/* TPMA_OBJECT (Part 2, 8.3). */
enum {
	TO_FIXED_TPM = 1 << 1,
	TO_ST_CLEAR = 1 << 2,
	TO_FIXED_PARENT = 1 << 4,
	TO_SENSITIVE_ORIGIN = 1 << 5,
	TO_USER_WITH_AUTH = 1 << 6,
	TO_ADMIN_POLICY = 1 << 7,
	TO_NO_DA = 1 << 10,
	TO_RESTRICTED = 1 << 16,
	TO_DECRYPT = 1 << 17,
	TO_SIGN = 1 << 18,
};

/* A Name: be16 hash algorithm and its digest. */
struct tpm_name {
	uint16_t len; /* bytes used in b; 0: none */
	uint8_t b[2 + DIGEST_MAX];
};

struct quote_attest {           /* TPMS_ATTEST of type TPM_ST_ATTEST_QUOTE */
	struct tpm_name signer; /* qualified */
	uint16_t extra_len;
	uint8_t extra[DIGEST_MAX + 2];
	uint64_t clock; /* ms */
	uint32_t reset_count, restart_count;
	bool safe;
	uint64_t firmware;
	struct pcr_sel sel;
	uint16_t digest_len;
	uint8_t digest[DIGEST_MAX];
};

struct tpm_sig {      /* TPMT_SIGNATURE */
	uint16_t alg; /* TA_RSASSA, TA_RSAPSS, TA_ECDSA */
	uint16_t hash;
	const uint8_t *r, *s; /* borrowed; RSA: r is the signature, s NULL */
	size_t r_len, s_len;
};

struct tpm_pub {       /* TPMT_PUBLIC of an asymmetric key */
	uint16_t type; /* TA_RSA, TA_ECC */
	uint16_t name_alg;
	uint32_t attrs;       /* TO_* */
	uint16_t scheme;      /* TA_NULL or signing scheme */
	uint16_t hash;        /* of the scheme; 0 if TA_NULL */
	uint16_t bits;        /* RSA */
	uint32_t exponent;    /* RSA; 0 on the wire reads 65537 here */
	uint16_t curve;       /* ECC: TPM_ECC_NIST_P256 3, P384 4, P521 5 */
	const uint8_t *x, *y; /* borrowed; RSA: x is the modulus, y NULL */
	size_t x_len, y_len;
};

/*
 * Parsers.  All of buf must be used up.  Magic and type are parsed into the
 * decision: TPMS_ATTEST that is not TPM_GENERATED_VALUE and a quote is
 * VT_E_FORMAT.  Otherwise VT_E_TRUNC, VT_E_FORMAT (bytes left over), VT_E_RANGE
 * (over a limit above), VT_E_UNSUPPORTED (algorithm).
 */
int quote_attest_get(
    const uint8_t *buf, size_t len, struct quote_attest *ret) VT_CHECK;
int quote_sig_get(const uint8_t *buf, size_t len, struct tpm_sig *ret) VT_CHECK;
/* TPMT_PUBLIC. */
int tpm_pub_get(const uint8_t *buf, size_t len, struct tpm_pub *ret) VT_CHECK;
/* TPM2B_PUBLIC -> the TPMT_PUBLIC inside, borrowed from buf. */
int tpm_pub_unwrap(const uint8_t *buf, size_t len, const uint8_t **ret,
    size_t *ret_len) VT_CHECK;

/* Name of a TPMT_PUBLIC under name_alg.  VT_E_UNSUPPORTED, VT_E_CRYPTO. */
int tpm_name_of(uint16_t name_alg, const uint8_t *pub, size_t len,
    struct tpm_name *ret) VT_CHECK;
/* Qualified name of an object; the parent's is its own qualified name, or
 * for a primary object the hierarchy's handle (4 bytes). */
int tpm_qualified_name(const void *parent, size_t parent_len,
    const struct tpm_name *name, struct tpm_name *ret) VT_CHECK;
/* Qualified name of a child of an EK, a primary of the endorsement hierarchy.
 */
int tpm_child_name(const struct tpm_name *ek, const struct tpm_name *name,
    struct tpm_name *ret) VT_CHECK;
bool tpm_name_equal(const struct tpm_name *a, const struct tpm_name *b);

/* An OpenSSL public key from pub; the caller frees it.  VT_E_RANGE: too
 * small, VT_E_UNSUPPORTED, VT_E_CRYPTO (a point not on its curve). */
int tpm_pub_to_evp(const struct tpm_pub *pub, EVP_PKEY **ret) VT_CHECK;

/* sig is a TPMT_SIGNATURE over msg by this key, scheme and hash those of pub,
 * no SHA-1.  key: from tpm_pub_to_evp(). */
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
enum quote_outcome { QO_NOT_REACHED = 0, QO_PASS = 1, QO_FAIL = 2 };

struct quote_want {
	const uint8_t *ak_pub; /* TPMT_PUBLIC; borrowed */
	size_t ak_pub_len;
	EVP_PKEY *ak_key;     /* ak_pub for OpenSSL, or NULL; borrowed */
	const uint8_t *extra; /* the qualifyingData that it must carry */
	size_t extra_len;
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
	enum quote_outcome outcome[QS_N];
	enum quote_step failed;     /* QS_N if none */
	const char *why;            /* static text about failed, or NULL */
	struct quote_attest attest; /* meaningful once QS_ATTEST passed */
	struct tpm_name ak_name;    /* meaningful once QS_AK_PUBLIC passed */
	/* The TPM was reset or restarted since want->last. */
	bool rebooted;
};

/*
 * Verify.  VT_OK: every step passed.  VT_E_AUTH: ret->failed says which
 * step did not, later ones are QO_NOT_REACHED.  ret is always filled.
 */
int quote_verify(const struct quote_want *want, const uint8_t *attest,
    size_t attest_len, const uint8_t *sig, size_t sig_len,
    struct quote_report *ret) VT_CHECK;

/* A short name of a step for machines ("signature"), and what it is about
 * in words. */
const char *quote_step_id(enum quote_step s);
const char *quote_step_words(enum quote_step s);

#endif
