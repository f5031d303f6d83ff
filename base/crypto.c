/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <limits.h>
#include <string.h>

#include "base/util.h"

static const struct {
	uint16_t alg;
	uint16_t len;
	const char *name;
	const EVP_MD *(*md)(void);
} algs[] = {
	{ ALG_SHA1, 20, "sha1", EVP_sha1 },
	{ ALG_SHA256, 32, "sha256", EVP_sha256 },
	{ ALG_SHA384, 48, "sha384", EVP_sha384 },
	{ ALG_SHA512, 64, "sha512", EVP_sha512 },
};

static size_t
find_alg(uint16_t alg)
{
	size_t i;

	for (i = 0; i < VT_NELEM(algs); i++)
		if (algs[i].alg == alg)
			break;
	return i;
}

size_t
digest_len(uint16_t alg)
{
	size_t i = find_alg(alg);

	return i < VT_NELEM(algs) ? algs[i].len : 0;
}

const char *
digest_name(uint16_t alg)
{
	size_t i = find_alg(alg);

	return i < VT_NELEM(algs) ? algs[i].name : NULL;
}

uint16_t
digest_alg(const char *name)
{
	size_t i;

	for (i = 0; i < VT_NELEM(algs); i++)
		if (strcmp(algs[i].name, name) == 0)
			return algs[i].alg;
	return 0;
}

/* Fetched once: a fetch costs more than a short hash. */
static const EVP_MD *
md_of(size_t a)
{
	static const EVP_MD *kept[VT_NELEM(algs)];

	if (kept[a] == NULL)
		kept[a] =
		    EVP_MD_fetch(NULL, EVP_MD_get0_name(algs[a].md()), NULL);
	return kept[a] != NULL ? kept[a] : algs[a].md();
}

int
digest_parts(uint16_t alg, const struct iov_part *parts, size_t n, uint8_t *out)
{
	static EVP_MD_CTX *ctx; /* kept: allocation costs more than SHA-256 */
	size_t a = find_alg(alg), i;

	if (a == VT_NELEM(algs))
		return VT_E_UNSUPPORTED;
	if (ctx == NULL && (ctx = EVP_MD_CTX_new()) == NULL)
		return VT_E_NOMEM;
	if (EVP_DigestInit_ex(ctx, md_of(a), NULL) != 1)
		return VT_E_CRYPTO;
	for (i = 0; i < n; i++)
		if (EVP_DigestUpdate(ctx, parts[i].p, parts[i].len) != 1)
			return VT_E_CRYPTO;
	if (EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		return VT_E_CRYPTO;
	return VT_OK;
}

int
digest_buf(uint16_t alg, const void *p, size_t len, uint8_t *out)
{
	struct iov_part part = { p, len };

	return digest_parts(alg, &part, 1, out);
}

int
digest_extend(uint16_t alg, uint8_t *pcr, const uint8_t *digest)
{
	size_t len = digest_len(alg);
	struct iov_part parts[2] = { { pcr, len }, { digest, len } };

	return digest_parts(alg, parts, 2, pcr);
}

/* struct digest_ctx is an EVP_MD_CTX; only its name is ours. */
int
digest_begin(uint16_t alg, struct digest_ctx **ret)
{
	size_t a = find_alg(alg);
	EVP_MD_CTX *ctx;

	if (a == VT_NELEM(algs))
		return VT_E_UNSUPPORTED;
	if ((ctx = EVP_MD_CTX_new()) == NULL)
		return VT_E_NOMEM;
	if (EVP_DigestInit_ex(ctx, algs[a].md(), NULL) != 1) {
		EVP_MD_CTX_free(ctx);
		return VT_E_CRYPTO;
	}
	*ret = (struct digest_ctx *)ctx;
	return VT_OK;
}

int
digest_add(struct digest_ctx *c, const void *p, size_t len)
{
	return EVP_DigestUpdate((EVP_MD_CTX *)c, p, len) == 1 ? VT_OK
							      : VT_E_CRYPTO;
}

int
digest_end(struct digest_ctx *c, uint8_t *out)
{
	int rc = VT_OK;

	if (EVP_DigestFinal_ex((EVP_MD_CTX *)c, out, NULL) != 1)
		rc = VT_E_CRYPTO;
	EVP_MD_CTX_free((EVP_MD_CTX *)c);
	return rc;
}

void
digest_drop(struct digest_ctx *c)
{
	EVP_MD_CTX_free((EVP_MD_CTX *)c);
}

int
hmac_sha256_parts(const uint8_t *key, size_t keylen,
    const struct iov_part *parts, size_t n, uint8_t out[SHA256_LEN])
{
	OSSL_PARAM params[2];
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	char md[] = "SHA256";
	int rc = VT_E_CRYPTO;
	size_t i, len;

	params[0] =
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, md, 0);
	params[1] = OSSL_PARAM_construct_end();
	if (ctx == NULL || EVP_MAC_init(ctx, key, keylen, params) != 1)
		goto out;
	for (i = 0; i < n; i++)
		if (EVP_MAC_update(ctx, parts[i].p, parts[i].len) != 1)
			goto out;
	if (EVP_MAC_final(ctx, out, &len, SHA256_LEN) != 1)
		goto out;
	rc = VT_OK;
out:
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return rc;
}

int
hkdf_sha256(const uint8_t *key, size_t keylen, const void *info, size_t infolen,
    uint8_t *out, size_t outlen)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	int rc = VT_E_CRYPTO;

	if (keylen > INT_MAX || infolen > INT_MAX)
		goto out;
	if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) != 1 ||
	    EVP_PKEY_CTX_set1_hkdf_key(ctx, key, (int)keylen) != 1 ||
	    EVP_PKEY_CTX_add1_hkdf_info(ctx, info, (int)infolen) != 1 ||
	    EVP_PKEY_derive(ctx, out, &outlen) != 1)
		goto out;
	rc = VT_OK;
out:
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

int
crypto_reseed(void)
{
	uint8_t fresh[64];
	int rc;

	if ((rc = random_bytes(fresh, sizeof(fresh))) != VT_OK)
		return rc;
	RAND_seed(fresh, sizeof(fresh));
	explicit_bzero(fresh, sizeof(fresh));
	return VT_OK;
}

int
gcm_seal(const uint8_t key[GCM_KEY_LEN], const uint8_t iv[GCM_IV_LEN],
    const void *ad, size_t adlen, const uint8_t *in, size_t len, uint8_t *out,
    uint8_t tag[GCM_TAG_LEN])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n, rc = VT_E_CRYPTO;

	if (ctx == NULL)
		return VT_E_NOMEM;
	if (len > INT_MAX || adlen > INT_MAX) {
		rc = VT_E_RANGE;
		goto out;
	}
	if (EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, ad, (int)adlen) != 1 ||
	    EVP_EncryptUpdate(ctx, out, &n, in, (int)len) != 1 ||
	    EVP_EncryptFinal_ex(ctx, out + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, GCM_TAG_LEN, tag) !=
		1)
		goto out;
	rc = VT_OK;
out:
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

int
gcm_open(const uint8_t key[GCM_KEY_LEN], const uint8_t iv[GCM_IV_LEN],
    const void *ad, size_t adlen, const uint8_t *in, size_t len,
    const uint8_t tag[GCM_TAG_LEN], uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t t[GCM_TAG_LEN];
	int n, rc = VT_E_CRYPTO;

	if (ctx == NULL)
		return VT_E_NOMEM;
	if (len > INT_MAX || adlen > INT_MAX) {
		rc = VT_E_RANGE;
		goto out;
	}
	memcpy(t, tag, sizeof(t));
	if (EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv) != 1 ||
	    EVP_DecryptUpdate(ctx, NULL, &n, ad, (int)adlen) != 1 ||
	    EVP_DecryptUpdate(ctx, out, &n, in, (int)len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, GCM_TAG_LEN, t) != 1)
		goto out;
	rc = VT_OK;
	if (EVP_DecryptFinal_ex(ctx, out + n, &n) != 1) {
		explicit_bzero(out, len);
		rc = VT_E_AUTH;
	}
out:
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}
