/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_identity.h - who a host is: its identity for enrolment, the record that
 * a verifier keeps of it, and the check of both up to the manufacturer's root.
 *
 * Layer:  measure; no I/O, no logging.
 * Spec:   doc/FORMATS.md, "Enrolment of a host"; TCG EK Credential Profile
 *         2.5; TPM 2.0 Library, Part 2, 10.12.4 (TPMS_CERTIFY_INFO).
 * Trust:  an identity is hostile input until the host's TPM has answered a
 *         challenge for it (measure/cert/make_credential.h); the roots are the
 *         verifier's own choice, the record is what it keeps itself.
 */
#ifndef MEASURE_HOST_HOST_IDENTITY_H
#define MEASURE_HOST_HOST_IDENTITY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "measure/tpm/quote.h"

#define HOST_IDENTITY_MAX_LEN (256u * 1024) /* bytes of JSON */
#define HOST_IDENTITY_ERR_MAX 160
#define HOST_IDENTITY_CHAIN_MAX 8
#define HOST_IDENTITY_HOST_MAX 63
#define HOST_IDENTITY_WHY_MAX 256

enum host_identity_part {
	HI_EK_PUBLIC, /* TPM2B_PUBLIC */
	HI_EK_CERT,   /* DER */
	HI_AK_PUBLIC, /* TPM2B_PUBLIC */
	HI_CA_PUBLIC, /* TPM2B_PUBLIC */
	HI_CA_CERT,   /* DER */
	HI_CA_ATTEST, /* TPMS_ATTEST of TPM2_Certify */
	HI_CA_SIG,    /* TPMT_SIGNATURE */
	HI_NPARTS
};

struct host_identity_blob { /* owned; NULL: absent */
	uint8_t *p;
	size_t len;
};

struct hostid {
	char host[HOST_IDENTITY_HOST_MAX + 1];
	struct host_identity_blob part[HI_NPARTS];
	/* Only in a record: the way from the EK certificate to a root. */
	struct host_identity_blob chain[HOST_IDENTITY_CHAIN_MAX];
	uint32_t nchain;
	uint64_t enrolled_s; /* since 1970 */
};

enum host_identity_kind { HOST_IDENTITY_IDENTITY, HOST_IDENTITY_RECORD };

/* VT_E_NOMEM. */
int host_identity_new(struct hostid **ret) VT_CHECK;
void host_identity_free(struct hostid *h); /* NULL is a no-op */
/* Copies.  VT_E_RANGE, VT_E_NOMEM. */
int host_identity_set(struct hostid *h, enum host_identity_part part,
    const void *p, size_t len) VT_CHECK;
int host_identity_add_chain(
    struct hostid *h, const void *p, size_t len) VT_CHECK;
/* JSON -> host.  VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED, VT_E_NOMEM; err
 * says what and where.  *ret: host_identity_free(). */
int host_identity_parse(const void *json, size_t len,
    enum host_identity_kind kind, struct hostid **ret,
    char err[HOST_IDENTITY_ERR_MAX]) VT_CHECK;
/* *ret: heap, free(). */
int host_identity_format(
    const struct hostid *h, enum host_identity_kind kind, char **ret) VT_CHECK;

/* Manufacturers' certificates: self-signed ones are roots, others lead to
 * them.  PEM (many) or DER, one call for each file.  VT_E_FORMAT. */
struct host_roots; /* opaque */
int host_roots_new(struct host_roots **ret) VT_CHECK;
int host_roots_add(struct host_roots *r, const void *p, size_t len) VT_CHECK;
void host_roots_free(struct host_roots *r); /* NULL is a no-op */

enum host_identity_step {
	HS_EK_CHAIN,
	HS_EK_KEY,
	HS_AK,
	HS_CA_KEY,
	HS_CA_ATTEST,
	HS_CA_SIGNATURE,
	HS_N
};

struct host_identity_report {
	enum quote_outcome outcome[HS_N];
	enum host_identity_step failed; /* HS_N if none */
	char why[HOST_IDENTITY_WHY_MAX];
	/* Meaningful when all has passed. */
	struct tpm_name ek_name, ak_name;
	struct tpm_pub ak; /* borrows from the host */
	char root_subject[160];
	/* What lay between EK certificate and root; host_chain_free(). */
	STACK_OF(X509) * chain;
};

/*
 * Every step, first failure ends it: VT_E_AUTH.  roots NULL: HS_EK_CHAIN is
 * not reached (a record's verifier may have none at hand) and the rest is.
 * host_identity_report_done() in any case.
 */
int host_identity_check(const struct hostid *h, const struct host_roots *roots,
    time_t now, struct host_identity_report *ret) VT_CHECK;
void host_identity_report_done(struct host_identity_report *r);

const char *host_identity_step_id(enum host_identity_step s);
const char *host_identity_step_words(enum host_identity_step s);

#endif
