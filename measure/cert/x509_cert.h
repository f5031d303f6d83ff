/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509_cert.h - one certificate: parse it, and ask what it says.
 *
 * A vTPM's certificate may come as a chain of two: behind it is that of the
 * issuing key that signed it (x509_issuing.h).
 *
 * Layer:  measure; no I/O, no logging.
 * Trust:  hostile input; nothing here decides whether to trust it.
 */
#ifndef MEASURE_CERT_X509_CERT_H
#define MEASURE_CERT_X509_CERT_H

#include <openssl/x509.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "measure/cert/cert_extension.h"

#define X509_CERT_MAX 4096 /* bytes of one certificate or chain, DER */

/* Exactly one certificate, DER; X509_free().  NULL: it is not. */
X509 *x509_cert_get(const uint8_t *der, size_t len);
/* One, or a chain of two, DER; *ret_issuing is the second or NULL.  X509_free()
 * both.  NULL: it is neither. */
X509 *x509_chain_get(const uint8_t *der, size_t len, X509 **ret_issuing);
bool x509_has_eku(X509 *x, const char *oid);
/* Our extensions; false: none, two, or not well-formed. */
bool x509_get_instance(X509 *x, struct cert_ext_instance *ret);
bool x509_get_root(X509 *ca, uint8_t *ret);

/* The validity of a certificate, the first of a chain; its signature is not
 * checked.  VT_E_FORMAT. */
int x509_cert_times(const uint8_t *der, size_t len, time_t *ret_from,
    time_t *ret_until) VT_CHECK;

/* Check only signatures: the CA (DER) made it, or the issuing key's behind it
 * and that one made it.  VT_E_AUTH: another key did; VT_E_FORMAT. */
int x509_issued_by(
    const uint8_t *der, size_t len, const uint8_t *ca, size_t ca_len) VT_CHECK;

#endif
