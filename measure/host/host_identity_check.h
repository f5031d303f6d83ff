/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_identity_check.h - check a host's identity or record, from the
 * manufacturer's root to the host's CA key.
 *
 * Layer:  measure; no I/O, no logging.
 * Spec:   TCG EK Credential Profile 2.5; TPM 2.0 Library, Part 2, 10.12.4
 *         (TPMS_CERTIFY_INFO).
 * Trust:  the roots are the verifier's own choice.
 */
#ifndef MEASURE_HOST_HOST_IDENTITY_CHECK_H
#define MEASURE_HOST_HOST_IDENTITY_CHECK_H

#include <openssl/x509.h>

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "measure/host/host_identity.h"
#include "measure/tpm/step.h"
#include "measure/tpm/tpm_public.h"

#define HOST_IDENTITY_WHY_MAX 256

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
	enum step_outcome outcome[HS_N];
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
int host_identity_check(const struct host_identity *h,
    const struct host_roots *roots, time_t now,
    struct host_identity_report *ret) VT_CHECK;
void host_identity_report_done(struct host_identity_report *r);

const char *host_identity_step_id(enum host_identity_step s);
const char *host_identity_step_words(enum host_identity_step s);

#endif
