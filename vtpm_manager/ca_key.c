/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/ca_key.h"

#include <stdbool.h>
#include <string.h>

#include "measure/quote.h"

#define CURVE_P256 3
#define CURVE_P384 4
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

/* OpenSSL takes any number for a modulus; a TPM makes no such key. */
static bool
rsa_looks_made(const struct tpm_pub *p)
{
	return (p->bits == 2048 || p->bits == 3072 || p->bits == 4096) &&
	       p->x_len == (size_t)p->bits / 8 && p->exponent == RSA_EXPONENT &&
	       p->x[0] >= 0x80 && (p->x[p->x_len - 1] & 1) == 1;
}

static int
to_key(const struct tpm_pub *p, EVP_PKEY **ret)
{
	if (p->type == TA_RSA && !rsa_looks_made(p))
		return VT_E_UNSUPPORTED;
	if (p->type == TA_ECC && p->curve != CURVE_P256 &&
	    p->curve != CURVE_P384)
		return VT_E_UNSUPPORTED;
	return tpm_pub_to_evp(p, ret);
}

int
ca_key_get(const uint8_t *pub, size_t len, enum ca_key_use use, EVP_PKEY **ret)
{
	const uint8_t *inner;
	struct tpm_pub p;
	size_t inner_len;
	int rc;

	if ((rc = tpm_pub_unwrap(pub, len, &inner, &inner_len)) != VT_OK ||
	    (rc = tpm_pub_get(inner, inner_len, &p)) != VT_OK ||
	    (rc = check_use(&p, use)) != VT_OK)
		return rc;
	return to_key(&p, ret);
}

int
ca_key_get_12(const uint8_t *mod, size_t len, EVP_PKEY **ret)
{
	struct tpm_pub p;

	if (len != RSA12_LEN)
		return VT_E_UNSUPPORTED;
	memset(&p, 0, sizeof(p));
	p.type = TA_RSA;
	p.bits = RSA12_LEN * 8;
	p.exponent = RSA_EXPONENT;
	p.x = mod;
	p.x_len = len;
	return to_key(&p, ret);
}
