/* SPDX-License-Identifier: BSD-3-Clause */
/* x509.c - the verification of EK and AK certificates, one function a step. */
#include "measure/cert/x509.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check_on.h"
#include "base/rdwr.h"
#include "measure/cert/cert_extension.h"
#include "measure/cert/embed/ek_l1_hex.h"
#include "measure/cert/embed/ek_l2_hex.h"
#include "measure/cert/x509_cert.h"
#include "measure/cert/x509_issuing.h"
#include "measure/tpm/step.h"
#include "measure/tpm/tpm_public.h"

#define AUTH_LEVEL 2 /* 112 bits: no SHA-1, no short keys */
#define CA_MAX 16    /* certificates in the user's file */
#define P256_LEN 32
#define RSA2048_LEN 256

struct xv { /* one verification under way */
	const struct x509_want *want;
	struct x509_report *rep;
	X509_STORE *store;
	struct held {
		X509 *x;
		X509 *by;          /* the issuing key's that came with it */
		X509 *issuer, *ca; /* of the chain; ca: what the user trusts */
	} ek, ak;
};

static const char *
why_openssl(struct x509_report *rep, const char *what, int err)
{
	(void)snprintf(rep->why, sizeof(rep->why), "%s: %s", what,
	    X509_verify_cert_error_string(err));
	return rep->why;
}

/* --- the CA ----------------------------------------------------------------
 */

static bool
ca_add(X509_STORE *store, X509 *x)
{
	/* 1: basicConstraints allow it.  Older forms of "maybe" are refused. */
	return X509_check_ca(x) == 1 && X509_STORE_add_cert(store, x) == 1;
}

/* PEM, one certificate after another.  How many, or -1. */
static int
ca_add_pem(X509_STORE *store, BIO *bio)
{
	int n = 0;
	X509 *x;

	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		bool ok = n < CA_MAX && ca_add(store, x);

		X509_free(x);
		if (!ok)
			return -1;
		n++;
	}
	/* Only "no more" may end it, not a broken certificate. */
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		n = -1;
	ERR_clear_error();
	return n;
}

static const char *
step_ca(struct xv *v)
{
	const struct x509_want *w = v->want;
	BIO *bio;
	X509 *x;
	int n = 0;

	if (w->store != NULL) {
		if (X509_STORE_up_ref(w->store) != 1)
			return "out of memory";
		v->store = w->store;
		return NULL;
	}
	if (w->ca == NULL || w->ca_len == 0)
		return "no CA certificate was given to verify the "
		       "certificates";
	if (w->ca_len > X509_CA_MAX)
		return "the CA file is too long";
	if ((v->store = X509_STORE_new()) == NULL)
		return "out of memory";
	if ((x = x509_cert_get(w->ca, w->ca_len)) != NULL) {
		n = ca_add(v->store, x) ? 1 : -1;
		X509_free(x);
	} else if ((bio = BIO_new_mem_buf(w->ca, (int)w->ca_len)) != NULL) {
		n = ca_add_pem(v->store, bio);
		BIO_free(bio);
	}
	if (n < 0)
		return "the CA file holds something that is not a CA "
		       "certificate";
	if (n == 0)
		return "the CA file holds no certificate";
	return NULL;
}

/* --- chains and purposes ---------------------------------------------------
 */

static void
set_param(const struct x509_want *w, X509_STORE_CTX *ctx)
{
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_auth_level(p, AUTH_LEVEL);
	/* The user trusts what the file holds, even an intermediate CA. */
	(void)X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN);
	if (w->now != 0)
		X509_VERIFY_PARAM_set_time(p, w->now);
}

/* Of a chain, who issued the certificate, and the CA: behind an issuing key's
 * certificate, or the same. */
static const char *
keep_chain(struct held *h, STACK_OF(X509) * chain)
{
	int n = chain != NULL ? sk_X509_num(chain) : 0;
	X509 *issuer = n > 1 ? sk_X509_value(chain, 1) : NULL, *ca = issuer;

	if (issuer == NULL)
		return "a certificate is its own issuer";
	if (n > 2 && (h->by != NULL || x509_is_issuing(issuer)))
		ca = sk_X509_value(chain, 2);
	if (X509_up_ref(issuer) == 1)
		h->issuer = issuer;
	if (X509_up_ref(ca) == 1)
		h->ca = ca;
	return h->issuer != NULL && h->ca != NULL ? NULL : "out of memory";
}

static const char *
check_issuing(const struct held *h)
{
	if (h->by != NULL && X509_cmp(h->issuer, h->by) != 0)
		return "a certificate came with one that did not issue it";
	if (h->by == NULL && !x509_is_issuing(h->issuer))
		return NULL; /* the CA itself */
	return x509_issuing_check(h->issuer, h->x);
}

/* Of what came with the certificate, the chain may have one: an issuing
 * key's. */
static const char *
check_chain(struct xv *v, const char *what, struct held *h)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *with = sk_X509_new_null();
	const char *why = "out of memory";
	bool good;

	if (ctx == NULL || with == NULL ||
	    (h->by != NULL && sk_X509_push(with, h->by) <= 0) ||
	    X509_STORE_CTX_init(ctx, v->store, h->x, with) != 1)
		goto out;
	set_param(v->want, ctx);
	good = X509_verify_cert(ctx) == 1;
	why = keep_chain(h, X509_STORE_CTX_get0_chain(ctx));
	if (!good)
		why = why_openssl(v->rep, what, X509_STORE_CTX_get_error(ctx));
	else if (why == NULL)
		why = check_issuing(h);
out:
	X509_STORE_CTX_free(ctx);
	sk_X509_free(with);
	ERR_clear_error();
	return why;
}

static const char *
step_ek_chain(struct xv *v)
{
	v->ek.x =
	    x509_chain_get(v->want->ek_cert, v->want->ek_cert_len, &v->ek.by);
	if (v->ek.x == NULL)
		return "the EK certificate is missing or cannot be parsed";
	return check_chain(v, "EK certificate", &v->ek);
}

static const char *
step_ek_purpose(struct xv *v)
{
	if (X509_check_ca(v->ek.x) != 0)
		return "the EK certificate could be used as a CA";
	if (!x509_has_eku(v->ek.x, CERT_EXT_EKU_EK))
		return "the EK certificate is not for an EK (purpose "
		       "2.23.133.8.1 is missing)";
	return NULL;
}

static const char *
step_ak_chain(struct xv *v)
{
	const char *why;

	v->ak.x =
	    x509_chain_get(v->want->ak_cert, v->want->ak_cert_len, &v->ak.by);
	if (v->ak.x == NULL)
		return "the AK certificate is missing or cannot be parsed";
	why = check_chain(v, "AK certificate", &v->ak);
	if (why == NULL)
		(void)X509_NAME_oneline(X509_get_subject_name(v->ak.ca),
		    v->rep->ca_subject, sizeof(v->rep->ca_subject));
	return why;
}

static const char *
step_ak_purpose(struct xv *v)
{
	if (X509_check_ca(v->ak.x) != 0)
		return "the AK certificate could be used as a CA";
	if (!x509_has_eku(v->ak.x, CERT_EXT_EKU_AK))
		return "the AK certificate is not for an AK (purpose "
		       "2.23.133.8.3 is missing)";
	if (x509_has_eku(v->ak.x, CERT_EXT_EKU_EK))
		return "the AK certificate claims to be for an EK too";
	return NULL;
}

/* --- keys -------------------------------------------------------------------
 */

static int
ek_public_ecc(EVP_PKEY *key, struct wr *w)
{
	char group[32];
	uint8_t point[1 + 2 * P256_LEN];
	size_t len = 0;

	if (EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1 ||
	    OBJ_txt2nid(group) != NID_X9_62_prime256v1)
		return VT_E_UNSUPPORTED;
	if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
		sizeof(point), &len) != 1 ||
	    len != sizeof(point) || point[0] != 4)
		return VT_E_FORMAT;
	wr_bytes(w, ek_l2_hex, ek_l2_hex_len);
	wr_blob16(w, point + 1, P256_LEN);
	wr_blob16(w, point + 1 + P256_LEN, P256_LEN);
	return wr_err(w);
}

static int
ek_public_rsa(EVP_PKEY *key, struct wr *w)
{
	BIGNUM *n = NULL, *e = NULL;
	uint8_t mod[RSA2048_LEN];
	int rc = VT_E_UNSUPPORTED;

	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
	    BN_num_bits(n) == 8 * RSA2048_LEN && BN_is_word(e, 65537) &&
	    BN_bn2binpad(n, mod, sizeof(mod)) == (int)sizeof(mod)) {
		wr_bytes(w, ek_l1_hex, ek_l1_hex_len);
		wr_blob16(w, mod, sizeof(mod));
		rc = wr_err(w);
	}
	BN_free(n);
	BN_free(e);
	return rc;
}

static int
ek_name(X509 *x, struct tpm_name *ret)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	uint8_t buf[TPM_PUB_MAX];
	struct wr w;
	int rc;

	if (key == NULL)
		return VT_E_FORMAT;
	wr_init(&w, buf, sizeof(buf));
	if (EVP_PKEY_is_a(key, "EC"))
		rc = ek_public_ecc(key, &w);
	else if (EVP_PKEY_is_a(key, "RSA"))
		rc = ek_public_rsa(key, &w);
	else
		rc = VT_E_UNSUPPORTED;
	if (rc != VT_OK)
		return rc;
	return tpm_name_of(ALG_SHA256, buf, w.len, ret);
}

int
x509_ek_name(const uint8_t *der, size_t len, struct tpm_name *ret)
{
	X509 *by, *x = x509_chain_get(der, len, &by);
	int rc;

	if (x == NULL)
		return VT_E_FORMAT;
	rc = ek_name(x, ret);
	X509_free(x);
	X509_free(by);
	return rc;
}

static const char *
step_ek_key(struct xv *v)
{
	if (ek_name(v->ek.x, &v->rep->ek_name) != VT_OK)
		return "the EK's key is neither RSA-2048 nor P-256: its "
		       "template is not known";
	return NULL;
}

static const char *
step_ak_key(struct xv *v)
{
	EVP_PKEY *certified = X509_get0_pubkey(v->ak.x), *shown = NULL;
	const char *why = NULL;
	struct tpm_pub pub;

	if (tpm_pub_get(v->want->ak_pub, v->want->ak_pub_len, &pub) != VT_OK ||
	    tpm_pub_to_evp(&pub, &shown) != VT_OK)
		return "the AK's public area is not a valid key";
	if (certified == NULL || EVP_PKEY_eq(certified, shown) != 1)
		why = "the AK shown is not the key in the AK certificate";
	EVP_PKEY_free(shown);
	ERR_clear_error();
	return why;
}

/* --- our extensions ----------------------------------------------------------
 */

static const char *
step_instance(struct xv *v)
{
	struct cert_ext_instance ek, ak;

	if (!x509_get_instance(v->ek.x, &ek) ||
	    !x509_get_instance(v->ak.x, &ak))
		return "a certificate does not say which vTPM it is for";
	if (memcmp(ek.uuid, ak.uuid, UUID_LEN) != 0 || ek.group != ak.group ||
	    ek.root != ak.root || ek.is_virtual != ak.is_virtual)
		return "EK and AK certificate are for different vTPMs";
	if (ak.generation < ek.generation)
		return "the AK certificate is from an older generation than "
		       "the EK's";
	if (!ak.is_virtual)
		return "the certificates do not admit that the TPM is "
		       "virtual";
	v->rep->instance = ak;
	return NULL;
}

static time_t
to_time(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}

/* A time that cannot be read makes the span empty. */
static void
span(struct x509_report *rep, X509 *x)
{
	time_t a = to_time(X509_get0_notBefore(x));
	time_t b = to_time(X509_get0_notAfter(x));

	if (a > rep->from)
		rep->from = a;
	if (rep->until == 0 || b < rep->until)
		rep->until = b;
}

/* Issuing key and CA say the same; an issuing key is in no TPM, but is vouched
 * for by one that is, if its CA's is. */
static bool
root_of(const struct held *h, uint8_t want)
{
	uint8_t a, b;

	return h->issuer != NULL && x509_get_root(h->issuer, &a) &&
	       x509_get_root(h->ca, &b) && a == want && b == want;
}

static const char *
step_root(struct xv *v)
{
	uint8_t said = v->rep->instance.root, any;

	v->rep->root = said;
	if (v->ek.ca == NULL || !x509_get_root(v->ek.ca, &any) ||
	    v->ak.ca == NULL || !x509_get_root(v->ak.ca, &any))
		return "the CA does not say whether its key is in a physical "
		       "TPM";
	if (!root_of(&v->ek, said) || !root_of(&v->ak, said))
		return "the certificates claim another kind of root than "
		       "their CA has";
	span(v->rep, v->ek.x);
	span(v->rep, v->ak.x);
	span(v->rep, v->ek.issuer);
	span(v->rep, v->ak.issuer);
	span(v->rep, v->ek.ca);
	span(v->rep, v->ak.ca);
	return NULL;
}

/* clang-format off */
static const struct {
	const char	*id, *words;
	const char	*(*run)(struct xv *v);
} steps[XS_N] = {
	[XS_CA]		= { "ca", "the CA's certificate", step_ca },
	[XS_EK_CHAIN]	= { "ek-chain",
	    "the EK certificate comes from this CA and is in date",
	    step_ek_chain },
	[XS_EK_PURPOSE]	= { "ek-purpose",
	    "the EK certificate is for an EK", step_ek_purpose },
	[XS_EK_KEY]	= { "ek-key",
	    "the EK has a standard template", step_ek_key },
	[XS_AK_CHAIN]	= { "ak-chain",
	    "the AK certificate comes from this CA and is in date",
	    step_ak_chain },
	[XS_AK_PURPOSE]	= { "ak-purpose",
	    "the AK certificate is for an AK", step_ak_purpose },
	[XS_AK_KEY]	= { "ak-key",
	    "the AK shown is the one certified", step_ak_key },
	[XS_INSTANCE]	= { "instance",
	    "both certificates are for one virtual TPM", step_instance },
	[XS_ROOT]	= { "root",
	    "the certificates name the kind of root that their CA has",
	    step_root },
};
/* clang-format on */

const char *
x509_step_id(enum x509_step s)
{
	return s < XS_N ? steps[s].id : "?";
}

const char *
x509_step_words(enum x509_step s)
{
	return s < XS_N ? steps[s].words : "?";
}

static void
held_free(struct held *h)
{
	X509_free(h->x);
	X509_free(h->by);
	X509_free(h->issuer);
	X509_free(h->ca);
}

int
x509_verify(const struct x509_want *want, struct x509_report *ret)
{
	struct xv v = { .want = want, .rep = ret };
	const char *why = NULL;
	int s;

	memset(ret, 0, sizeof(*ret));
	for (s = 0; s < XS_N; s++) {
		ret->failed = (enum x509_step)s;
		why = steps[s].run(&v);
		if (why != NULL && check_on(steps[s].id))
			break;
		ret->outcome[s] = STEP_PASS;
	}
	if (s < XS_N) {
		ret->outcome[s] = STEP_FAIL;
		if (why != ret->why)
			(void)snprintf(ret->why, sizeof(ret->why), "%s", why);
	} else {
		ret->failed = XS_N;
	}
	held_free(&v.ek);
	held_free(&v.ak);
	X509_STORE_free(v.store);
	return s < XS_N ? VT_E_AUTH : VT_OK;
}
