/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mkcerts.c - a CA of the manager's kind with a key in memory, and the
 * certificates that it issues for an EK and an AK: for tests that have a
 * TPM but no manager.
 *
 *   mkcerts FOLDER EK-PUB AK-PUB soft|hard UUID
 *
 * EK-PUB, AK-PUB: TPM2B_PUBLIC, as tpm2-tools write it.  Into FOLDER go
 * ca.pem, ek.der and ak.der.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "measure/cert/cert_extension.h"
#include "vtpm_manager/hwtpm/ca.h"

static int
sign(void *arg, const uint8_t digest[SHA256_LEN], uint8_t *out, size_t *ret_len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(arg, NULL);
	size_t len = CA_SIG_MAX;
	int rc = VT_E_CRYPTO;

	if (ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_sign(ctx, out, &len, digest, SHA256_LEN) == 1) {
		*ret_len = len;
		rc = VT_OK;
	}
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

/* TPM2B_PUBLIC of a CA key, as vtpm_manager/hwtpm/embed/cakey.hex has it. */
static size_t
ca_public(EVP_PKEY *key, uint8_t *out, size_t cap)
{
	static const uint8_t head[] = { 0x00, 0x23, 0x00, 0x0b, 0x00, 0x04,
		0x04, 0x72, 0x00, 0x00, 0x00, 0x10, 0x00, 0x18, 0x00, 0x0b,
		0x00, 0x03, 0x00, 0x10 };
	uint8_t point[65];
	struct wr w;
	size_t n;

	if (EVP_PKEY_get_octet_string_param(
		key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n) != 1 ||
	    n != sizeof(point))
		exit(1);
	wr_init(&w, out, cap);
	wr_be16(&w, sizeof(head) + 2 * 34);
	wr_bytes(&w, head, sizeof(head));
	wr_blob16(&w, point + 1, 32);
	wr_blob16(&w, point + 33, 32);
	return wr_err(&w) == VT_OK ? w.len : 0;
}

static void
put(const char *dir, const char *name, const void *p, size_t len)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (write_file_atomic(path, p, len, 0644) != VT_OK) {
		perror(path);
		exit(1);
	}
}

static void
put_ca(const char *dir, const struct ca_der *der)
{
	const unsigned char *p = der->buf;
	X509 *x = d2i_X509(NULL, &p, (long)der->len);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n;

	if (x == NULL || bio == NULL || PEM_write_bio_X509(bio, x) != 1 ||
	    (n = BIO_get_mem_data(bio, &text)) <= 0)
		exit(1);
	put(dir, "ca.pem", text, (size_t)n);
	BIO_free(bio);
	X509_free(x);
}

static void
issue(struct ca *ca, const struct ca_subject *sub, uint8_t which,
    const char *path, const char *dir, const char *name)
{
	uint8_t *pub = NULL;
	struct ca_der der;
	size_t len = 0;
	int rc;

	if (read_file(path, PUB_MAX_LEN, &pub, &len) != VT_OK || len < 4) {
		perror(path);
		exit(1);
	}
	if (which == WCERT_EK_ECC && be16_get(pub + 2) == 0x0001)
		which = WCERT_EK_RSA; /* TPM_ALG_RSA */
	if ((rc = ca_issue(ca, sub, which, pub, len, &der)) != VT_OK) {
		fprintf(stderr, "%s: %s\n", path, vt_strerror(rc));
		exit(1);
	}
	put(dir, name, der.buf, der.len);
	free(pub);
}

int
main(int argc, char **argv)
{
	struct ca_subject sub = {
		.name = "reference", .generation = 1, .tpm_version = TPM_VER_20
	};
	struct ca_signer signer = { .sign = sign };
	struct ca *ca = NULL;
	struct ca_der der;
	uint8_t pub[256], root;
	EVP_PKEY *key;
	size_t len;

	if (argc != 6 || uuid_parse(argv[5], sub.uuid) != VT_OK ||
	    (key = EVP_EC_gen("P-256")) == NULL)
		return 1;
	root = strcmp(argv[4], "hard") == 0 ? CERT_EXT_HARDWARE
					    : CERT_EXT_SOFTWARE;
	signer.arg = key;
	if ((len = ca_public(key, pub, sizeof(pub))) == 0 ||
	    ca_self_signed(&signer, pub, len, root, "test", &der) != VT_OK ||
	    ca_open(&signer, der.buf, der.len, pub, len, root, &ca) != VT_OK) {
		fprintf(stderr, "no CA\n");
		return 1;
	}
	put_ca(argv[1], &der);
	issue(ca, &sub, WCERT_EK_ECC, argv[2], argv[1], "ek.der");
	issue(ca, &sub, WCERT_AK, argv[3], argv[1], "ak.der");
	ca_free(ca);
	EVP_PKEY_free(key);
	return 0;
}
