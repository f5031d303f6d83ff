/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ca_fixture.h - a TPM of OpenSSL's, keys as a vTPM has them, and a CA over
 * them, for test_ca.c.
 */
#ifndef TESTS_UNIT_CA_FIXTURE_H
#define TESTS_UNIT_CA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/crypto.h"
#include "base/rdwr.h"
#include "measure/cert/cert_extension.h"
#include "measure/cert/x509_cert.h"
#include "measure/cert/x509_issuing.h"
#include "vtpm_manager/hwtpm/ca.h"
#include "vtpm_manager/hwtpm/ca_key.h"

#define EK_ATTRS 0x000300b2u
#define AK_ATTRS 0x00050072u
#define CA_ATTRS 0x00040472u
#define ROOT_S CERT_EXT_SOFTWARE
#define ROOT_H CERT_EXT_HARDWARE

static EVP_PKEY *ca_evp, *other_evp, *ecc_evp, *rsa_evp;
static struct pub_bytes {
	uint8_t b[1024];
	size_t len;
} ca_pub, other_pub, ek_rsa, ek_ecc, ak;

/* --- a TPM of OpenSSL's ------------------------------------------------------
 */

static int
sign_evp(void *arg, const uint8_t digest[SHA256_LEN], uint8_t *out, size_t *len)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(arg, NULL);
	int ok;

	*len = CA_SIG_MAX;
	ok = c != NULL && EVP_PKEY_sign_init(c) == 1 &&
	     EVP_PKEY_sign(c, out, len, digest, SHA256_LEN) == 1;
	EVP_PKEY_CTX_free(c);
	return ok ? VT_OK : VT_E_CRYPTO;
}

static int
sign_fails(
    void *arg, const uint8_t digest[SHA256_LEN], uint8_t *out, size_t *len)
{
	(void)arg;
	(void)digest;
	(void)out;
	(void)len;
	return VT_E_TPM;
}

static void
head(struct wr *w, uint16_t type, uint32_t attrs)
{
	wr_be16(w, 0); /* TPM2B size, later */
	wr_be16(w, type);
	wr_be16(w, ALG_SHA256);
	wr_be32(w, attrs);
	wr_blob16(w, "", 0); /* policy */
	if ((attrs & 0x00020000u) != 0) {
		wr_be16(w, 0x0006); /* AES-128-CFB */
		wr_be16(w, 128);
		wr_be16(w, 0x0043);
	} else {
		wr_be16(w, 0x0010);
	}
}

static void
tail(struct wr *w, struct pub_bytes *out)
{
	wr_set_be16(w, 0, (uint16_t)(w->len - 2));
	assert_int_equal(wr_err(w), VT_OK);
	out->len = w->len;
}

static void
put_ecc(EVP_PKEY *key, uint32_t attrs, uint16_t scheme, struct pub_bytes *out)
{
	BIGNUM *x = NULL, *y = NULL;
	uint8_t c[32];
	struct wr w;

	assert_int_equal(
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x), 1);
	assert_int_equal(
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y), 1);
	wr_init(&w, out->b, sizeof(out->b));
	head(&w, 0x0023, attrs);
	wr_be16(&w, scheme);
	if (scheme != 0x0010)
		wr_be16(&w, ALG_SHA256);
	wr_be16(&w, 0x0003); /* P-256 */
	wr_be16(&w, 0x0010); /* KDF */
	assert_int_equal(BN_bn2binpad(x, c, 32), 32);
	wr_blob16(&w, c, 32);
	assert_int_equal(BN_bn2binpad(y, c, 32), 32);
	wr_blob16(&w, c, 32);
	tail(&w, out);
	BN_free(x);
	BN_free(y);
}

static size_t
modulus(EVP_PKEY *key, uint8_t *out, size_t cap)
{
	BIGNUM *n = NULL;
	int len;

	assert_int_equal(
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	len = BN_num_bytes(n);
	assert_true(len > 0 && (size_t)len <= cap);
	assert_int_equal(BN_bn2bin(n, out), len);
	BN_free(n);
	return (size_t)len;
}

static void
put_rsa(EVP_PKEY *key, uint32_t attrs, struct pub_bytes *out)
{
	uint8_t n[512];
	struct wr w;
	size_t len = modulus(key, n, sizeof(n));

	wr_init(&w, out->b, sizeof(out->b));
	head(&w, 0x0001, attrs);
	wr_be16(&w, 0x0010); /* scheme */
	wr_be16(&w, (uint16_t)(len * 8));
	wr_be32(&w, 0); /* exponent: the default */
	wr_blob16(&w, n, len);
	tail(&w, out);
}

static int
setup(void **state)
{
	(void)state;
	ca_evp = EVP_EC_gen("P-256");
	other_evp = EVP_EC_gen("P-256");
	ecc_evp = EVP_EC_gen("P-256");
	rsa_evp = EVP_RSA_gen(2048);
	if (ca_evp == NULL || other_evp == NULL || ecc_evp == NULL ||
	    rsa_evp == NULL)
		return -1;
	put_ecc(ca_evp, CA_ATTRS, 0x0018, &ca_pub);
	put_ecc(other_evp, CA_ATTRS, 0x0018, &other_pub);
	put_ecc(ecc_evp, EK_ATTRS, 0x0010, &ek_ecc);
	put_ecc(ecc_evp, AK_ATTRS, 0x0018, &ak);
	put_rsa(rsa_evp, EK_ATTRS, &ek_rsa);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(ca_evp);
	EVP_PKEY_free(other_evp);
	EVP_PKEY_free(ecc_evp);
	EVP_PKEY_free(rsa_evp);
	return 0;
}

/* --- a CA and what it issues
 * ------------------------------------------------- */

static void
make_ca(uint8_t root, struct ca_der *der, struct ca **ca)
{
	const struct ca_signer s = { sign_evp, ca_evp };

	assert_int_equal(
	    ca_self_signed(&s, ca_pub.b, ca_pub.len, root, "host", der), VT_OK);
	assert_int_equal(
	    ca_open(&s, der->buf, der->len, ca_pub.b, ca_pub.len, root, ca),
	    VT_OK);
}

static struct ca_subject
subject(void)
{
	struct ca_subject sub = { .name = "guest",
		.group = 7,
		.generation = 3,
		.tpm_version = TPM_VER_20 };
	size_t i;

	for (i = 0; i < sizeof(sub.uuid); i++)
		sub.uuid[i] = (uint8_t)(0x10 + i);
	return sub;
}

static X509 *
parse(const struct ca_der *der)
{
	const unsigned char *p = der->buf;
	X509 *x = d2i_X509(NULL, &p, (long)der->len);

	assert_non_null(x);
	assert_ptr_equal(p, der->buf + der->len);
	return x;
}

/* As `openssl verify -x509_strict` does. */
static int
verifies_by(X509 *ca, X509 *by, X509 *x)
{
	X509_STORE *st = X509_STORE_new();
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	STACK_OF(X509) *with = sk_X509_new_null();
	int rc;

	if (by != NULL)
		assert_true(sk_X509_push(with, by) > 0);
	assert_int_equal(X509_STORE_add_cert(st, ca), 1);
	(void)X509_STORE_set_flags(st, X509_V_FLAG_X509_STRICT);
	assert_int_equal(X509_STORE_CTX_init(c, st, x, with), 1);
	rc = X509_verify_cert(c);
	if (rc != 1)
		print_message("  %s\n",
		    X509_verify_cert_error_string(X509_STORE_CTX_get_error(c)));
	X509_STORE_CTX_free(c);
	X509_STORE_free(st);
	sk_X509_free(with);
	return rc;
}

static int
verifies(X509 *ca, X509 *x)
{
	return verifies_by(ca, NULL, x);
}

/* "2.5.29.19! 2.5.29.15! ..." in order; ! is critical. */
static void
extensions(X509 *x, char *out, size_t cap)
{
	size_t n = 0;
	char oid[80];
	int i;

	for (i = 0; i < X509_get_ext_count(x); i++) {
		X509_EXTENSION *e = X509_get_ext(x, i);

		(void)OBJ_obj2txt(
		    oid, sizeof(oid), X509_EXTENSION_get_object(e), 1);
		n += (size_t)snprintf(out + n, cap - n, "%s%s%s",
		    i > 0 ? " " : "", oid,
		    X509_EXTENSION_get_critical(e) ? "!" : "");
		assert_true(n < cap);
	}
}

static const ASN1_OCTET_STRING *
extension(X509 *x, const char *oid)
{
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	int at = X509_get_ext_by_OBJ(x, o, -1);

	ASN1_OBJECT_free(o);
	assert_true(at >= 0);
	return X509_EXTENSION_get_data(X509_get_ext(x, at));
}

static void
subject_text(X509 *x, char *out, size_t cap)
{
	BIO *b = BIO_new(BIO_s_mem());
	int n;

	assert_true(
	    X509_NAME_print_ex(b, X509_get_subject_name(x), 0,
		XN_FLAG_ONELINE & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0);
	n = BIO_read(b, out, (int)cap - 1);
	out[n > 0 ? n : 0] = '\0';
	BIO_free(b);
}

static const struct kind {
	const char *what;
	uint8_t which, version;
	const struct pub_bytes *pub;
	uint32_t usage;
	const char *purpose;
	const char *extensions;
} all_kinds[] = {
#define EXTS                                                  \
	"2.5.29.19! 2.5.29.15! 2.5.29.37 2.5.29.17 2.5.29.9 " \
	"1.3.6.1.4.1.99999.20.1 2.5.29.35"
	{ "EK, RSA", WCERT_EK_RSA, TPM_VER_20, &ek_rsa, KU_KEY_ENCIPHERMENT,
	    "2.23.133.8.1", EXTS },
	{ "EK, ECC", WCERT_EK_ECC, TPM_VER_20, &ek_ecc, KU_KEY_AGREEMENT,
	    "2.23.133.8.1", EXTS },
	{ "AK", WCERT_AK, TPM_VER_20, &ak, KU_DIGITAL_SIGNATURE, "2.23.133.8.3",
	    EXTS },
};

static void
issue(struct ca *ca, const struct kind *k, struct ca_der *der)
{
	struct ca_subject sub = subject();

	assert_int_equal(
	    ca_issue(ca, &sub, k->which, k->pub->b, k->pub->len, der), VT_OK);
}

#endif
