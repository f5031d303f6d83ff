/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509_priv.h - small questions about a certificate, for measure/ alone.
 *
 * Layer:  measure.
 */
#ifndef MEASURE_CERT_X509_PRIV_H
#define MEASURE_CERT_X509_PRIV_H

#include <openssl/x509.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure/cert/cert_extension.h"

/* Exactly one certificate, DER; X509_free().  NULL: it is not. */
X509 *x509_cert_get(const uint8_t *der, size_t len);
bool x509_has_eku(X509 *x, const char *oid);
/* Our extensions; false: none, two, or not well-formed. */
bool x509_get_instance(X509 *x, struct cert_ext_instance *ret);
bool x509_get_root(X509 *ca, uint8_t *ret);

#endif
