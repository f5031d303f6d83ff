/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fakequote.h - a TPM of keys in memory: quotes that are right in all but
 * what a test wants wrong.  Needs cmocka.h before it.
 */
#ifndef TESTS_FAKEQUOTE_H
#define TESTS_FAKEQUOTE_H

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/tpm_public.h"

#define FQ_AK_ATTRS                                             \
	(TO_FIXED_TPM | TO_FIXED_PARENT | TO_SENSITIVE_ORIGIN | \
	    TO_USER_WITH_AUTH | TO_RESTRICTED | TO_SIGN)

/* What the fake TPM writes; a test changes a field and quotes again. */
struct fq {
	EVP_PKEY *ek, *ak;
	/* the AK's public area */
	uint16_t name_alg, scheme, hash;
	uint32_t attrs;
	/* the attestation */
	uint32_t magic;
	uint16_t type;
	uint8_t extra[SHA256_LEN];
	uint16_t extra_len;
	uint64_t clock;
	uint32_t resets, restarts;
	uint8_t safe;
	struct pcr_sel sel;
	struct pcr_set pcrs;
	bool primary_ak;      /* the AK is no child of the EK */
	uint16_t digest_hash; /* of the PCRs; 0: as hash */
	/* the signature */
	uint16_t sig_alg, sig_hash; /* what it calls itself */
	EVP_PKEY *signer;           /* NULL: ak */
	size_t trailing;            /* bytes after each structure */

	/* made by fq_make() */
	uint8_t ek_pub[256], ak_pub[256], attest[1024], sig[256];
	size_t ek_pub_len, ak_pub_len, attest_len, sig_len;
	struct tpm_name ek_name, ak_name;
};

static inline void
fq_point(EVP_PKEY *key, struct wr *w)
{
	uint8_t point[65];
	size_t n;

	assert_int_equal(EVP_PKEY_get_octet_string_param(key,
			     OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n),
	    1);
	assert_int_equal(n, sizeof(point));
	wr_blob16(w, point + 1, 32);
	wr_blob16(w, point + 33, 32);
}

/* The EK's public area: template L-2. */
static inline void
fq_ek_public(struct fq *f)
{
	static const char head[] =
	    "0023000b000300b20020837197674484b3f81a90cc8d46a5d724fd52d76e06520"
	    "b64f2a1da1b331469aa00060080004300100003"
	    "0010";
	uint8_t raw[128];
	struct wr w;
	size_t n;

	assert_int_equal(hex_decode(head, raw, sizeof(raw), &n), VT_OK);
	wr_init(&w, f->ek_pub, sizeof(f->ek_pub));
	wr_bytes(&w, raw, n);
	fq_point(f->ek, &w);
	assert_int_equal(wr_err(&w), VT_OK);
	f->ek_pub_len = w.len;
	assert_int_equal(
	    tpm_name_of(ALG_SHA256, f->ek_pub, w.len, &f->ek_name), VT_OK);
}

static inline void
fq_ak_public(struct fq *f)
{
	struct wr w;

	wr_init(&w, f->ak_pub, sizeof(f->ak_pub));
	wr_be16(&w, TA_ECC);
	wr_be16(&w, f->name_alg);
	wr_be32(&w, f->attrs);
	wr_be16(&w, 0);
	wr_be16(&w, TA_NULL);
	wr_be16(&w, f->scheme);
	if (f->scheme != TA_NULL)
		wr_be16(&w, f->hash);
	wr_be16(&w, 3);
	wr_be16(&w, TA_NULL);
	fq_point(f->ak, &w);
	assert_int_equal(wr_err(&w), VT_OK);
	f->ak_pub_len = w.len;
	assert_int_equal(
	    tpm_name_of(f->name_alg, f->ak_pub, w.len, &f->ak_name), VT_OK);
}

static inline void
fq_signer_name(const struct fq *f, struct tpm_name *ret)
{
	static const uint8_t rh[4] = { 0x40, 0x00, 0x00, 0x0b };
	struct tpm_name ek_qn;

	assert_int_equal(tpm_qualified_name(rh, 4, &f->ek_name, &ek_qn), VT_OK);
	if (f->primary_ak)
		assert_int_equal(
		    tpm_qualified_name(rh, 4, &f->ak_name, ret), VT_OK);
	else
		assert_int_equal(
		    tpm_qualified_name(ek_qn.b, ek_qn.len, &f->ak_name, ret),
		    VT_OK);
}

static inline void
fq_attest(struct fq *f)
{
	static const uint8_t zeros[16];
	uint16_t hash = f->digest_hash != 0 ? f->digest_hash : f->hash;
	uint8_t d[DIGEST_MAX];
	struct tpm_name qn;
	struct wr w;

	fq_signer_name(f, &qn);
	assert_int_equal(pcr_digest(&f->pcrs, &f->sel, hash, d), VT_OK);
	wr_init(&w, f->attest, sizeof(f->attest));
	wr_be32(&w, f->magic);
	wr_be16(&w, f->type);
	wr_blob16(&w, qn.b, qn.len);
	wr_blob16(&w, f->extra, f->extra_len);
	wr_be64(&w, f->clock);
	wr_be32(&w, f->resets);
	wr_be32(&w, f->restarts);
	wr_u8(&w, f->safe);
	wr_be64(&w, 0x2026);
	pcr_sel_put(&w, &f->sel);
	wr_blob16(&w, d, digest_len(hash));
	wr_bytes(&w, zeros, f->trailing);
	assert_int_equal(wr_err(&w), VT_OK);
	f->attest_len = w.len;
}

/* BN -> 32 bytes. */
static inline void
fq_num(struct wr *w, const BIGNUM *n)
{
	uint8_t raw[32];

	assert_int_equal(BN_bn2binpad(n, raw, sizeof(raw)), sizeof(raw));
	wr_blob16(w, raw, sizeof(raw));
}

static inline void
fq_sign(struct fq *f)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const unsigned char *p;
	uint8_t der[128];
	size_t n = sizeof(der);
	ECDSA_SIG *es;
	struct wr w;

	assert_int_equal(
	    EVP_DigestSignInit_ex(ctx, NULL, digest_name(f->sig_hash), NULL,
		NULL, f->signer != NULL ? f->signer : f->ak, NULL),
	    1);
	assert_int_equal(
	    EVP_DigestSign(ctx, der, &n, f->attest, f->attest_len), 1);
	EVP_MD_CTX_free(ctx);
	p = der;
	assert_non_null(es = d2i_ECDSA_SIG(NULL, &p, (long)n));
	wr_init(&w, f->sig, sizeof(f->sig));
	wr_be16(&w, f->sig_alg);
	wr_be16(&w, f->sig_hash);
	fq_num(&w, ECDSA_SIG_get0_r(es));
	fq_num(&w, ECDSA_SIG_get0_s(es));
	assert_int_equal(wr_err(&w), VT_OK);
	f->sig_len = w.len;
	ECDSA_SIG_free(es);
}

/* Public areas, attestation and signature, as the fields say. */
static inline void
fq_make(struct fq *f)
{
	fq_ek_public(f);
	fq_ak_public(f);
	fq_attest(f);
	fq_sign(f);
}

/* A good one over sha256:0,1,7. */
static inline void
fq_init(struct fq *f)
{
	static const uint16_t alg = ALG_SHA256;
	uint8_t val[SHA256_LEN];

	memset(f, 0, sizeof(*f));
	assert_non_null(f->ek = EVP_EC_gen("P-256"));
	assert_non_null(f->ak = EVP_EC_gen("P-256"));
	f->name_alg = ALG_SHA256;
	f->scheme = f->sig_alg = TA_ECDSA;
	f->hash = f->sig_hash = ALG_SHA256;
	f->attrs = FQ_AK_ATTRS;
	f->magic = 0xff544347;
	f->type = 0x8018;
	f->extra_len = sizeof(f->extra);
	memset(f->extra, 0x5a, sizeof(f->extra));
	f->clock = 1000;
	f->resets = 5;
	f->restarts = 2;
	f->safe = 1;
	assert_int_equal(pcr_sel_parse("sha256:0,1,7", &f->sel), VT_OK);
	assert_int_equal(pcr_set_init(&f->pcrs, &alg, 1), VT_OK);
	memset(val, 0x11, sizeof(val));
	assert_int_equal(pcr_put(&f->pcrs, alg, 0, val), VT_OK);
	memset(val, 0x22, sizeof(val));
	assert_int_equal(pcr_put(&f->pcrs, alg, 1, val), VT_OK);
	memset(val, 0x33, sizeof(val));
	assert_int_equal(pcr_put(&f->pcrs, alg, 7, val), VT_OK);
}

static inline void
fq_done(struct fq *f)
{
	EVP_PKEY_free(f->ek);
	EVP_PKEY_free(f->ak);
}

#endif
