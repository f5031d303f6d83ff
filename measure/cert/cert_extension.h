/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cert_extension.h - the private extensions by which a vTPM's certificates say
 * which instance they are for and what kind of root stands behind them.
 *
 * Layer:  measure; no I/O, no logging.  Issued by vtpm_manager, judged by
 *         measure/cert/x509.c: both use these functions.
 * Spec:   X.690 DER; RFC 5280 4.2 (extensions, never critical here, so
 *         that other verifiers can read the certificates).  Purposes:
 *         TCG EK Credential Profile 2.5, AK certificates likewise.
 * OIDs:   the arc 1.3.6.1.4.1.99999.20 is provisional: no enterprise
 *         number has been asked for yet.  A change of arc is a change of
 *         format and gets a new version.
 *
 * In every EK and AK certificate of a vTPM (CERT_EXT_OID_INSTANCE):
 *   VtpmInstance ::= SEQUENCE {
 *       version     INTEGER,              -- 1
 *       uuid        OCTET STRING (16),
 *       generation  INTEGER,              -- 0 .. 2^63-1
 *       group       INTEGER,              -- 0 .. 2^32-1
 *       rootKind    INTEGER,              -- 1 software, 2 hardware
 *       virtual     BOOLEAN }             -- TRUE
 *
 * In the certificates of the CA that issues them, and of an issuing key between
 * (CERT_EXT_OID_ROOT):
 *   VtpmRoot ::= SEQUENCE {
 *       version     INTEGER,              -- 1
 *       rootKind    INTEGER }             -- 1 software, 2 hardware
 *
 * Law 8: a certificate whose rootKind differs from its CA's is refused.
 */
#ifndef MEASURE_CERT_CERT_EXTENSION_H
#define MEASURE_CERT_CERT_EXTENSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/util.h"

#define CERT_EXT_OID_INSTANCE "1.3.6.1.4.1.99999.20.1"
#define CERT_EXT_OID_ROOT "1.3.6.1.4.1.99999.20.2"

/* Extended key usages of the TCG EK and AK certificates. */
#define CERT_EXT_EKU_EK "2.23.133.8.1"
#define CERT_EXT_EKU_AK "2.23.133.8.3"
/* Attributes of the subject alternative name's directoryName. */
#define CERT_EXT_OID_TPM_MANUFACTURER "2.23.133.2.1"
#define CERT_EXT_OID_TPM_MODEL "2.23.133.2.2"
#define CERT_EXT_OID_TPM_VERSION "2.23.133.2.3"

#define CERT_EXT_MAX_LEN 64 /* bytes of DER that either extension can have */

enum cert_ext_root { CERT_EXT_SOFTWARE = 1, CERT_EXT_HARDWARE = 2 };

struct cert_ext_instance {
	uint8_t uuid[UUID_LEN];
	uint64_t generation;
	uint32_t group;
	uint8_t root; /* enum cert_ext_root */
	bool is_virtual;
};

/*
 * Encode into out, cap bytes (CERT_EXT_MAX_LEN always suffices); *ret_len is
 * what was written.  VT_E_RANGE: a value the format cannot say; VT_E_NOMEM.
 */
int cert_ext_instance_put(const struct cert_ext_instance *x, uint8_t *out,
    size_t cap, size_t *ret_len) VT_CHECK;
int cert_ext_root_put(
    uint8_t root, uint8_t *out, size_t cap, size_t *ret_len) VT_CHECK;

/*
 * Decode the extension's value (the bytes inside its OCTET STRING).
 * VT_E_FORMAT: not DER of this form, or bytes left over; VT_E_RANGE: a
 * value the format does not allow; VT_E_UNSUPPORTED: another version.
 */
int cert_ext_instance_get(
    const uint8_t *der, size_t len, struct cert_ext_instance *ret) VT_CHECK;
int cert_ext_root_get(
    const uint8_t *der, size_t len, uint8_t *ret_root) VT_CHECK;

/* "software root", "hardware root", "unknown root". */
const char *cert_ext_root_name(uint8_t root);

#endif
