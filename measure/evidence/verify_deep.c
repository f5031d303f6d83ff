/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify_deep.c - from a guest's quote to its host's TPM, check by check.
 *
 * Three lines of checks: the host record, the leaf against the evidence, the
 * host's quote.  The first failure of a line ends that line.
 */
#include "measure/evidence/verify_deep.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check_on.h"
#include "measure/evidence/deep_leaf.h"
#include "measure/evidence/evidence_priv.h"
#include "measure/evidence/certificate_memory.h"
#include "measure/cert/x509_priv.h"

#define WHY_MAX 224
#define CACHE_N 64  /* host quotes, AK certificates */
#define SEEN_N 4096 /* vTPMs of this host */

struct ak { /* a group's AK whose certificate was verified */
	uint8_t digest[SHA256_LEN]; /* of the certificate */
	struct cert_ext_instance inst;
	EVP_PKEY *key;
	struct tpm_pub pub; /* x and y borrow from point */
	uint8_t point[QUOTE_RSA_MAX];
	struct tpm_name name;
	time_t until; /* a moment before it ends */
};

struct deep_host {
	const struct hostid *id;
	const struct host_roots *roots;
	const struct hoststates *states;
	time_t now;
	struct host_identity_report rep;
	bool ok;
	X509 *ca;
	X509_STORE *store;
	struct cert_memory *seen;
	EVP_PKEY *ak; /* the enrolled one */
	struct ak aks[CACHE_N];
	uint32_t nak;
	/* H(certificate's digest || quote || signature) of good ones. */
	uint8_t quotes[CACHE_N][SHA256_LEN];
	uint32_t nquotes;
};

struct dv { /* one verification under way */
	const struct evidence *ev;
	const struct ev_digests *dig; /* of its parts */
	const struct ev_want *want;
	struct ev_report *rep;
	struct deep_host *h;
	struct deep_answer a;
	const struct group_quote *quote; /* judged alone, over this nonce */
	const uint8_t *nonce;
	size_t nonce_len;
	const struct ak *ak;
	struct quote_attest attest;
	char why[WHY_MAX];
};

struct check {
	const char *id, *words;
	bool (*run)(struct dv *v); /* false: v->why says why */
};

static bool VT_PRINTF(2, 3) why(struct dv *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(v->why, sizeof(v->why), fmt, ap);
	va_end(ap);
	return false;
}

static bool
is_zero(const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/* --- the host --------------------------------------------------------------
 */

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
deep_host_new(const struct hostid *id, const struct host_roots *roots,
    const struct hoststates *states, time_t now, struct deep_host **ret)
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
			h->rep.outcome[HS_CA_KEY] = QO_FAIL;
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

void
deep_host_ca(const struct deep_host *h, const uint8_t **ret, size_t *ret_len)
{
	*ret = h->id->part[HI_CA_CERT].p;
	*ret_len = h->id->part[HI_CA_CERT].len;
}

int
deep_host_certs(struct deep_host *h, struct x509_want *want,
    struct x509_report *ret, EVP_PKEY **ret_key)
{
	deep_host_ca(h, &want->ca, &want->ca_len);
	*ret_key = NULL;
	if (!h->ok)
		return x509_verify(want, ret);
	want->store = h->store;
	return cert_memory_verify(h->seen, want, ret, ret_key);
}

static void
say_host(struct dv *v)
{
	const struct host_identity_report *r = &v->h->rep;
	int s;

	for (s = 0; s < HS_N; s++) {
		enum host_identity_step st = (enum host_identity_step)s;

		if (r->outcome[s] == QO_PASS)
			ev_say(v->rep, host_identity_step_id(st), EVO_PASS,
			    "%s", host_identity_step_words(st));
		else if (r->outcome[s] == QO_FAIL)
			ev_say(v->rep, host_identity_step_id(st), EVO_FAIL,
			    "%s", r->why);
	}
	if (v->h->roots == NULL)
		ev_say(v->rep, "host-ek-chain", EVO_NOTE,
		    "no manufacturer's roots were given (--roots): that the "
		    "host's TPM is a real one was checked at enrolment only");
	else if (v->h->ok)
		ev_say(v->rep, "host", EVO_NOTE, "host '%s', TPM by %s",
		    v->h->id->host, r->root_subject);
}

/* --- the leaf --------------------------------------------------------------
 */

static bool
leaf_format(struct dv *v)
{
	const struct ev_blob *b = &v->ev->part[EV_DEEP];

	if (deep_answer_get(b->p, b->len, &v->a) != VT_OK)
		return why(
		    v, "the answer to the deep quote is not well-formed");
	return true;
}

static bool
leaf_quote(struct dv *v)
{
	const struct ev_blob *b = v->ev->part;
	const struct iov_part parts[] = {
		{ b[EV_QUOTE].p, b[EV_QUOTE].len },
		{ b[EV_SIGNATURE].p, b[EV_SIGNATURE].len },
	};
	uint8_t d[SHA256_LEN];

	if (digest_parts(ALG_SHA256, parts, 2, d) != VT_OK ||
	    !mem_equal(d, v->a.leaf.quote, sizeof(d)))
		return why(v, "the host vouches for another quote than this");
	return true;
}

static bool
leaf_nonce(struct dv *v)
{
	const struct ev_blob *n = &v->ev->part[EV_NONCE];

	if (n->len != v->a.leaf.nonce_len ||
	    !mem_equal(n->p, v->a.leaf.nonce, n->len))
		return why(v, "the host vouches for another nonce");
	return true;
}

static bool
name_is(const struct tpm_name *n, const uint8_t *p, size_t len)
{
	return n->len == len && len > 0 && mem_equal(n->b, p, len);
}

static bool
leaf_names(struct dv *v)
{
	const struct ev_blob *b = v->ev->part;
	const struct deep_leaf *l = &v->a.leaf;
	struct tpm_name ek, ak;
	const uint8_t *pub;
	struct tpm_pub p;
	size_t len;

	if (tpm_pub_unwrap(
		b[EV_AK_PUBLIC].p, b[EV_AK_PUBLIC].len, &pub, &len) != VT_OK ||
	    tpm_pub_get(pub, len, &p) != VT_OK ||
	    tpm_name_of(p.name_alg, pub, len, &ak) != VT_OK ||
	    !name_is(&ak, l->ak_name, l->ak_name_len))
		return why(v, "the host vouches for another AK");
	if (v->rep->certs.outcome[XS_EK_KEY] == QO_PASS)
		ek = v->rep->certs.ek_name;
	else if (b[EV_EK_CERT].p == NULL ||
		 x509_ek_name(b[EV_EK_CERT].p, b[EV_EK_CERT].len, &ek) != VT_OK)
		ek.len = 0;
	if (!name_is(&ek, l->ek_name, l->ek_name_len))
		return why(v, "the host vouches for another EK");
	return true;
}

static bool
leaf_instance(struct dv *v)
{
	const struct cert_ext_instance *x = &v->rep->instance;
	const struct deep_leaf *l = &v->a.leaf;

	if (!v->rep->have_instance)
		return why(v, "the vTPM's certificates are not good: nothing "
			      "to hold the host's word against");
	if (memcmp(l->uuid, x->uuid, UUID_LEN) != 0 || l->group != x->group)
		return why(v, "the host vouches for another vTPM or group "
			      "than the certificates name");
	if (l->generation < x->generation)
		return why(v, "the host runs an older generation of this vTPM "
			      "than its certificate: a copy or an older state");
	return true;
}

static bool
part_is(struct dv *v, enum ev_part part, const uint8_t want[SHA256_LEN])
{
	if (!v->dig->there[part])
		return is_zero(want, SHA256_LEN);
	return mem_equal(v->dig->d[part], want, SHA256_LEN);
}

static bool
leaf_launch(struct dv *v)
{
	if (!part_is(v, EV_LAUNCH, v->a.leaf.launch))
		return why(v, "the launch record shown is not the host's: "
			      "left out, or another");
	return true;
}

static bool
leaf_journal(struct dv *v)
{
	if (!part_is(v, EV_JOURNAL, v->a.leaf.journal))
		return why(v, "the journal shown is not the one that the host "
			      "vouches for: left out, or something was "
			      "extended between journal and deep quote");
	return true;
}

static bool
leaf_channel(struct dv *v)
{
	if (v->want->channel_key != NULL &&
	    !mem_equal(v->want->channel_key, v->a.leaf.channel_key, SHA256_LEN))
		return why(v, "the guest is not the other end of this channel: "
			      "its deep quote names another key");
	return true;
}

static bool
leaf_root(struct dv *v)
{
	if ((v->a.leaf.flags & DEEP_F_SOFT_ROOT) != 0)
		return why(v, "software root: the host itself says that no "
			      "physical TPM stands behind it");
	if (v->rep->root != CERT_EXT_HARDWARE)
		return why(v, "the vTPM's certificates do not say that they "
			      "stand on hardware");
	return true;
}

static bool
leaf_flags(struct dv *v)
{
	uint32_t f = v->a.leaf.flags;

	v->rep->restored |= (f & DEEP_F_RESTORED) != 0;
	if ((f & DEEP_F_CAPPED) != 0)
		return why(v, "the vTPM's process died while the guest ran "
			      "and every PCR is capped; power the guest off "
			      "and on");
	if (v->want->policy->restored_reason != NULL)
		return true;
	if ((f & DEEP_F_RECOVERED) != 0)
		return why(v, "the host's store was rolled back or moved, and "
			      "an operator accepted that; the policy does not "
			      "(allow.restored)");
	if ((f & DEEP_F_RESTORED) != 0)
		return why(v, "the vTPM runs from a snapshot or migration, and "
			      "the policy does not allow that "
			      "(allow.restored)");
	return true;
}

static const struct check leaf_checks[] = {
	{ "deep-format", "the answer to the deep quote is well-formed",
	    leaf_format },
	{ "deep-quote", "the host vouches for this very quote", leaf_quote },
	{ "deep-nonce", "and for this nonce", leaf_nonce },
	{ "deep-names", "of this AK under this EK", leaf_names },
	{ "deep-instance", "of the vTPM that the certificates name",
	    leaf_instance },
	{ "deep-launch", "with the launch record shown", leaf_launch },
	{ "deep-journal", "and the journal shown", leaf_journal },
	{ "deep-channel", "its channel's key is not another than expected",
	    leaf_channel },
	{ "deep-root", "no part of it comes from a software root", leaf_root },
	{ "deep-flags",
	    "it is neither capped nor, unless the policy allows "
	    "that, restored or recovered",
	    leaf_flags },
};

/* --- the host's AK ---------------------------------------------------------
 */

static bool
ak_chain(struct dv *v, X509 *x)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = false;

	if (ctx == NULL ||
	    X509_STORE_CTX_init(ctx, v->h->store, x, NULL) != 1) {
		(void)why(v, "out of memory");
		goto out;
	}
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx), 2);
	if (v->h->now != 0)
		X509_VERIFY_PARAM_set_time(
		    X509_STORE_CTX_get0_param(ctx), v->h->now);
	ok = X509_verify_cert(ctx) == 1;
	if (!ok)
		(void)why(v,
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
ak_purpose(struct dv *v, X509 *x, struct ak *ak)
{
	static const uint8_t zeros[UUID_LEN];

	if (X509_check_ca(x) != 0 || !x509_has_eku(x, CERT_EXT_EKU_AK) ||
	    x509_has_eku(x, CERT_EXT_EKU_EK))
		return why(v, "the host's AK certificate is not for an AK");
	if (!x509_get_instance(x, &ak->inst))
		return why(v, "the host's AK certificate does not say whose "
			      "it is");
	if (ak->inst.is_virtual || memcmp(ak->inst.uuid, zeros, UUID_LEN) != 0)
		return why(v, "the host's quote was signed by a virtual TPM's "
			      "AK");
	if (ak->inst.root != CERT_EXT_HARDWARE)
		return why(v, "the host's AK certificate claims no hardware "
			      "root");
	return true;
}

/* The public area of another AK by the same template: this key in it. */
static bool
ak_public(struct dv *v, struct ak *ak)
{
	const struct host_identity_blob *b = &v->h->id->part[HI_AK_PUBLIC];
	const struct tpm_pub *own = &v->h->rep.ak;
	size_t n = own->x_len + own->y_len, len = 0;
	uint8_t area[QUOTE_PUB_MAX], point[1 + 2 * QUOTE_ECC_MAX];
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

static const struct ak *
ak_find(const struct dv *v, const uint8_t digest[SHA256_LEN])
{
	time_t now = v->h->now != 0 ? v->h->now : time(NULL);
	uint32_t i;

	for (i = 0; i < CACHE_N; i++)
		if (v->h->aks[i].key != NULL && now < v->h->aks[i].until &&
		    memcmp(v->h->aks[i].digest, digest, SHA256_LEN) == 0)
			return &v->h->aks[i];
	return NULL;
}

static bool
host_ak_cert(struct dv *v)
{
	struct ak *ak = &v->h->aks[v->h->nak % CACHE_N];
	uint8_t d[SHA256_LEN];
	bool ok;
	X509 *x;

	if (digest_buf(ALG_SHA256, v->a.ak_cert, v->a.ak_cert_len, d) != VT_OK)
		return why(v, "cannot hash");
	if ((v->ak = ak_find(v, d)) != NULL)
		return true;
	if ((x = x509_cert_get(v->a.ak_cert, v->a.ak_cert_len)) == NULL)
		return why(v, "the host's AK certificate is not one");
	EVP_PKEY_free(ak->key);
	memset(ak, 0, sizeof(*ak));
	ok = (ak_chain(v, x) && ak_purpose(v, x, ak)) ||
	     !check_on("deep-ak-cert");
	if (ok) /* again, for when the outcome is not taken */
		(void)x509_get_instance(x, &ak->inst);
	if (ok && (ak->key = X509_get_pubkey(x)) != NULL &&
	    EVP_PKEY_get_base_id(ak->key) == EVP_PKEY_get_base_id(v->h->ak) &&
	    ak_public(v, ak)) {
		memcpy(ak->digest, d, sizeof(d));
		ak->until = not_after(x);
		v->ak = ak;
		v->h->nak++;
	} else if (ok) {
		ok = why(v, "the host's AK is a key of another kind than the "
			    "enrolled one");
	}
	if (!ok) {
		EVP_PKEY_free(ak->key);
		ak->key = NULL;
	}
	X509_free(x);
	ERR_clear_error();
	return ok;
}

static bool
host_ak_group(struct dv *v)
{
	if (v->ak->inst.group != v->a.leaf.group)
		return why(v,
		    "the host's quote was signed for group %u, the "
		    "vTPM is of group %u",
		    v->ak->inst.group, v->a.leaf.group);
	if (v->ak->inst.group == 0 && EVP_PKEY_eq(v->ak->key, v->h->ak) != 1)
		return why(v, "the host's quote was not signed by the AK that "
			      "was enrolled");
	return true;
}

/* --- the host's quote ------------------------------------------------------
 */

static bool
host_signature(struct dv *v)
{
	const struct iov_part parts[] = {
		{ v->ak->digest, SHA256_LEN },
		{ v->a.attest, v->a.attest_len },
		{ v->a.sig, v->a.sig_len },
	};
	uint8_t d[SHA256_LEN];
	uint32_t i;

	if (digest_parts(ALG_SHA256, parts, 3, d) != VT_OK)
		return why(v, "cannot hash");
	for (i = 0; i < v->h->nquotes && i < CACHE_N; i++)
		if (memcmp(v->h->quotes[i], d, sizeof(d)) == 0)
			return true;
	if (!quote_signature_ok(&v->ak->pub, v->ak->key, v->a.attest,
		v->a.attest_len, v->a.sig, v->a.sig_len)) {
		ERR_clear_error();
		return why(v, "the host's AK did not sign this quote");
	}
	memcpy(v->h->quotes[v->h->nquotes++ % CACHE_N], d, sizeof(d));
	return true;
}

static bool
host_attest(struct dv *v)
{
	if (quote_attest_get(v->a.attest, v->a.attest_len, &v->attest) != VT_OK)
		return why(v, "what the host's AK signed is not a quote that "
			      "a TPM made");
	return true;
}

static bool
host_signer(struct dv *v)
{
	struct tpm_name qn;

	if (tpm_child_name(&v->h->rep.ek_name, &v->ak->name, &qn) != VT_OK ||
	    !tpm_name_equal(&qn, &v->attest.signer))
		return why(v, "the AK of the host's quote is not a child of "
			      "the enrolled EK: another TPM's");
	return true;
}

static bool
host_path(struct dv *v)
{
	const struct deep_answer *a = &v->a;
	uint8_t leaf[SHA256_LEN], root[SHA256_LEN], extra[SHA256_LEN];

	/* The root is in the quote only as part of qualifyingData: compute
	 * the one that index, count and path lead to, then compare. */
	if (deep_leaf_hash(&a->leaf, leaf) != VT_OK ||
	    deep_path_root(leaf, a->index, a->count, (const void *)a->path,
		a->path_len, root) != VT_OK ||
	    deep_qualify(root, a->policy_sequence, extra) != VT_OK ||
	    v->attest.extra_len != sizeof(extra) ||
	    !mem_equal(extra, v->attest.extra, sizeof(extra)))
		return why(v, "the host's quote does not cover this leaf: "
			      "forged, or its path is another's");
	return true;
}

/* Of this state: the selection of a quote, and the digest it would have. */
static bool
state_fits(const struct dv *v, const struct hoststate *s, bool *ret_sel)
{
	struct pcr_sel sel = { .n = 1 };
	uint8_t d[DIGEST_MAX];
	size_t len = digest_len(v->ak->pub.hash);

	sel.banks[0].alg = s->a.pcrs.banks[0].alg;
	sel.banks[0].mask = s->a.pcrs.banks[0].valid;
	*ret_sel = pcr_sel_equal(&sel, &v->attest.sel);
	return (*ret_sel || !check_on("deep-selection")) &&
	       pcr_digest(&s->a.pcrs, &sel, v->ak->pub.hash, d) == VT_OK &&
	       len == v->attest.digest_len &&
	       mem_equal(d, v->attest.digest, len);
}

static bool
state_counts(const struct dv *v, const struct hoststate *s)
{
	return !s->dead && (!s->signed_ || s->a.group == v->a.leaf.group);
}

static bool
host_selection(struct dv *v)
{
	const struct hoststates *st = v->h->states;
	const struct pcr_sel *sel = &v->attest.sel;
	char text[128];
	uint32_t i;
	bool same;

	if (sel->n != 1 || sel->banks[0].mask == 0 ||
	    sel->banks[0].alg == ALG_SHA1)
		return why(v, "the host's quote covers no PCR, several banks, "
			      "or SHA-1");
	for (i = 0; i < st->n; i++) {
		(void)state_fits(v, &st->state[i], &same);
		if (same)
			return true;
	}
	pcr_sel_format(sel, text, sizeof(text));
	return why(v,
	    "the host's quote covers other PCRs (%s) than any "
	    "accepted state",
	    text);
}

static bool
host_state(struct dv *v)
{
	const struct hoststates *st = v->h->states;
	bool same, dead = false;
	uint32_t i;

	for (i = 0; i < st->n; i++) {
		if (!state_fits(v, &st->state[i], &same))
			continue;
		if (state_counts(v, &st->state[i])) {
			ev_say(v->rep, "host-state", EVO_NOTE,
			    "the host is in the accepted state '%s'",
			    st->state[i].a.label);
			return true;
		}
		dead |= st->state[i].dead;
	}
	if (dead)
		return why(v, "the host is in a state whose approval is dead: "
			      "its epoch has passed");
	return why(v, "the host is in none of the accepted states");
}

static const struct check host_checks[] = {
	{ "deep-ak-cert", "the host's AK is certified by the enrolled host",
	    host_ak_cert },
	{ "deep-ak-group", "for the vTPM's group", host_ak_group },
	{ "deep-signature", "that AK signed the host's quote", host_signature },
	{ "deep-attest", "a TPM made it, as a quote", host_attest },
	{ "deep-signer", "of the enrolled EK", host_signer },
	{ "deep-path", "it covers the leaf", host_path },
	{ "deep-selection", "it covers the PCRs of an accepted state",
	    host_selection },
	{ "deep-host-state", "which is the state that the host is in",
	    host_state },
};

static bool
host_quote(struct dv *v)
{
	uint8_t extra[SHA256_LEN];

	if (group_qualify(v->quote->group, v->quote->sequence, v->nonce,
		v->nonce_len, extra) != VT_OK ||
	    v->attest.extra_len != sizeof(extra) ||
	    !mem_equal(extra, v->attest.extra, sizeof(extra)))
		return why(v, "the quote is not over this nonce, group and "
			      "sequence: an old one, or another's");
	return true;
}

static const struct check quote_check = { "host-quote", "it is over this nonce",
	host_quote };

static bool
run(struct dv *v, const struct check *c, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!c[i].run(v) && check_on(c[i].id)) {
			ev_say(v->rep, c[i].id, EVO_FAIL, "%s", v->why);
			return false;
		}
		ev_say(v->rep, c[i].id, EVO_PASS, "%s", c[i].words);
	}
	return true;
}

void
deep_verify(const struct evidence *ev, const struct ev_digests *dig,
    const struct ev_want *want, struct ev_report *rep)
{
	struct dv v = {
		.ev = ev, .dig = dig, .want = want, .rep = rep, .h = want->host
	};
	size_t n = VT_NELEM(host_checks);

	say_host(&v);
	if (ev->part[EV_DEEP].p == NULL) {
		ev_say(rep, "deep", EVO_CANNOT,
		    "there is no deep quote in the evidence: nothing ties it "
		    "to the host (vtpm-attest --deep)");
		return;
	}
	if (!run(&v, leaf_checks, 1)) /* without it there is nothing */
		return;
	(void)run(&v, leaf_checks + 1, VT_NELEM(leaf_checks) - 1);
	if (!v.h->ok)
		return; /* the host record's own checks say why */
	if (v.h->states == NULL) {
		n -= 2;
		ev_say(rep, "deep-host-state", EVO_CANNOT,
		    "no host states were given (--host-states): whether the "
		    "host is a good one cannot be told");
	}
	(void)run(&v, host_checks, n);
}

void
deep_verify_quote(struct deep_host *h, const struct group_quote *q,
    const uint8_t *nonce, size_t nonce_len, struct ev_report *rep)
{
	struct dv v = { .rep = rep, .h = h, .quote = q };
	struct check c[VT_NELEM(host_checks)];
	size_t i, n = VT_NELEM(host_checks);

	for (i = 0; i < n; i++)
		c[i] = host_checks[i].run == host_path ? quote_check
						       : host_checks[i];
	v.nonce = nonce;
	v.nonce_len = nonce_len;
	v.a.leaf.group = q->group;
	memcpy(v.a.attest, q->attest, q->attest_len);
	memcpy(v.a.sig, q->sig, q->sig_len);
	memcpy(v.a.ak_cert, q->ak_cert, q->ak_cert_len);
	v.a.attest_len = q->attest_len;
	v.a.sig_len = q->sig_len;
	v.a.ak_cert_len = q->ak_cert_len;
	say_host(&v);
	if (h->states == NULL) {
		n -= 2;
		ev_say(rep, "deep-host-state", EVO_CANNOT,
		    "no host states were given (--host-states)");
	}
	if (h->ok && run(&v, c, n))
		rep->root = v.ak->inst.root;
	rep->verdict = ev_verdict(rep);
}
