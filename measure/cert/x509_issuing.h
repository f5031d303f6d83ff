/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509_issuing.h - the certificate of an issuing key, which stands between a
 * vTPM's certificate and the manager's CA.
 *
 * Layer:  measure; no I/O, no logging.
 * Spec:   RFC 5280 4.2.1.9 (path length); the private key usage period,
 *         2.5.29.16 (RFC 3280 4.2.1.4; RFC 5280 names it no more, X.509
 *         8.2.2.5 does); doc/FORMATS.md, "Evidence".
 * Trust:  hostile input; the caller verifies its signature.
 *
 * An issuing key is in the memory of a process, not in the host's TPM.  What
 * it signs counts only as of the period that the CA, whose key is in the TPM,
 * gave it: who steals a key afterwards cannot certify for a later day.
 */
#ifndef MEASURE_CERT_X509_ISSUING_H
#define MEASURE_CERT_X509_ISSUING_H

#include <openssl/x509.h>

#include <stdbool.h>

/* Longest period that is accepted: a day, and the skew of clocks. */
#define X509_PERIOD_MAX_S (2L * 86400)

/* It says of itself that it is an issuing key's: has a usage period. */
bool x509_is_issuing(X509 *x);

/* May this certificate have issued leaf?  NULL, or the reason why not; its own
 * signature and validity are the caller's to check. */
const char *x509_issuing_check(X509 *issuing, X509 *leaf);

#endif
