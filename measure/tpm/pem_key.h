/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pem_key.h - a key from PEM, without ever asking for a passphrase.
 *
 * Layer:  measure; may include base only.  No I/O, no logging.
 * Trust:  the text is hostile input; the kind of the key is the caller's to
 *         check.
 */
#ifndef MEASURE_TPM_PEM_KEY_H
#define MEASURE_TPM_PEM_KEY_H

#include <openssl/evp.h>

#include <stdbool.h>
#include <stddef.h>

#define PEM_KEY_MAX 16384 /* bytes */

/* PRIVATE KEY or, unless secret, PUBLIC KEY.  EVP_PKEY_free() is due.  NULL:
 * neither, over PEM_KEY_MAX, or it needs a passphrase. */
EVP_PKEY *pem_key(const void *pem, size_t len, bool secret);

#endif
