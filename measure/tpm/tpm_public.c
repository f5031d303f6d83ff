/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tpm_public.c - public areas and Names, and keys for OpenSSL from them.
 */
#include "measure/tpm/tpm_public.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <string.h>

#include "base/util.h"

#define RH_ENDORSEMENT 0x4000000bu /* TPM_RH_ENDORSEMENT, Part 2, 7.4 */
#define RSA_DEFAULT_EXPONENT 65537
#define RSA_BITS_MIN 2048

static const struct curve {
	uint16_t id;
	uint16_t len; /* bytes of a coordinate */
	const char *group;
} curves[] = {
	{ 0x0003, 32, "P-256" },
	{ 0x0004, 48, "P-384" },
	{ 0x0005, 66, "P-521" },
};

static const struct curve *
curve_find(uint16_t id)
{
	size_t i;

	for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (curves[i].id == id)
			return &curves[i];
	return NULL;
}

void
tpm_name_get(struct rd *r, struct tpm_name *ret)
{
	size_t len = 0;
	const uint8_t *p = rd_blob16(r, sizeof(ret->b), &len);

	if (rd_err(r) != VT_OK)
		return;
	if (len < 2 || digest_len(be16_get(p)) != len - 2) {
		rd_fail(r, VT_E_FORMAT);
		return;
	}
	ret->len = (uint16_t)len;
	memcpy(ret->b, p, len);
}

/* TPMT_SYM_DEF_OBJECT: what a storage key wraps its children with. */
static void
skip_symmetric(struct rd *r)
{
	if (rd_be16(r) == TA_NULL)
		return;
	(void)rd_be16(r); /* key bits */
	(void)rd_be16(r); /* mode */
}

static void
get_scheme(struct rd *r, struct tpm_pub *p)
{
	p->scheme = rd_be16(r);
	switch (p->scheme) {
	case TA_NULL:
		return;
	case TA_RSASSA:
	case TA_RSAPSS:
		if (p->type != TA_RSA)
			rd_fail(r, VT_E_FORMAT);
		break;
	case TA_ECDSA:
		if (p->type != TA_ECC)
			rd_fail(r, VT_E_FORMAT);
		break;
	default:
		rd_fail(r, VT_E_UNSUPPORTED);
	}
	p->hash = rd_be16(r);
}

static void
get_rsa(struct rd *r, struct tpm_pub *p)
{
	skip_symmetric(r);
	get_scheme(r, p);
	p->bits = rd_be16(r);
	p->exponent = rd_be32(r);
	if (p->exponent == 0)
		p->exponent = RSA_DEFAULT_EXPONENT;
	p->x = rd_blob16(r, TPM_RSA_MAX, &p->x_len);
}

static void
get_ecc(struct rd *r, struct tpm_pub *p)
{
	skip_symmetric(r);
	get_scheme(r, p);
	p->curve = rd_be16(r);
	if (rd_be16(r) != TA_NULL) /* key derivation scheme */
		(void)rd_be16(r);
	p->x = rd_blob16(r, TPM_ECC_MAX, &p->x_len);
	p->y = rd_blob16(r, TPM_ECC_MAX, &p->y_len);
}

int
tpm_pub_get(const uint8_t *buf, size_t len, struct tpm_pub *ret)
{
	struct tpm_pub p;
	struct rd r;
	size_t n;
	int rc;

	memset(&p, 0, sizeof(p));
	rd_init(&r, buf, len);
	p.type = rd_be16(&r);
	p.name_alg = rd_be16(&r);
	p.attrs = rd_be32(&r);
	(void)rd_blob16(&r, DIGEST_MAX, &n); /* authPolicy */
	if (p.type == TA_RSA)
		get_rsa(&r, &p);
	else if (p.type == TA_ECC)
		get_ecc(&r, &p);
	else
		rd_fail(&r, VT_E_UNSUPPORTED);
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	*ret = p;
	return VT_OK;
}

int
tpm_pub_unwrap(
    const uint8_t *buf, size_t len, const uint8_t **ret, size_t *ret_len)
{
	const uint8_t *p;
	struct rd r;
	size_t n = 0;
	int rc;

	rd_init(&r, buf, len);
	p = rd_blob16(&r, TPM_PUB_MAX, &n);
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	*ret = p;
	*ret_len = n;
	return VT_OK;
}

int
tpm_name_of(
    uint16_t name_alg, const uint8_t *pub, size_t len, struct tpm_name *ret)
{
	struct tpm_name n;
	int rc;

	be16_put(n.b, name_alg);
	if ((rc = digest_buf(name_alg, pub, len, n.b + 2)) != VT_OK)
		return rc;
	n.len = (uint16_t)(2 + digest_len(name_alg));
	*ret = n;
	return VT_OK;
}

int
tpm_qualified_name(const void *parent, size_t parent_len,
    const struct tpm_name *name, struct tpm_name *ret)
{
	const struct iov_part parts[] = {
		{ parent, parent_len },
		{ name->b, name->len },
	};
	struct tpm_name q;
	uint16_t alg;
	int rc;

	if (name->len < 2)
		return VT_E_FORMAT;
	alg = be16_get(name->b);
	be16_put(q.b, alg);
	if ((rc = digest_parts(alg, parts, 2, q.b + 2)) != VT_OK)
		return rc;
	q.len = (uint16_t)(2 + digest_len(alg));
	*ret = q;
	return VT_OK;
}

int
tpm_child_name(const struct tpm_name *ek, const struct tpm_name *name,
    struct tpm_name *ret)
{
	struct tpm_name qn;
	uint8_t rh[4];
	int rc;

	be32_put(rh, RH_ENDORSEMENT);
	rc = tpm_qualified_name(rh, sizeof(rh), ek, &qn);
	if (rc != VT_OK)
		return rc;
	return tpm_qualified_name(qn.b, qn.len, name, ret);
}

bool
tpm_name_equal(const struct tpm_name *a, const struct tpm_name *b)
{
	return a->len == b->len && a->len > 0 && mem_equal(a->b, b->b, a->len);
}

static int
rsa_params(const struct tpm_pub *p, OSSL_PARAM_BLD *bld, BIGNUM **ret_n)
{
	BIGNUM *n;

	if (p->bits < RSA_BITS_MIN || p->x_len * 8 != p->bits ||
	    (p->x[0] & 0x80) == 0 || p->exponent != RSA_DEFAULT_EXPONENT)
		return VT_E_RANGE;
	if ((n = BN_bin2bn(p->x, (int)p->x_len, NULL)) == NULL)
		return VT_E_NOMEM;
	*ret_n = n; /* the builder keeps a reference until it is freed */
	if (OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_uint(bld, OSSL_PKEY_PARAM_RSA_E, p->exponent) !=
		1)
		return VT_E_CRYPTO;
	return VT_OK;
}

/* point: 04 || x || y, left-padded; room for 1 + 2 * TPM_ECC_MAX. */
static int
ecc_params(const struct tpm_pub *p, OSSL_PARAM_BLD *bld, uint8_t *point)
{
	const struct curve *c = curve_find(p->curve);

	if (c == NULL)
		return VT_E_UNSUPPORTED;
	if (p->x_len == 0 || p->y_len == 0 || p->x_len > c->len ||
	    p->y_len > c->len)
		return VT_E_RANGE;
	memset(point, 0, 1 + 2 * (size_t)c->len);
	point[0] = 4;
	memcpy(point + 1 + c->len - p->x_len, p->x, p->x_len);
	memcpy(point + 1 + 2 * (size_t)c->len - p->y_len, p->y, p->y_len);
	if (OSSL_PARAM_BLD_push_utf8_string(
		bld, OSSL_PKEY_PARAM_GROUP_NAME, c->group, 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
		point, 1 + 2 * (size_t)c->len) != 1)
		return VT_E_CRYPTO;
	return VT_OK;
}

static int
key_from_params(const char *type, OSSL_PARAM *params, EVP_PKEY **ret)
{
	EVP_PKEY_CTX *ctx, *check = NULL;
	EVP_PKEY *key = NULL;
	int rc = VT_E_CRYPTO;

	if ((ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL)) == NULL)
		return VT_E_NOMEM;
	if (EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		goto out;
	/* On its curve and in its group, or a modulus of the right form. */
	if ((check = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL)) == NULL ||
	    EVP_PKEY_public_check(check) != 1)
		goto out;
	*ret = key;
	key = NULL;
	rc = VT_OK;
out:
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(check);
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

int
tpm_pub_to_evp(const struct tpm_pub *pub, EVP_PKEY **ret)
{
	uint8_t point[1 + 2 * TPM_ECC_MAX];
	OSSL_PARAM *params = NULL;
	OSSL_PARAM_BLD *bld;
	BIGNUM *n = NULL;
	int rc;

	if ((bld = OSSL_PARAM_BLD_new()) == NULL)
		return VT_E_NOMEM;
	if (pub->type == TA_RSA)
		rc = rsa_params(pub, bld, &n);
	else
		rc = ecc_params(pub, bld, point);
	if (rc != VT_OK)
		goto out;
	if ((params = OSSL_PARAM_BLD_to_param(bld)) == NULL) {
		rc = VT_E_NOMEM;
		goto out;
	}
	rc = key_from_params(pub->type == TA_RSA ? "RSA" : "EC", params, ret);
out:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_free(n);
	return rc;
}
