/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_identity.h - who a host is: its identity for enrolment, and the record
 * that a verifier keeps of it.
 *
 * Layer:  measure; no I/O, no logging.
 * Spec:   doc/FORMATS.md, "Enrolment of a host".
 * Trust:  an identity is hostile input until the host's TPM has answered a
 *         challenge for it (measure/cert/make_credential.h); the record is what
 * a verifier keeps itself.
 */
#ifndef MEASURE_HOST_HOST_IDENTITY_H
#define MEASURE_HOST_HOST_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HOST_IDENTITY_MAX_LEN (256u * 1024) /* bytes of JSON */
#define HOST_IDENTITY_ERR_MAX 160
#define HOST_IDENTITY_CHAIN_MAX 8
#define HOST_IDENTITY_NAME_MAX 63

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

struct host_identity {
	char host[HOST_IDENTITY_NAME_MAX + 1];
	struct host_identity_blob part[HI_NPARTS];
	/* Only in a record: the way from the EK certificate to a root. */
	struct host_identity_blob chain[HOST_IDENTITY_CHAIN_MAX];
	uint32_t nchain;
	uint64_t enrolled_s; /* since 1970 */
};

enum host_identity_kind { HOST_IDENTITY_IDENTITY, HOST_IDENTITY_RECORD };

/* VT_E_NOMEM. */
int host_identity_new(struct host_identity **ret) VT_CHECK;
void host_identity_free(struct host_identity *h); /* NULL is a no-op */
/* Copies.  VT_E_RANGE, VT_E_NOMEM. */
int host_identity_set(struct host_identity *h, enum host_identity_part part,
    const void *p, size_t len) VT_CHECK;
int host_identity_add_chain(
    struct host_identity *h, const void *p, size_t len) VT_CHECK;
/* JSON -> host.  VT_E_FORMAT, VT_E_RANGE, VT_E_UNSUPPORTED, VT_E_NOMEM; err
 * says what and where.  *ret: host_identity_free(). */
int host_identity_parse(const void *json, size_t len,
    enum host_identity_kind kind, struct host_identity **ret,
    char err[HOST_IDENTITY_ERR_MAX]) VT_CHECK;
/* *ret: heap, free(). */
int host_identity_format(const struct host_identity *h,
    enum host_identity_kind kind, char **ret) VT_CHECK;

#endif
