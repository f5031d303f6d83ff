/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ca_fields.h - puts one field or extension into a certificate.
 *
 * Layer:  vtpm_manager; for ca.c.
 * Errors: VT_E_CRYPTO or VT_E_NOMEM; the certificate is then of no use.
 */
#ifndef VTPM_MANAGER_HWTPM_CA_FIELDS_H
#define VTPM_MANAGER_HWTPM_CA_FIELDS_H

#include <openssl/x509.h>

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/crypto.h"
#include "base/err.h"

#define CA_KEYID_LEN SHA1_LEN
#define CA_NOT_A_CA (-1) /* in place of a path length */

/* VT_E_FORMAT: text is not UTF-8. */
int ca_add_name(
    X509_NAME *name, const char *field, const char *text, size_t len) VT_CHECK;
/* "2.23.133.2.x" attributes: OpenSSL has no names for them. */
int ca_add_tcg(X509_NAME *name, const char *oid, const char *text) VT_CHECK;

int ca_add_i2d(X509 *x, int nid, void *value, int critical) VT_CHECK;
/* An extension whose value is already DER. */
int ca_add_der(
    X509 *x, const char *oid, const uint8_t *der, size_t len) VT_CHECK;
int ca_add_basic(X509 *x, int pathlen) VT_CHECK;
/* bits: as RFC 5280 4.2.1.3 counts them. */
int ca_add_key_usage(X509 *x, const int *bits, size_t n) VT_CHECK;
int ca_add_purpose(X509 *x, const char *oid) VT_CHECK;
int ca_add_subject_keyid(X509 *x, const uint8_t keyid[CA_KEYID_LEN]) VT_CHECK;
int ca_add_authority_keyid(X509 *x, const uint8_t keyid[CA_KEYID_LEN]) VT_CHECK;
/* When the key may sign; both ends included. */
int ca_add_period(X509 *x, time_t from, time_t until) VT_CHECK;

#endif
