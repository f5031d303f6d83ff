/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/hwtpm/ca_key.h"

#include <openssl/ec.h>
#include <openssl/objects.h>

#include <string.h>

#include "base/rdwr.h"
#include "measure/tpm/tpm_public.h"

#define CURVE_P256 3
#define CURVE_P384 4
#define POINT_UNCOMPRESSED_BYTE 0x04
#define RSA_EXPONENT 65537u
#define RSA12_LEN 256 /* bytes of a TPM 1.2 EK's modulus */

#define OWN (TO_FIXED_TPM | TO_FIXED_PARENT | TO_SENSITIVE_ORIGIN)
#define USES (TO_RESTRICTED | TO_DECRYPT | TO_SIGN)

static int
check_use(const struct tpm_pub *p, enum ca_key_use use)
{
	static const struct {
		uint16_t type; /* 0: any */
		uint32_t uses;
	} want[] = {
		[CA_KEY_EK_RSA] = { TA_RSA, TO_RESTRICTED | TO_DECRYPT },
		[CA_KEY_EK_ECC] = { TA_ECC, TO_RESTRICTED | TO_DECRYPT },
		[CA_KEY_AK] = { 0, TO_RESTRICTED | TO_SIGN },
		[CA_KEY_CA] = { TA_ECC, TO_SIGN },
	};

	if (want[use].type != 0 && p->type != want[use].type)
		return VT_E_UNSUPPORTED;
	if (p->name_alg != ALG_SHA256 && p->name_alg != ALG_SHA384 &&
	    p->name_alg != ALG_SHA512)
		return VT_E_UNSUPPORTED;
	if ((p->attrs & OWN) != OWN || (p->attrs & USES) != want[use].uses)
		return VT_E_POLICY;
	if (use == CA_KEY_CA && p->curve != CURVE_P256)
		return VT_E_UNSUPPORTED;
	return VT_OK;
}

/* RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER } */
static int
put_rsa(const uint8_t *mod, size_t n, struct ca_key *ret)
{
	static const uint8_t exponent[] = { 0x02, 0x03, 0x01, 0x00, 0x01 };
	struct ca_key k = { .alg = NID_rsaEncryption };
	struct wr w;
	int rc;

	/* A TPM makes no key with a short or an even modulus. */
	if ((n != 256 && n != 384 && n != 512) || mod[0] < 0x80 ||
	    (mod[n - 1] & 1) == 0)
		return VT_E_UNSUPPORTED;
	wr_init(&w, k.bits, sizeof(k.bits));
	wr_be16(&w, 0x3082);
	wr_be16(&w, (uint16_t)(4 + 1 + n + sizeof(exponent)));
	wr_be16(&w, 0x0282);
	wr_be16(&w, (uint16_t)(1 + n));
	wr_u8(&w, 0); /* positive: its top bit is set */
	wr_bytes(&w, mod, n);
	wr_bytes(&w, exponent, sizeof(exponent));
	k.len = w.len;
	if ((rc = wr_err(&w)) == VT_OK)
		*ret = k;
	return rc;
}

/* OpenSSL refuses a point that is not on the curve, and these curves have no
 * subgroups: this is the whole check. */
static int
on_curve(int nid, const uint8_t *point, size_t len)
{
	EC_GROUP *g = EC_GROUP_new_by_curve_name(nid);
	EC_POINT *p = g != NULL ? EC_POINT_new(g) : NULL;
	int rc = VT_E_CRYPTO;

	if (p != NULL && EC_POINT_oct2point(g, p, point, len, NULL) == 1)
		rc = VT_OK;
	EC_POINT_free(p);
	EC_GROUP_free(g);
	return rc;
}

static int
put_ecc(const struct tpm_pub *p, struct ca_key *ret)
{
	struct ca_key k = { .alg = NID_X9_62_id_ecPublicKey };
	size_t n = p->curve == CURVE_P256 ? 32 : 48;
	int rc;

	if ((p->curve != CURVE_P256 && p->curve != CURVE_P384) ||
	    p->x_len == 0 || p->x_len > n || p->y_len == 0 || p->y_len > n)
		return VT_E_UNSUPPORTED;
	k.curve = n == 32 ? NID_X9_62_prime256v1 : NID_secp384r1;
	k.bits[0] = POINT_UNCOMPRESSED_BYTE;
	memcpy(k.bits + 1 + n - p->x_len, p->x, p->x_len);
	memcpy(k.bits + 1 + 2 * n - p->y_len, p->y, p->y_len);
	k.len = 1 + 2 * n;
	if ((rc = on_curve(k.curve, k.bits, k.len)) == VT_OK)
		*ret = k;
	return rc;
}

static int
get_pub(
    const uint8_t *pub, size_t len, enum ca_key_use use, struct tpm_pub *ret)
{
	const uint8_t *inner;
	size_t inner_len;
	int rc;

	if ((rc = tpm_pub_unwrap(pub, len, &inner, &inner_len)) != VT_OK ||
	    (rc = tpm_pub_get(inner, inner_len, ret)) != VT_OK)
		return rc;
	return check_use(ret, use);
}

int
ca_key_get(
    const uint8_t *pub, size_t len, enum ca_key_use use, struct ca_key *ret)
{
	struct tpm_pub p;
	int rc;

	if ((rc = get_pub(pub, len, use, &p)) != VT_OK)
		return rc;
	if (p.type == TA_ECC)
		return put_ecc(&p, ret);
	if (p.exponent != RSA_EXPONENT || p.x_len != (size_t)p.bits / 8)
		return VT_E_UNSUPPORTED;
	return put_rsa(p.x, p.x_len, ret);
}

int
ca_key_get_12(const uint8_t *mod, size_t len, struct ca_key *ret)
{
	return len == RSA12_LEN ? put_rsa(mod, len, ret) : VT_E_UNSUPPORTED;
}

int
ca_key_evp(const uint8_t *pub, size_t len, EVP_PKEY **ret)
{
	struct tpm_pub p;
	int rc;

	rc = get_pub(pub, len, CA_KEY_CA, &p);
	return rc == VT_OK ? tpm_pub_to_evp(&p, ret) : rc;
}
