/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ca.h - the manager's certificate authority: certificates of vTPMs.
 *
 * Layer:  vtpm_manager; no I/O but the signer that the caller gives it.
 * Spec:   RFC 5280; TCG EK Credential Profile for TPM Family 2.0, 2.5,
 *         sec. 3.2 (EK certificates) and, for TPM 1.2, the TCG Credential
 *         Profiles 1.2; TCG OID registry.  TPM 2.0 Library, Part 2, 12.2
 *         (public areas).
 * Trust:  public areas come from a worker and are hostile.  A key that is
 *         not what a vTPM makes (restricted, fixed to its TPM, a known
 *         curve or size) gets no certificate.
 *
 * What a certificate says of its TPM.  Manufacturer "id:56544D31" ("VTM1"):
 * not a number from the TCG vendor registry, whose members are answerable
 * for hardware; a verifier that wants hardware must not take it for one.
 * Model "virtual TPM, software root" or "virtual TPM, hardware root",
 * also in the subject's OU; version "id:00010000".  The same again in a form
 * for programs: the private extensions of measure/cert/cert_extension.h (law
 * 8). Subject: CN is the UUID, behind a name if there is one, cut so that 64
 * characters suffice.  The subject alternative name is not critical, because
 * the subject is not empty (RFC 5280 4.2.1.6); no certificate outlives the
 * CA's.
 */
#ifndef VTPM_MANAGER_HWTPM_CA_H
#define VTPM_MANAGER_HWTPM_CA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/util.h"
#include "vtpm/proto/worker_msg.h"

#define CA_SIG_MAX 80           /* DER of an ECDSA signature over P-256 */
#define CA_AK_SECONDS 31536000u /* default life of an AK certificate */

/*
 * ECDSA over P-256 with the CA's key: digest in, DER Ecdsa-Sig-Value of at
 * most CA_SIG_MAX bytes out.  On failure a VT_E_*, which ca_self_signed() or
 * ca_issue() returns unchanged.
 */
typedef int ca_sign_fn(
    void *arg, const uint8_t digest[SHA256_LEN], uint8_t *out, size_t *ret_len);

struct ca_signer {
	ca_sign_fn *sign;
	void *arg; /* borrowed */
};

struct ca_der {
	uint8_t buf[CERT_MAX_LEN];
	size_t len; /* bytes */
};

struct ca; /* opaque */

/*
 * The CA's own certificate, for 20 years.  pub: TPM2B_PUBLIC of its P-256
 * key.  host: text for the subject, may be "".
 * VT_E_FORMAT, VT_E_UNSUPPORTED (not a key for a CA), VT_E_CRYPTO, or what
 * the signer says; VT_E_AUTH: the signer signed with another key.
 */
int ca_self_signed(const struct ca_signer *s, const uint8_t *pub,
    size_t pub_len, uint8_t root, const char *host,
    struct ca_der *ret) VT_CHECK;

/*
 * Open the CA whose certificate is der.  *ret borrows s->arg; ca_free() frees
 * it.  VT_E_FORMAT; VT_E_AUTH: not self-signed; VT_E_POLICY: its kind of root
 * is not `root`; VT_E_CORRUPT: its key is not pub.
 */
int ca_open(const struct ca_signer *s, const uint8_t *der, size_t len,
    const uint8_t *pub, size_t pub_len, uint8_t root, struct ca **ret) VT_CHECK;
void ca_free(struct ca *ca); /* NULL is a no-op */

/*
 * A new issuing key: in this process's memory alone, certified by `up` for one
 * day from now.  ca_issue() takes it as it takes a CA; ca_free() wipes it.
 * VT_E_STATE: the clock is outside the time of the CA's certificate; else as
 * ca_self_signed().
 */
int ca_issuing_new(const struct ca *up, struct ca **ret) VT_CHECK;
/* False: its certificate allows no issuing key, as that of stores made before
 * there were any (pathlen 0). */
bool ca_may_delegate(const struct ca *ca);
/* False: an issuing key whose day is over in spare_s seconds, or has not begun.
 */
bool ca_is_current(const struct ca *ca, long spare_s);
/* The certificate of an issuing key. */
const struct ca_der *ca_issuing_cert(const struct ca *ca);

struct ca_subject {
	uint8_t uuid[UUID_LEN];
	const char *name; /* borrowed; UTF-8 */
	uint32_t group;
	uint64_t generation;
	uint8_t tpm_version; /* TPM_VER_* */
	uint32_t ak_seconds; /* life of an AK certificate; 0: the default */
	bool host; /* an AK of the host's own TPM for this group: WCERT_AK,
		      TPM 2.0, uuid all zeros, no vTPM extensions */
};

/*
 * Certificate of one key of one vTPM, by a CA or an issuing key.  which:
 * WCERT_*.  pub: TPM2B_PUBLIC, or the modulus of a TPM 1.2 EK.  The signature
 * is verified with the CA's key first.  Errors as ca_self_signed(); VT_E_STATE:
 * the clock is outside the time of the CA's certificate, or of the issuing
 * key's day.
 */
int ca_issue(struct ca *ca, const struct ca_subject *sub, uint8_t which,
    const uint8_t *pub, size_t pub_len, struct ca_der *ret) VT_CHECK;

#endif
