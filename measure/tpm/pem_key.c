/* SPDX-License-Identifier: BSD-3-Clause */
/* pem_key.c - a key from PEM. */
#include "measure/tpm/pem_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

EVP_PKEY *
pem_key(const void *pem, size_t len, bool secret)
{
	BIO *bio = len <= PEM_KEY_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	EVP_PKEY *key;

	if (bio == NULL)
		return NULL;
	/* An empty passphrase: never ask on a terminal. */
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
	if (key == NULL && !secret && BIO_reset(bio) == 1)
		key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}
