/* SPDX-License-Identifier: BSD-3-Clause */
/* make_credential.c - TPM2_MakeCredential in software. */
#include "measure/cert/make_credential.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"

#define TA_AES 0x0006
#define TA_CFB 0x0043
#define KEY_MAX 32
#define SEED_MAX DIGEST_MAX
#define SHARED_MAX TPM_ECC_MAX

struct ek {
	struct tpm_pub pub;
	EVP_PKEY *key;
	uint16_t aes_bits;
	size_t hash_len;
};

/* The symmetric algorithm stands where tpm_pub_get() steps over it. */
static int
get_symmetric(const uint8_t *p, size_t len, uint16_t *ret_bits)
{
	uint16_t alg, bits, mode;
	struct rd r;
	size_t n;

	rd_init(&r, p, len);
	(void)rd_span(&r, 2 + 2 + 4);
	(void)rd_blob16(&r, DIGEST_MAX, &n);
	alg = rd_be16(&r);
	bits = rd_be16(&r);
	mode = rd_be16(&r);
	if (rd_err(&r) != VT_OK)
		return rd_err(&r);
	if (alg != TA_AES || mode != TA_CFB || (bits != 128 && bits != 256))
		return VT_E_UNSUPPORTED;
	*ret_bits = bits;
	return VT_OK;
}

/* One HMAC's worth at a time, Part 1, 11.4.10.2; bits is a multiple of 8. */
static int
kdfa(uint16_t alg, const uint8_t *key, size_t keylen, const char *label,
    const struct tpm_name *u, uint8_t *out, size_t len)
{
	const EVP_MD *md = EVP_get_digestbyname(digest_name(alg));
	uint8_t buf[4 + 16 + 2 + DIGEST_MAX + 4], block[EVP_MAX_MD_SIZE];
	size_t done = 0, n;
	unsigned int got = 0;
	uint32_t i;
	struct wr w;

	for (i = 1; done < len; i++) {
		wr_init(&w, buf, sizeof(buf));
		wr_be32(&w, i);
		wr_bytes(&w, label, strlen(label) + 1);
		if (u != NULL)
			wr_bytes(&w, u->b, u->len);
		wr_be32(&w, (uint32_t)len * 8);
		if (wr_err(&w) != VT_OK || md == NULL ||
		    HMAC(md, key, (int)keylen, buf, w.len, block, &got) == NULL)
			return VT_E_CRYPTO;
		n = len - done < got ? len - done : got;
		memcpy(out + done, block, n);
		done += n;
	}
	OPENSSL_cleanse(block, sizeof(block));
	return VT_OK;
}

/* --- the seed --------------------------------------------------------------
 */

static int
seed_rsa(const struct ek *ek, const uint8_t *seed, struct wr *enc)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ek->key, NULL);
	const char *md = digest_name(ek->pub.name_alg);
	uint8_t out[TPM_RSA_MAX];
	size_t len = sizeof(out);
	char *label = OPENSSL_strdup("IDENTITY"); /* with its NUL */
	int rc = VT_E_CRYPTO;

	if (ctx == NULL || label == NULL || EVP_PKEY_encrypt_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, md, NULL) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, md, NULL) != 1 ||
	    EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, sizeof("IDENTITY")) !=
		1)
		goto out;
	label = NULL; /* the context's now */
	if (EVP_PKEY_encrypt(ctx, out, &len, seed, ek->hash_len) != 1)
		goto out;
	wr_blob16(enc, out, len);
	rc = wr_err(enc);
out:
	OPENSSL_free(label);
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static int
shared_point(EVP_PKEY *own, EVP_PKEY *peer, uint8_t *z, size_t len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	size_t n = len;
	int rc = VT_E_CRYPTO;

	if (ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	    EVP_PKEY_derive(ctx, z, &n) == 1 && n == len)
		rc = VT_OK;
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

/* KDFe: H(counter || Z || label || ephemeral x || EK's x); one block is the
 * whole seed. */
static int
kdfe(const struct ek *ek, const uint8_t *z, const uint8_t *x, size_t n,
    uint8_t *seed)
{
	uint8_t pad[TPM_ECC_MAX] = { 0 }, one[4] = { 0, 0, 0, 1 };
	const struct iov_part parts[] = {
		{ one, sizeof(one) },
		{ z, n },
		{ "IDENTITY", sizeof("IDENTITY") },
		{ x, n },
		{ pad, n },
	};

	memcpy(pad + n - ek->pub.x_len, ek->pub.x, ek->pub.x_len);
	return digest_parts(ek->pub.name_alg, parts, VT_NELEM(parts), seed);
}

static int
seed_ecc(const struct ek *ek, uint8_t *seed, struct wr *enc)
{
	size_t n = ((size_t)EVP_PKEY_get_bits(ek->key) + 7) / 8, len = 0;
	uint8_t point[1 + 2 * TPM_ECC_MAX], z[SHARED_MAX];
	EVP_PKEY *own = NULL;
	char group[32];
	int rc = VT_E_CRYPTO;

	if (n > SHARED_MAX || ek->pub.x_len > n ||
	    EVP_PKEY_get_group_name(ek->key, group, sizeof(group), &len) != 1 ||
	    (own = EVP_EC_gen(group)) == NULL ||
	    EVP_PKEY_get_octet_string_param(own, OSSL_PKEY_PARAM_PUB_KEY, point,
		sizeof(point), &len) != 1 ||
	    len != 1 + 2 * n || point[0] != 4)
		goto out;
	if ((rc = shared_point(own, ek->key, z, n)) != VT_OK ||
	    (rc = kdfe(ek, z, point + 1, n, seed)) != VT_OK)
		goto out;
	wr_be16(enc, (uint16_t)(2 * (2 + n))); /* a TPMS_ECC_POINT */
	wr_blob16(enc, point + 1, n);
	wr_blob16(enc, point + 1 + n, n);
	rc = wr_err(enc);
out:
	OPENSSL_cleanse(z, sizeof(z));
	EVP_PKEY_free(own);
	return rc;
}

/* --- the credential --------------------------------------------------------
 */

static int
aes_cfb(const uint8_t *key, uint16_t bits, uint8_t *buf, size_t len)
{
	const EVP_CIPHER *c =
	    bits == 128 ? EVP_aes_128_cfb128() : EVP_aes_256_cfb128();
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	static const uint8_t iv[16];
	int n = 0, rc = VT_E_CRYPTO;

	if (ctx != NULL && EVP_EncryptInit_ex(ctx, c, NULL, key, iv) == 1 &&
	    EVP_EncryptUpdate(ctx, buf, &n, buf, (int)len) == 1 &&
	    (size_t)n == len)
		rc = VT_OK;
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

/* TPM2B_ID_OBJECT: integrity HMAC, then the encrypted TPM2B_DIGEST. */
static int
wrap(const struct ek *ek, const uint8_t *seed, const struct tpm_name *name,
    const uint8_t *secret, size_t len, struct wr *id)
{
	const EVP_MD *md = EVP_get_digestbyname(digest_name(ek->pub.name_alg));
	uint8_t body[2 + CREDENTIAL_SECRET_MAX + sizeof(name->b)];
	uint8_t key[KEY_MAX], hkey[DIGEST_MAX], mac[EVP_MAX_MD_SIZE];
	unsigned int mac_len = 0;
	int rc;

	be16_put(body, (uint16_t)len);
	memcpy(body + 2, secret, len);
	len += 2;
	if ((rc = kdfa(ek->pub.name_alg, seed, ek->hash_len, "STORAGE", name,
		 key, ek->aes_bits / 8)) != VT_OK ||
	    (rc = aes_cfb(key, ek->aes_bits, body, len)) != VT_OK ||
	    (rc = kdfa(ek->pub.name_alg, seed, ek->hash_len, "INTEGRITY", NULL,
		 hkey, ek->hash_len)) != VT_OK)
		goto out;
	memcpy(body + len, name->b, name->len);
	rc = VT_E_CRYPTO;
	if (HMAC(md, hkey, (int)ek->hash_len, body, len + name->len, mac,
		&mac_len) == NULL)
		goto out;
	wr_be16(id, (uint16_t)(2 + mac_len + len));
	wr_blob16(id, mac, mac_len);
	wr_bytes(id, body, len);
	rc = wr_err(id);
out:
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(hkey, sizeof(hkey));
	OPENSSL_cleanse(body, sizeof(body));
	return rc;
}

int
credential_make(const uint8_t *ek_pub, size_t ek_pub_len,
    const struct tpm_name *name, const uint8_t *secret, size_t secret_len,
    struct credential *ret)
{
	uint8_t seed[SEED_MAX];
	struct credential c;
	struct wr id, enc;
	struct ek ek;
	int rc;

	if (secret_len == 0 || secret_len > CREDENTIAL_SECRET_MAX ||
	    name->len < 2)
		return VT_E_RANGE;
	memset(&c, 0, sizeof(c));
	memset(&ek, 0, sizeof(ek));
	wr_init(&id, c.id, sizeof(c.id));
	wr_init(&enc, c.enc, sizeof(c.enc));
	if ((rc = tpm_pub_get(ek_pub, ek_pub_len, &ek.pub)) != VT_OK ||
	    (rc = get_symmetric(ek_pub, ek_pub_len, &ek.aes_bits)) != VT_OK ||
	    (rc = tpm_pub_to_evp(&ek.pub, &ek.key)) != VT_OK)
		return rc;
	ek.hash_len = digest_len(ek.pub.name_alg);
	rc = ek.hash_len == 0 ? VT_E_UNSUPPORTED
			      : random_bytes(seed, ek.hash_len);
	if (rc == VT_OK && ek.pub.type == TA_RSA)
		rc = seed_rsa(&ek, seed, &enc);
	else if (rc == VT_OK)
		rc = seed_ecc(&ek, seed, &enc);
	if (rc == VT_OK)
		rc = wrap(&ek, seed, name, secret, secret_len, &id);
	OPENSSL_cleanse(seed, sizeof(seed));
	EVP_PKEY_free(ek.key);
	ERR_clear_error();
	if (rc != VT_OK)
		return rc;
	c.id_len = id.len;
	c.enc_len = enc.len;
	*ret = c;
	return VT_OK;
}
