/* SPDX-License-Identifier: BSD-3-Clause */
/* seal_key.c - keys of authorities and of recovery: PEM to TPM and back. */
#include "tools/seal/seal_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"

/* As tpm2-tools and systemd load keys of others. */
#define KEY_ATTRS (TO_DECRYPT | TO_SIGN | TO_USER_WITH_AUTH)
#define CURVE_P256 0x0003 /* TPM_ECC_NIST_P256 */
#define CURVE_P384 0x0004

/* --- public halves ----------------------------------------------------------
 */

static void
put_head(struct wr *w, uint16_t type)
{
	wr_be16(w, type);
	wr_be16(w, ALG_SHA256);
	wr_be32(w, KEY_ATTRS);
	wr_be16(w, 0);       /* authPolicy */
	wr_be16(w, TA_NULL); /* symmetric */
	wr_be16(w, TA_NULL); /* scheme */
}

/* A number of the key, at its full length. */
static int
put_number(struct wr *w, const EVP_PKEY *key, const char *what, size_t len)
{
	uint8_t buf[TPM_RSA_MAX];
	BIGNUM *n = NULL;
	int rc = VT_E_CRYPTO;

	if (len <= sizeof(buf) && EVP_PKEY_get_bn_param(key, what, &n) == 1 &&
	    BN_bn2binpad(n, buf, (int)len) == (int)len) {
		wr_blob16(w, buf, len);
		rc = VT_OK;
	}
	BN_free(n);
	return rc;
}

static int
put_rsa(struct wr *w, const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);
	BIGNUM *e = NULL;
	bool usual;

	usual = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
		BN_is_word(e, RSA_F4);
	BN_free(e);
	if (!usual || (bits != 2048 && bits != 3072 && bits != 4096))
		return VT_E_UNSUPPORTED;
	put_head(w, TA_RSA);
	wr_be16(w, (uint16_t)bits);
	wr_be32(w, 0); /* exponent: 65537 */
	return put_number(w, key, OSSL_PKEY_PARAM_RSA_N, (size_t)bits / 8);
}

static int
put_ecc(struct wr *w, const EVP_PKEY *key)
{
	size_t len = 0;
	char group[32];
	int nid, rc;

	if (EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1)
		return VT_E_UNSUPPORTED;
	nid = OBJ_txt2nid(group);
	if (nid != NID_X9_62_prime256v1 && nid != NID_secp384r1)
		return VT_E_UNSUPPORTED;
	len = nid == NID_secp384r1 ? 48 : 32;
	put_head(w, TA_ECC);
	wr_be16(w, nid == NID_secp384r1 ? CURVE_P384 : CURVE_P256);
	wr_be16(w, TA_NULL); /* key derivation */
	rc = put_number(w, key, OSSL_PKEY_PARAM_EC_PUB_X, len);
	if (rc == VT_OK)
		rc = put_number(w, key, OSSL_PKEY_PARAM_EC_PUB_Y, len);
	return rc;
}

/* SHA-256 of PKCS #1's RSAPublicKey, or of the point. */
static int
fingerprint(const EVP_PKEY *key, uint8_t out[SHA256_LEN])
{
	unsigned char *der = NULL;
	int len = i2d_PublicKey(key, &der), rc = VT_E_CRYPTO;

	if (len > 0)
		rc = digest_buf(ALG_SHA256, der, (size_t)len, out);
	OPENSSL_free(der);
	return rc;
}

static int
from_evp(EVP_PKEY *key, struct seal_key *ret)
{
	struct seal_key k;
	struct wr w;
	int rc = VT_E_UNSUPPORTED;

	memset(&k, 0, sizeof(k));
	wr_init(&w, k.pub, sizeof(k.pub));
	if (EVP_PKEY_is_a(key, "RSA")) {
		k.type = TA_RSA;
		rc = put_rsa(&w, key);
	} else if (EVP_PKEY_is_a(key, "EC") &&
		   EVP_PKEY_set_utf8_string_param(key,
		       OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
		       "uncompressed") == 1) {
		k.type = TA_ECC;
		rc = put_ecc(&w, key);
	}
	if (rc == VT_OK)
		rc = wr_err(&w);
	if (rc == VT_OK)
		rc = tpm_name_of(ALG_SHA256, k.pub, w.len, &k.name);
	if (rc == VT_OK)
		rc = fingerprint(key, k.print);
	ERR_clear_error();
	if (rc != VT_OK)
		return rc;
	k.pub_len = w.len;
	*ret = k;
	return VT_OK;
}

int
seal_key_read(const void *pem, size_t len, struct seal_key *ret)
{
	EVP_PKEY *key = pem_key(pem, len, false);
	int rc;

	if (key == NULL)
		return VT_E_FORMAT;
	rc = from_evp(key, ret);
	EVP_PKEY_free(key);
	return rc;
}

static int
to_evp(const uint8_t *p, size_t len, EVP_PKEY **ret)
{
	struct tpm_pub pub;
	int rc = tpm_pub_get(p, len, &pub);

	return rc == VT_OK ? tpm_pub_to_evp(&pub, ret) : rc;
}

int
seal_key_get(const uint8_t *pub, size_t len, struct seal_key *ret)
{
	EVP_PKEY *key = NULL;
	struct seal_key k;
	int rc;

	if ((rc = to_evp(pub, len, &key)) != VT_OK)
		return rc;
	rc = from_evp(key, &k);
	EVP_PKEY_free(key);
	if (rc != VT_OK)
		return rc;
	if (k.pub_len != len || memcmp(k.pub, pub, len) != 0)
		return VT_E_FORMAT;
	*ret = k;
	return VT_OK;
}

/* --- signatures -------------------------------------------------------------
 */

int
seal_key_sign(const void *pem, size_t pem_len, const uint8_t *msg, size_t len,
    struct seal_key *ret_key, uint8_t *sig, size_t *ret_len)
{
	EVP_PKEY *key = pem_key(pem, pem_len, true);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = SEAL_SIG_MAX;
	int rc = VT_E_FORMAT;

	if (key == NULL)
		goto out;
	if ((rc = from_evp(key, ret_key)) != VT_OK)
		goto out;
	rc = VT_E_CRYPTO;
	if (ctx != NULL &&
	    EVP_DigestSignInit_ex(ctx, NULL, "sha256", NULL, NULL, key, NULL) ==
		1 &&
	    EVP_DigestSign(ctx, sig, &n, msg, len) == 1) {
		*ret_len = n;
		rc = VT_OK;
	}
out:
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return rc;
}

int
seal_key_verify(const struct seal_key *k, const uint8_t *msg, size_t len,
    const uint8_t *sig, size_t sig_len)
{
	EVP_MD_CTX *ctx = NULL;
	EVP_PKEY *key = NULL;
	int rc;

	if ((rc = to_evp(k->pub, k->pub_len, &key)) != VT_OK)
		return rc;
	rc = VT_E_AUTH;
	if ((ctx = EVP_MD_CTX_new()) != NULL &&
	    EVP_DigestVerifyInit_ex(
		ctx, NULL, "sha256", NULL, NULL, key, NULL) == 1 &&
	    EVP_DigestVerify(ctx, sig, sig_len, msg, len) == 1)
		rc = VT_OK;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return rc;
}

/* DER's two numbers, each at the curve's length. */
static int
put_ecdsa(struct wr *w, const uint8_t *der, size_t der_len, size_t len)
{
	uint8_t r[TPM_ECC_MAX], s[TPM_ECC_MAX];
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
	int rc = VT_E_FORMAT;

	if (sig != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), r, (int)len) == (int)len &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), s, (int)len) == (int)len) {
		wr_blob16(w, r, len);
		wr_blob16(w, s, len);
		rc = VT_OK;
	}
	ECDSA_SIG_free(sig);
	ERR_clear_error();
	return rc;
}

int
seal_key_tpm_sig(const struct seal_key *k, const uint8_t *sig, size_t sig_len,
    uint8_t *out, size_t cap, size_t *ret_len)
{
	struct tpm_pub pub;
	struct wr w;
	int rc;

	if ((rc = tpm_pub_get(k->pub, k->pub_len, &pub)) != VT_OK)
		return rc;
	wr_init(&w, out, cap);
	wr_be16(&w, k->type == TA_RSA ? TA_RSASSA : TA_ECDSA);
	wr_be16(&w, ALG_SHA256);
	if (k->type == TA_RSA)
		wr_blob16(&w, sig, sig_len);
	else if ((rc = put_ecdsa(&w, sig, sig_len, pub.x_len)) != VT_OK)
		return rc;
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	*ret_len = w.len;
	return VT_OK;
}
