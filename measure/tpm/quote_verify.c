/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote_verify.c - the verification, one function a step.
 *
 * A step returns NULL, or the reason why it fails; the first failure ends the
 * verification.  The order matters: nothing reads the attestation before its
 * signature has been verified.
 */
#include "measure/tpm/quote_verify.h"

#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include <string.h>

#include "base/check_on.h"
#include "base/rdwr.h"
#include "base/util.h"

#define NONCE_MIN 8 /* bytes of a verifier's nonce */

struct qv { /* one verification under way */
	const struct quote_want *want;
	const uint8_t *attest, *sig;
	size_t attest_len, sig_len;
	struct quote_report *rep;
	struct tpm_pub pub;
	struct tpm_sig ts;
	EVP_PKEY *key;
};

static bool
strong_hash(uint16_t alg)
{
	return alg == ALG_SHA256 || alg == ALG_SHA384 || alg == ALG_SHA512;
}

static const char *
step_ak_public(struct qv *v)
{
	const struct quote_want *w = v->want;

	if (tpm_pub_get(w->ak_pub, w->ak_pub_len, &v->pub) != VT_OK)
		return "the AK's public area is not a well-formed RSA or "
		       "ECC key";
	if (!strong_hash(v->pub.name_alg) ||
	    tpm_name_of(v->pub.name_alg, w->ak_pub, w->ak_pub_len,
		&v->rep->ak_name) != VT_OK)
		return "the AK's name is not made with SHA-256 or better";
	if (w->ak_key != NULL && EVP_PKEY_up_ref(w->ak_key) == 1)
		v->key = w->ak_key;
	else if (tpm_pub_to_evp(&v->pub, &v->key) != VT_OK)
		return "the AK is too weak or not a valid key";
	return NULL;
}

static const char *
step_ak_attrs(struct qv *v)
{
	const uint32_t must = TO_FIXED_TPM | TO_FIXED_PARENT |
			      TO_SENSITIVE_ORIGIN | TO_RESTRICTED | TO_SIGN;

	if ((v->pub.attrs & TO_RESTRICTED) == 0)
		return "the AK is not a restricted key: it would sign "
		       "anything, a forged quote too";
	if ((v->pub.attrs & TO_DECRYPT) != 0)
		return "the AK can also decrypt";
	if ((v->pub.attrs & must) != must)
		return "the AK may leave its TPM, or was not made in it, or "
		       "cannot sign";
	return NULL;
}

static const char *
step_scheme(struct qv *v)
{
	if (v->pub.scheme == TA_NULL || !strong_hash(v->pub.hash))
		return "the AK names no signature scheme with SHA-256 or "
		       "better";
	if (quote_sig_get(v->sig, v->sig_len, &v->ts) != VT_OK)
		return "the signature is not well-formed";
	if (v->ts.alg != v->pub.scheme || v->ts.hash != v->pub.hash)
		return "the signature's scheme or hash is not the AK's";
	return NULL;
}

/* r and s as OpenSSL wants them: DER; OPENSSL_free() frees *ret.  A value
 * of 0 or over the group's order fails in the verification itself. */
static int
ecdsa_der(const struct tpm_sig *ts, uint8_t **ret)
{
	BIGNUM *r = BN_bin2bn(ts->r, (int)ts->r_len, NULL);
	BIGNUM *s = BN_bin2bn(ts->s, (int)ts->s_len, NULL);
	ECDSA_SIG *es = ECDSA_SIG_new();
	int len = -1;

	if (r == NULL || s == NULL || es == NULL ||
	    ECDSA_SIG_set0(es, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else {
		len = i2d_ECDSA_SIG(es, ret);
	}
	ECDSA_SIG_free(es);
	return len;
}

static bool
rsa_padding(EVP_PKEY_CTX *pctx, uint16_t alg)
{
	if (alg == TA_RSASSA)
		return EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PADDING) ==
		       1;
	return EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_AUTO) ==
		   1;
}

static bool
verify(const struct tpm_pub *pub, EVP_PKEY *key, const struct tpm_sig *ts,
    const uint8_t *msg, size_t msg_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const uint8_t *sig = ts->r;
	EVP_PKEY_CTX *pctx = NULL;
	uint8_t *der = NULL;
	int len = (int)ts->r_len;
	bool ok = false;

	if (ts->alg == TA_ECDSA) {
		len = ecdsa_der(ts, &der);
		sig = der;
	} else if (ts->r_len != pub->x_len) {
		len = -1;
	}
	if (ctx != NULL && len > 0 &&
	    EVP_DigestVerifyInit_ex(ctx, &pctx, digest_name(pub->hash), NULL,
		NULL, key, NULL) == 1 &&
	    (ts->alg == TA_ECDSA || rsa_padding(pctx, ts->alg)))
		ok = EVP_DigestVerify(ctx, sig, (size_t)len, msg, msg_len) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(ctx);
	return ok;
}

bool
quote_signature_ok(const struct tpm_pub *pub, EVP_PKEY *key, const uint8_t *msg,
    size_t len, const uint8_t *sig, size_t sig_len)
{
	struct tpm_sig ts;

	return quote_sig_get(sig, sig_len, &ts) == VT_OK &&
	       strong_hash(pub->hash) && ts.alg == pub->scheme &&
	       ts.hash == pub->hash && verify(pub, key, &ts, msg, len);
}

static const char *
step_signature(struct qv *v)
{
	return verify(&v->pub, v->key, &v->ts, v->attest, v->attest_len)
		   ? NULL
		   : "the signature was not made by this AK over "
		     "these bytes";
}

static const char *
step_attest(struct qv *v)
{
	if (quote_attest_get(v->attest, v->attest_len, &v->rep->attest) !=
	    VT_OK)
		return "what was signed is not a quote that a TPM made";
	return NULL;
}

static const char *
step_extra(struct qv *v)
{
	const struct quote_attest *a = &v->rep->attest;

	if (v->want->extra_len < (v->want->stock ? NONCE_MIN : SHA256_LEN) ||
	    a->extra_len != v->want->extra_len ||
	    !mem_equal(a->extra, v->want->extra, a->extra_len))
		return "the quote was not made for this nonce and this "
		       "evidence: replayed, or mixed from two";
	return NULL;
}

static const char *
step_signer(struct qv *v)
{
	struct tpm_name qn;

	if (v->want->any_signer)
		return NULL;
	if (v->want->ek_name.len == 0)
		return "no EK is known that the AK could belong to";
	if (tpm_child_name(&v->want->ek_name, &v->rep->ak_name, &qn) != VT_OK)
		return "the names of AK and EK cannot be computed";
	if (!tpm_name_equal(&qn, &v->rep->attest.signer))
		return "the AK is not a child of this EK: it is of another TPM "
		       "or hierarchy";
	return NULL;
}

static const char *
step_selection(struct qv *v)
{
	const struct pcr_sel *sel = &v->rep->attest.sel;
	uint32_t i;

	if (!pcr_sel_equal(sel, v->want->sel))
		return "the quote covers other PCRs than were asked for";
	if (sel->n == 0)
		return "the quote covers no PCR";
	for (i = 0; i < sel->n; i++) {
		if (!strong_hash(sel->banks[i].alg))
			return "the quote covers a SHA-1 or unknown bank";
		if (sel->banks[i].mask == 0)
			return "the quote names a bank but none of its PCRs";
	}
	return NULL;
}

static const char *
step_pcr_digest(struct qv *v)
{
	const struct quote_attest *a = &v->rep->attest;
	uint8_t d[DIGEST_MAX];
	size_t len = digest_len(v->pub.hash);

	/* Hashed with the AK's scheme, whatever the banks are. */
	if (pcr_digest(v->want->pcrs, &a->sel, v->pub.hash, d) != VT_OK)
		return "a quoted PCR has no value in the evidence";
	if (len != a->digest_len || !mem_equal(d, a->digest, len))
		return "the PCR values shown are not those that were signed";
	return NULL;
}

static const char *
step_clock(struct qv *v)
{
	const struct quote_attest *a = &v->rep->attest, *l = v->want->last;

	if (l == NULL)
		return NULL;
	if (a->reset_count < l->reset_count)
		return "the TPM's reset counter ran backwards: an older "
		       "state was restored";
	if (a->reset_count == l->reset_count &&
	    a->restart_count < l->restart_count)
		return "the TPM's restart counter ran backwards";
	/* Unsafe: the clock may have lost some of its time, not more. */
	if (a->safe && l->safe && a->clock < l->clock)
		return "the TPM's clock ran backwards: an older state was "
		       "put back";
	v->rep->rebooted = a->reset_count != l->reset_count ||
			   a->restart_count != l->restart_count;
	return NULL;
}

static const char *
step_firmware(struct qv *v)
{
	const uint64_t *want = v->want->firmware;

	if (want != NULL && v->rep->attest.firmware != *want)
		return "the TPM runs other firmware than expected";
	return NULL;
}

/* clang-format off */
static const struct {
	const char	*id, *words;
	const char	*(*run)(struct qv *v);
} steps[QS_N] = {
	[QS_AK_PUBLIC]	= { "ak-public",
	    "the AK's public area is well-formed and strong",
	    step_ak_public },
	[QS_AK_ATTRS]	= { "ak-attributes",
	    "the AK is a restricted signing key that cannot leave its TPM",
	    step_ak_attrs },
	[QS_SCHEME]	= { "scheme",
	    "signature scheme and hash are those of the AK",
	    step_scheme },
	[QS_SIGNATURE]	= { "signature",
	    "the AK signed exactly these bytes",
	    step_signature },
	[QS_ATTEST]	= { "attest",
	    "a TPM made it, as a quote, with nothing left over",
	    step_attest },
	[QS_EXTRA]	= { "freshness",
	    "the quote was made for this nonce and this evidence",
	    step_extra },
	[QS_SIGNER]	= { "signer",
	    "the AK is a child of the certified EK",
	    step_signer },
	[QS_SELECTION]	= { "selection",
	    "exactly the PCRs shown are quoted, none in a SHA-1 bank",
	    step_selection },
	[QS_PCR_DIGEST]	= { "pcr-digest",
	    "the PCR values shown are those signed",
	    step_pcr_digest },
	[QS_CLOCK]	= { "clock",
	    "the TPM's counters did not run backwards",
	    step_clock },
	[QS_FIRMWARE]	= { "firmware",
	    "the TPM's firmware is the expected one, if one is expected",
	    step_firmware },
};
/* clang-format on */

const char *
quote_step_id(enum quote_step s)
{
	return s < QS_N ? steps[s].id : "?";
}

const char *
quote_step_words(enum quote_step s)
{
	return s < QS_N ? steps[s].words : "?";
}

int
quote_verify(const struct quote_want *want, const uint8_t *attest,
    size_t attest_len, const uint8_t *sig, size_t sig_len,
    struct quote_report *ret)
{
	struct qv v = {
		.want = want,
		.attest = attest,
		.attest_len = attest_len,
		.sig = sig,
		.sig_len = sig_len,
		.rep = ret,
	};
	int s;

	memset(ret, 0, sizeof(*ret));
	ret->failed = QS_AK_PUBLIC; /* until all has passed */
	for (s = 0; s < QS_N; s++) {
		ret->failed = (enum quote_step)s;
		ret->why = steps[s].run(&v);
		if (ret->why != NULL && check_on(steps[s].id)) {
			ret->outcome[s] = STEP_FAIL;
			break;
		}
		ret->outcome[s] = STEP_PASS;
	}
	EVP_PKEY_free(v.key);
	if (s < QS_N)
		return VT_E_AUTH;
	ret->failed = QS_N;
	return VT_OK;
}
