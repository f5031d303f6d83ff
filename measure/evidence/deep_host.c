/* SPDX-License-Identifier: BSD-3-Clause */
/* deep_host.c - the record of a host, its AKs, and what was verified before. */
#include "measure/evidence/deep_host.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check_on.h"
#include "measure/cert/x509_cert.h"
#include "measure/evidence/certificate_memory.h"
#include "measure/tpm/quote_verify.h"

#define CACHE_N 64  /* host quotes, AK certificates */
#define SEEN_N 4096 /* vTPMs of this host */

struct deep_host {
	const struct host_identity *id;
	const struct host_roots *roots;
	const struct host_states *states;
	time_t now;
	struct host_identity_report rep;
	bool ok;
	X509 *ca;
	X509_STORE *store;
	struct cert_memory *seen;
	EVP_PKEY *ak; /* the enrolled one */
	struct deep_ak aks[CACHE_N];
	uint32_t nak;
	/* H(certificate's digest || quote || signature) of good ones. */
	uint8_t quotes[CACHE_N][SHA256_LEN];
	uint32_t nquotes;
};

static bool VT_PRINTF(2, 3) refuse(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, DEEP_WHY_MAX, fmt, ap);
	va_end(ap);
	return false;
}

/* --- the record ----------------------------------------------------------- */

static bool
host_ready(struct deep_host *h)
{
	const struct host_identity_blob *b = &h->id->part[HI_CA_CERT];

	h->ca = x509_cert_get(b->p, b->len);
	h->store = X509_STORE_new();
	return h->ca != NULL && h->store != NULL &&
	       X509_STORE_add_cert(h->store, h->ca) == 1 &&
	       cert_memory_new(SEEN_N, &h->seen) == VT_OK &&
	       tpm_pub_to_evp(&h->rep.ak, &h->ak) == VT_OK;
}

int
deep_host_new(const struct host_identity *id, const struct host_roots *roots,
    const struct host_states *states, time_t now, struct deep_host **ret)
{
	struct deep_host *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return VT_E_NOMEM;
	h->id = id;
	h->roots = roots;
	h->states = states;
	h->now = now;
	if (host_identity_check(id, roots, now, &h->rep) == VT_OK) {
		h->ok = host_ready(h);
		if (!h->ok) {
			h->rep.outcome[HS_CA_KEY] = STEP_FAIL;
			(void)snprintf(h->rep.why, sizeof(h->rep.why),
			    "the host record's CA cannot be used");
		}
	}
	ERR_clear_error();
	*ret = h;
	return VT_OK;
}

void
deep_host_free(struct deep_host *h)
{
	uint32_t i;

	if (h == NULL)
		return;
	for (i = 0; i < CACHE_N; i++)
		EVP_PKEY_free(h->aks[i].key);
	EVP_PKEY_free(h->ak);
	cert_memory_free(h->seen);
	X509_STORE_free(h->store);
	X509_free(h->ca);
	host_identity_report_done(&h->rep);
	free(h);
}

int
deep_host_certs(struct deep_host *h, struct x509_want *want,
    struct x509_report *ret, EVP_PKEY **ret_key)
{
	want->ca = h->id->part[HI_CA_CERT].p;
	want->ca_len = h->id->part[HI_CA_CERT].len;
	*ret_key = NULL;
	if (!h->ok)
		return x509_verify(want, ret);
	want->store = h->store;
	return cert_memory_verify(h->seen, want, ret, ret_key);
}

void
deep_host_say(const struct deep_host *h, struct report *rep)
{
	const struct host_identity_report *r = &h->rep;
	int s;

	for (s = 0; s < HS_N; s++) {
		enum host_identity_step st = (enum host_identity_step)s;

		if (r->outcome[s] == STEP_PASS)
			report_say(rep, host_identity_step_id(st), REPORT_PASS,
			    "%s", host_identity_step_words(st));
		else if (r->outcome[s] == STEP_FAIL)
			report_say(rep, host_identity_step_id(st), REPORT_FAIL,
			    "%s", r->why);
	}
	if (h->roots == NULL)
		report_say(rep, "host-ek-chain", REPORT_NOTE,
		    "no manufacturer's roots were given (--roots): that the "
		    "host's TPM is a real one was checked at enrolment only");
	else if (h->ok)
		report_say(rep, "host", REPORT_NOTE, "host '%s', TPM by %s",
		    h->id->host, r->root_subject);
}

bool
deep_host_ok(const struct deep_host *h)
{
	return h->ok;
}

const struct host_states *
deep_host_states(const struct deep_host *h)
{
	return h->states;
}

/* --- AKs and quotes ------------------------------------------------------- */

static bool
ak_chain(const struct deep_host *h, X509 *x, char *why)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = false;

	if (ctx == NULL || X509_STORE_CTX_init(ctx, h->store, x, NULL) != 1) {
		(void)refuse(why, "out of memory");
		goto out;
	}
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx), 2);
	if (h->now != 0)
		X509_VERIFY_PARAM_set_time(
		    X509_STORE_CTX_get0_param(ctx), h->now);
	ok = X509_verify_cert(ctx) == 1;
	if (!ok)
		(void)refuse(why,
		    "the host's AK certificate does not come from "
		    "the enrolled host's CA: %s",
		    X509_verify_cert_error_string(
			X509_STORE_CTX_get_error(ctx)));
out:
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static bool
ak_purpose(X509 *x, struct deep_ak *ak, char *why)
{
	static const uint8_t zeros[UUID_LEN];

	if (X509_check_ca(x) != 0 || !x509_has_eku(x, CERT_EXT_EKU_AK) ||
	    x509_has_eku(x, CERT_EXT_EKU_EK))
		return refuse(
		    why, "the host's AK certificate is not for an AK");
	if (!x509_get_instance(x, &ak->inst))
		return refuse(why,
		    "the host's AK certificate does not say whose "
		    "it is");
	if (ak->inst.is_virtual || memcmp(ak->inst.uuid, zeros, UUID_LEN) != 0)
		return refuse(why,
		    "the host's quote was signed by a virtual TPM's "
		    "AK");
	if (ak->inst.root != CERT_EXT_HARDWARE)
		return refuse(why,
		    "the host's AK certificate claims no hardware "
		    "root");
	return true;
}

/* The public area of another AK by the same template: this key in it. */
static bool
ak_public(const struct deep_host *h, struct deep_ak *ak)
{
	const struct host_identity_blob *b = &h->id->part[HI_AK_PUBLIC];
	const struct tpm_pub *own = &h->rep.ak;
	size_t n = own->x_len + own->y_len, len = 0;
	uint8_t area[TPM_PUB_MAX], point[1 + 2 * TPM_ECC_MAX];
	const uint8_t *pub;
	BIGNUM *mod = NULL;
	bool ok;

	if (tpm_pub_unwrap(b->p, b->len, &pub, &len) != VT_OK ||
	    len > sizeof(area) || n > sizeof(ak->point))
		return false;
	ak->pub = *own;
	if (own->type == TA_ECC) {
		size_t got = 0;

		ok = EVP_PKEY_get_octet_string_param(
			 ak->key, "pub", point, sizeof(point), &got) == 1 &&
		     got == 1 + n && own->x_len == own->y_len && point[0] == 4;
		if (ok)
			memcpy(ak->point, point + 1, n);
	} else {
		ok = EVP_PKEY_get_bn_param(ak->key, "n", &mod) == 1 &&
		     BN_bn2binpad(mod, ak->point, (int)n) == (int)n;
		BN_free(mod);
	}
	if (!ok)
		return false;
	memcpy(area, pub, len);
	memcpy(area + (own->x - pub), ak->point, own->x_len);
	if (own->y != NULL)
		memcpy(
		    area + (own->y - pub), ak->point + own->x_len, own->y_len);
	ak->pub.x = ak->point;
	ak->pub.y = own->y != NULL ? ak->point + own->x_len : NULL;
	return tpm_name_of(own->name_alg, area, len, &ak->name) == VT_OK;
}

static time_t
not_after(X509 *x)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) != 1)
		return 0;
	return timegm(&tm);
}

static const struct deep_ak *
ak_find(const struct deep_host *h, const uint8_t digest[SHA256_LEN])
{
	time_t now = h->now != 0 ? h->now : time(NULL);
	uint32_t i;

	for (i = 0; i < CACHE_N; i++)
		if (h->aks[i].key != NULL && now < h->aks[i].until &&
		    memcmp(h->aks[i].digest, digest, SHA256_LEN) == 0)
			return &h->aks[i];
	return NULL;
}

/* Verify a certificate that is not remembered. */
static bool
ak_verify(struct deep_host *h, X509 *x, struct deep_ak *ak, char *why)
{
	if ((!ak_chain(h, x, why) || !ak_purpose(x, ak, why)) &&
	    check_on("deep-ak-cert"))
		return false;
	(void)x509_get_instance(x, &ak->inst); /* if the check is off */
	if ((ak->key = X509_get_pubkey(x)) == NULL ||
	    EVP_PKEY_get_base_id(ak->key) != EVP_PKEY_get_base_id(h->ak) ||
	    !ak_public(h, ak))
		return refuse(why, "the host's AK is a key of another kind "
				   "than the enrolled one");
	ak->until = not_after(x);
	return true;
}

const struct deep_ak *
deep_host_ak(
    struct deep_host *h, const uint8_t *der, size_t len, char why[DEEP_WHY_MAX])
{
	struct deep_ak *ak = &h->aks[h->nak % CACHE_N];
	const struct deep_ak *known;
	uint8_t d[SHA256_LEN];
	bool ok;
	X509 *x;

	why[0] = '\0';
	if (digest_buf(ALG_SHA256, der, len, d) != VT_OK) {
		(void)refuse(why, "cannot hash");
		return NULL;
	}
	if ((known = ak_find(h, d)) != NULL)
		return known;
	if ((x = x509_cert_get(der, len)) == NULL) {
		(void)refuse(why, "the host's AK certificate cannot be parsed");
		return NULL;
	}
	EVP_PKEY_free(ak->key);
	memset(ak, 0, sizeof(*ak));
	memcpy(ak->digest, d, sizeof(d));
	ok = ak_verify(h, x, ak, why);
	X509_free(x);
	ERR_clear_error();
	if (ok) {
		h->nak++;
		return ak;
	}
	EVP_PKEY_free(ak->key);
	ak->key = NULL;
	return NULL;
}

bool
deep_host_enrolled(const struct deep_host *h, const struct deep_ak *ak)
{
	return EVP_PKEY_eq(ak->key, h->ak) == 1;
}

bool
deep_host_signer(const struct deep_host *h, const struct deep_ak *ak,
    const struct tpm_name *signer)
{
	struct tpm_name qn;

	return tpm_child_name(&h->rep.ek_name, &ak->name, &qn) == VT_OK &&
	       tpm_name_equal(&qn, signer);
}

bool
deep_host_signed(struct deep_host *h, const struct deep_ak *ak,
    const struct iov_part *attest, const struct iov_part *sig)
{
	const struct iov_part parts[] = { { ak->digest, SHA256_LEN }, *attest,
		*sig };
	uint8_t d[SHA256_LEN];
	uint32_t i;

	if (digest_parts(ALG_SHA256, parts, 3, d) != VT_OK)
		return false;
	for (i = 0; i < h->nquotes && i < CACHE_N; i++)
		if (memcmp(h->quotes[i], d, sizeof(d)) == 0)
			return true;
	if (!quote_signature_ok(
		&ak->pub, ak->key, attest->p, attest->len, sig->p, sig->len)) {
		ERR_clear_error();
		return false;
	}
	memcpy(h->quotes[h->nquotes++ % CACHE_N], d, sizeof(d));
	return true;
}
