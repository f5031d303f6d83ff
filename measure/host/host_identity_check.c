/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_identity_check.c - from a manufacturer's root to the CA key of a host.
 */
#include "measure/host/host_identity_check.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check_on.h"
#include "base/rdwr.h"
#include "base/util.h"
#include "measure/cert/cert_extension.h"
#include "measure/cert/x509.h"
#include "measure/cert/x509_cert.h"
#include "measure/host/host_identity.h"
#include "measure/tpm/quote_verify.h"
#include "measure/tpm/step.h"
#include "measure/tpm/tpm_public.h"

#define AUTH_LEVEL 2 /* 112 bits */
#define GENERATED_VALUE 0xff544347u
#define ST_ATTEST_CERTIFY 0x8017
#define ATTRS_FIXED \
	((uint32_t)(TO_FIXED_TPM | TO_FIXED_PARENT | TO_SENSITIVE_ORIGIN))

struct host_roots {
	X509_STORE *store;
	STACK_OF(X509) * between;
};

struct hv { /* one check under way */
	const struct host_identity *h;
	const struct host_roots *roots;
	time_t now;
	struct host_identity_report *rep;
	struct tpm_pub ek, ca;
	struct tpm_name ca_name;
	X509 *ek_cert, *ca_cert;
};

/* --- roots -----------------------------------------------------------------
 */

int
host_roots_new(struct host_roots **ret)
{
	struct host_roots *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return VT_E_NOMEM;
	r->store = X509_STORE_new();
	r->between = sk_X509_new_null();
	if (r->store == NULL || r->between == NULL) {
		host_roots_free(r);
		return VT_E_NOMEM;
	}
	*ret = r;
	return VT_OK;
}

void
host_roots_free(struct host_roots *r)
{
	if (r == NULL)
		return;
	X509_STORE_free(r->store);
	sk_X509_pop_free(r->between, X509_free);
	free(r);
}

/* Takes over x. */
static bool
roots_take(struct host_roots *r, X509 *x)
{
	bool ok = false;

	if (X509_self_signed(x, 1) == 1)
		ok = X509_STORE_add_cert(r->store, x) == 1;
	else if (X509_up_ref(x) == 1)
		ok = sk_X509_push(r->between, x) > 0;
	X509_free(x);
	return ok;
}

/* Read certificates of CAs into all: PEM, one or more, or one in DER. */
static bool
read_cas(const void *p, size_t len, STACK_OF(X509) * all)
{
	X509 *x = x509_cert_get(p, len);
	bool ok = true, der = x != NULL;
	BIO *bio = NULL;

	if (!der && (len > X509_CA_MAX * 4 ||
			(bio = BIO_new_mem_buf(p, (int)len)) == NULL))
		return false;
	for (; ok; x = NULL) {
		if (x == NULL)
			x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		if (x == NULL)
			break;
		ok = X509_check_ca(x) == 1 && sk_X509_push(all, x) > 0;
		if (!ok)
			X509_free(x);
		if (der)
			break;
	}
	if (!der && ok) /* only "no more" may end it */
		ok = ERR_GET_REASON(ERR_peek_last_error()) ==
		     PEM_R_NO_START_LINE;
	ERR_clear_error();
	BIO_free(bio);
	return ok && sk_X509_num(all) > 0;
}

/* All or nothing. */
int
host_roots_add(struct host_roots *r, const void *p, size_t len)
{
	STACK_OF(X509) *all = sk_X509_new_null();
	bool ok = all != NULL && read_cas(p, len, all);
	X509 *x;

	while (ok && (x = sk_X509_shift(all)) != NULL)
		ok = roots_take(r, x);
	sk_X509_pop_free(all, X509_free);
	return ok ? VT_OK : VT_E_FORMAT;
}

/* --- steps -----------------------------------------------------------------
 */

static bool VT_PRINTF(2, 3) why(struct hv *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(v->rep->why, sizeof(v->rep->why), fmt, ap);
	va_end(ap);
	return false;
}

/* Critical in EK certificates by the TCG's profile, unknown to OpenSSL. */
static int
verify_cb(int ok, X509_STORE_CTX *ctx)
{
	X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	int i, n;

	if (ok == 1 || x == NULL ||
	    X509_STORE_CTX_get_error(ctx) !=
		X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION)
		return ok;
	for (i = 0, n = X509_get_ext_count(x); i < n; i++) {
		X509_EXTENSION *e = X509_get_ext(x, i);
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(e));

		if (X509_EXTENSION_get_critical(e) != 0 &&
		    nid != NID_subject_alt_name &&
		    nid != NID_subject_directory_attributes &&
		    X509_supported_extension(e) == 0)
			return 0;
	}
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

static STACK_OF(X509) * intermediates(const struct hv *v)
{
	STACK_OF(X509) *own =
	    sk_X509_deep_copy(v->roots->between, X509_dup, X509_free);
	uint32_t i;
	X509 *x;

	for (i = 0; own != NULL && i < v->h->nchain; i++) {
		x = x509_cert_get(v->h->chain[i].p, v->h->chain[i].len);
		if (x != NULL && sk_X509_push(own, x) <= 0)
			X509_free(x);
	}
	return own;
}

static void
keep_chain(struct hv *v, X509_STORE_CTX *ctx)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get1_chain(ctx);
	X509 *root;

	if (chain == NULL || sk_X509_num(chain) < 2) {
		sk_X509_pop_free(chain, X509_free);
		return;
	}
	root = sk_X509_pop(chain);
	(void)X509_NAME_oneline(X509_get_subject_name(root),
	    v->rep->root_subject, sizeof(v->rep->root_subject));
	X509_free(root);
	X509_free(sk_X509_shift(chain));
	v->rep->chain = chain;
}

static bool
step_ek_chain(struct hv *v)
{
	const struct host_identity_blob *b = &v->h->part[HI_EK_CERT];
	X509_STORE_CTX *ctx;
	STACK_OF(X509) *between = NULL;
	bool ok = false;

	if (b->p == NULL)
		return why(v, "the host has no EK certificate: its TPM's "
			      "manufacturer installed none");
	if ((v->ek_cert = x509_cert_get(b->p, b->len)) == NULL)
		return why(v, "the host's EK certificate cannot be parsed");
	if (v->roots == NULL)
		return true;
	ctx = X509_STORE_CTX_new();
	between = intermediates(v);
	if (ctx == NULL || between == NULL ||
	    X509_STORE_CTX_init(ctx, v->roots->store, v->ek_cert, between) !=
		1) {
		(void)why(v, "out of memory");
		goto out;
	}
	X509_VERIFY_PARAM_set_auth_level(
	    X509_STORE_CTX_get0_param(ctx), AUTH_LEVEL);
	if (v->now != 0)
		X509_VERIFY_PARAM_set_time(
		    X509_STORE_CTX_get0_param(ctx), v->now);
	X509_STORE_CTX_set_verify_cb(ctx, verify_cb);
	ok = X509_verify_cert(ctx) == 1;
	if (ok)
		keep_chain(v, ctx);
	else
		(void)why(v,
		    "the host's EK certificate leads to none of the given "
		    "manufacturers' roots: %s",
		    X509_verify_cert_error_string(
			X509_STORE_CTX_get_error(ctx)));
out:
	X509_STORE_CTX_free(ctx);
	sk_X509_pop_free(between, X509_free);
	ERR_clear_error();
	return ok;
}

static bool
get_pub(const struct host_identity *h, enum host_identity_part part,
    struct tpm_pub *ret, struct tpm_name *ret_name)
{
	const uint8_t *p;
	size_t len;

	return tpm_pub_unwrap(h->part[part].p, h->part[part].len, &p, &len) ==
		   VT_OK &&
	       tpm_pub_get(p, len, ret) == VT_OK && ret->name_alg != ALG_SHA1 &&
	       tpm_name_of(ret->name_alg, p, len, ret_name) == VT_OK;
}

static bool
same_key(const struct tpm_pub *pub, X509 *x)
{
	EVP_PKEY *shown = NULL;
	bool same;

	if (tpm_pub_to_evp(pub, &shown) != VT_OK) {
		ERR_clear_error();
		return false;
	}
	same = EVP_PKEY_eq(X509_get0_pubkey(x), shown) == 1;
	EVP_PKEY_free(shown);
	ERR_clear_error();
	return same;
}

static bool
step_ek_key(struct hv *v)
{
	const uint32_t want = ATTRS_FIXED | TO_RESTRICTED | TO_DECRYPT;

	if (!get_pub(v->h, HI_EK_PUBLIC, &v->ek, &v->rep->ek_name))
		return why(v, "the EK's public area is not well-formed");
	if ((v->ek.attrs & (want | TO_SIGN)) != want)
		return why(v, "the EK is not a restricted decryption key that "
			      "cannot leave its TPM");
	if (!same_key(&v->ek, v->ek_cert))
		return why(v, "the EK certificate is for another key than the "
			      "host's EK");
	if (X509_check_ca(v->ek_cert) != 0)
		return why(v, "the EK certificate could be used as a CA");
	if (X509_get_ext_by_NID(v->ek_cert, NID_ext_key_usage, -1) >= 0 &&
	    !x509_has_eku(v->ek_cert, CERT_EXT_EKU_EK))
		return why(v, "the EK certificate is not for an EK");
	return true;
}

static bool
step_ak(struct hv *v)
{
	const uint32_t want = ATTRS_FIXED | TO_RESTRICTED | TO_SIGN;

	if (!get_pub(v->h, HI_AK_PUBLIC, &v->rep->ak, &v->rep->ak_name))
		return why(v, "the AK's public area is not well-formed");
	if ((v->rep->ak.attrs & (want | TO_DECRYPT)) != want &&
	    check_on(host_identity_step_id(HS_AK)))
		return why(v, "the AK is not a restricted signing key that "
			      "cannot leave its TPM: it would sign any "
			      "forged quote");
	if (v->rep->ak.scheme == TA_NULL || v->rep->ak.hash == ALG_SHA1 ||
	    digest_len(v->rep->ak.hash) == 0)
		return why(v, "the AK has no signature scheme with SHA-256 or "
			      "better");
	return true;
}

static bool
step_ca_key(struct hv *v)
{
	const struct host_identity_blob *b = &v->h->part[HI_CA_CERT];
	const uint32_t want = ATTRS_FIXED | TO_SIGN;
	uint8_t root = 0;

	if (!get_pub(v->h, HI_CA_PUBLIC, &v->ca, &v->ca_name))
		return why(v, "the CA's public area is not well-formed");
	if ((v->ca.attrs & want) != want)
		return why(v, "the CA's key could leave its TPM");
	if ((v->ca_cert = x509_cert_get(b->p, b->len)) == NULL ||
	    X509_check_ca(v->ca_cert) != 1)
		return why(v, "the CA's certificate is not a CA's");
	if (!same_key(&v->ca, v->ca_cert))
		return why(v, "the CA's certificate is for another key than "
			      "the TPM's AK certified");
	if (X509_verify(v->ca_cert, X509_get0_pubkey(v->ca_cert)) != 1) {
		ERR_clear_error();
		return why(v, "the CA's certificate was not signed by its key");
	}
	if (!x509_get_root(v->ca_cert, &root) || root != CERT_EXT_HARDWARE)
		return why(v, "the CA's certificate does not claim a hardware "
			      "root");
	return true;
}

static bool
step_ca_attest(struct hv *v)
{
	const struct host_identity_blob *b = &v->h->part[HI_CA_ATTEST];
	const uint8_t *signer, *name;
	size_t signer_len = 0, name_len = 0, n;
	struct tpm_name want;
	struct rd r;

	rd_init(&r, b->p, b->len);
	if (rd_be32(&r) != GENERATED_VALUE || rd_be16(&r) != ST_ATTEST_CERTIFY)
		return why(v, "the AK did not sign the output of TPM2_Certify");
	signer = rd_blob16(&r, sizeof(want.b), &signer_len);
	(void)rd_blob16(&r, DIGEST_MAX + 2, &n); /* extraData */
	(void)rd_span(&r, 8 + 4 + 4 + 1 + 8);    /* clock, firmware */
	name = rd_blob16(&r, sizeof(want.b), &name_len);
	(void)rd_blob16(&r, sizeof(want.b), &n); /* qualifiedName */
	if (rd_end(&r) != VT_OK)
		return why(v, "the certification of the CA's key is not "
			      "well-formed");
	if (name_len != v->ca_name.len ||
	    !mem_equal(name, v->ca_name.b, name_len))
		return why(v, "the AK certified another key than the CA's");
	if (tpm_child_name(&v->rep->ek_name, &v->rep->ak_name, &want) !=
		VT_OK ||
	    signer_len != want.len || !mem_equal(signer, want.b, want.len))
		return why(v, "the AK is not a child of this EK");
	return true;
}

static bool
step_ca_signature(struct hv *v)
{
	const struct host_identity_blob *a = &v->h->part[HI_CA_ATTEST];
	const struct host_identity_blob *s = &v->h->part[HI_CA_SIG];
	EVP_PKEY *key = NULL;
	bool ok =
	    tpm_pub_to_evp(&v->rep->ak, &key) == VT_OK &&
	    quote_signature_ok(&v->rep->ak, key, a->p, a->len, s->p, s->len);

	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok ? true
		  : why(v, "the AK did not sign the certification of the "
			   "CA's key");
}

/* clang-format off */
static const struct {
	const char	*id, *words;
	bool		(*run)(struct hv *v);
} steps[HS_N] = {
	[HS_EK_CHAIN]	= { "host-ek-chain",
	    "the host's EK certificate leads to a manufacturer's root",
	    step_ek_chain },
	[HS_EK_KEY]	= { "host-ek-key",
	    "the host's EK is the one certified, and cannot leave its TPM",
	    step_ek_key },
	[HS_AK]		= { "host-ak",
	    "the host's AK is a restricted signing key that cannot leave its "
	    "TPM", step_ak },
	[HS_CA_KEY]	= { "host-ca-key",
	    "the host's CA key is in a TPM and has this certificate",
	    step_ca_key },
	[HS_CA_ATTEST]	= { "host-ca-attest",
	    "that TPM is the one of AK and EK", step_ca_attest },
	[HS_CA_SIGNATURE] = { "host-ca-signature",
	    "and its AK signed that", step_ca_signature },
};
/* clang-format on */

const char *
host_identity_step_id(enum host_identity_step s)
{
	return s < HS_N ? steps[s].id : "?";
}

const char *
host_identity_step_words(enum host_identity_step s)
{
	return s < HS_N ? steps[s].words : "?";
}

int
host_identity_check(const struct host_identity *h,
    const struct host_roots *roots, time_t now,
    struct host_identity_report *ret)
{
	struct hv v = { .h = h, .roots = roots, .now = now, .rep = ret };
	int s;

	memset(ret, 0, sizeof(*ret));
	for (s = 0; s < HS_N; s++) {
		ret->failed = (enum host_identity_step)s;
		if (!steps[s].run(&v) && check_on(steps[s].id)) {
			ret->outcome[s] = STEP_FAIL;
			break;
		}
		if (s != HS_EK_CHAIN || roots != NULL)
			ret->outcome[s] = STEP_PASS;
	}
	X509_free(v.ek_cert);
	X509_free(v.ca_cert);
	if (s < HS_N)
		return VT_E_AUTH;
	ret->failed = HS_N;
	return VT_OK;
}

void
host_identity_report_done(struct host_identity_report *r)
{
	sk_X509_pop_free(r->chain, X509_free);
	r->chain = NULL;
}
