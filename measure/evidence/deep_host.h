/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deep_host.h - an enrolled host, as a verifier of deep quotes keeps it.
 *
 * Layer:  measure; no I/O, no logging.
 * Spec:   doc/FORMATS.md, "Enrolment of a host", "Deep quotes".
 * Trust:  host record, roots and states are the verifier's own; AK
 *         certificates, quotes and signatures are hostile input.
 * Cache:  the handle remembers what it verified of a host (AK certificates,
 *         host quotes, certificates of vTPMs) by digest of everything that
 *         the verification depended on.  The next guest under the same host
 *         quote costs no signature of the host.
 */
#ifndef MEASURE_EVIDENCE_DEEP_HOST_H
#define MEASURE_EVIDENCE_DEEP_HOST_H

#include <openssl/evp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/crypto.h"
#include "base/err.h"
#include "measure/cert/cert_extension.h"
#include "measure/cert/x509.h"
#include "measure/evidence/report.h"
#include "measure/host/host_identity.h"
#include "measure/host/host_identity_check.h"
#include "measure/host/host_state.h"
#include "measure/tpm/tpm_public.h"

#define DEEP_WHY_MAX 224 /* bytes of a reason */

struct deep_host; /* opaque */

/* A group's AK whose certificate was verified. */
struct deep_ak {
	uint8_t digest[SHA256_LEN]; /* of the certificate */
	struct cert_ext_instance inst;
	EVP_PKEY *key;
	struct tpm_pub pub; /* x and y borrow from point */
	uint8_t point[TPM_RSA_MAX];
	struct tpm_name name;
	time_t until; /* the end of the certificate's life */
};

/*
 * Check a host record and get ready.  A record that is refused is no error:
 * every verification then says so.  id, roots (or NULL) and states (or NULL)
 * are borrowed for as long as *ret lives; now 0: the system's clock.
 * *ret: deep_host_free().  VT_E_NOMEM.
 */
int deep_host_new(const struct host_identity *id,
    const struct host_roots *roots, const struct host_states *states,
    time_t now, struct deep_host **ret) VT_CHECK;
void deep_host_free(struct deep_host *h); /* NULL is a no-op */

/* False: the record was refused; deep_host_say() says why. */
bool deep_host_ok(const struct deep_host *h);
/* NULL: none were given. */
const struct host_states *deep_host_states(const struct deep_host *h);
/* Add the checks of the record to rep. */
void deep_host_say(const struct deep_host *h, struct report *rep);

/* x509_verify() under the host's CA, with what the handle remembers;
 * want->ca is not used.  *ret_key: the AK's key, borrowed until the next
 * call, or NULL. */
int deep_host_certs(struct deep_host *h, struct x509_want *want,
    struct x509_report *ret, EVP_PKEY **ret_key) VT_CHECK;

/*
 * All below need deep_host_ok().
 *
 * Verify the certificate (DER) of an AK of this host.  Borrowed until the
 * next call.  NULL: refused, and why says why.
 */
const struct deep_ak *deep_host_ak(struct deep_host *h, const uint8_t *der,
    size_t len, char why[DEEP_WHY_MAX]);
/* True if this is the AK that was enrolled. */
bool deep_host_enrolled(const struct deep_host *h, const struct deep_ak *ak);
/* True if ak is a child of the enrolled EK and signer is its qualified
 * Name. */
bool deep_host_signer(const struct deep_host *h, const struct deep_ak *ak,
    const struct tpm_name *signer);
/* True if sig (TPMT_SIGNATURE) is that AK's over attest. */
bool deep_host_signed(struct deep_host *h, const struct deep_ak *ak,
    const struct iov_part *attest, const struct iov_part *sig);

#endif
