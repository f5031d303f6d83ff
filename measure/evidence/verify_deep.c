/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify_deep.c - from a guest's quote to its host's TPM, check by check.
 *
 * Three lists of checks: the host record, the leaf against the evidence, the
 * host's quote.  The first failure of a list ends that list.
 */
#include "measure/evidence/verify_deep.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check_on.h"
#include "measure/cert/cert_extension.h"
#include "measure/cert/x509.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/deep_host.h"
#include "measure/evidence/deep_leaf.h"
#include "measure/evidence/report.h"
#include "measure/evidence/verify.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/quote.h"
#include "measure/tpm/step.h"
#include "measure/tpm/tpm_public.h"

struct dv { /* one verification under way */
	const struct bundle *ev;
	const struct bundle_digests *dig; /* of its parts */
	const struct verify_want *want;
	struct report *rep;
	struct deep_host *h;
	struct deep_answer a;
	const struct tenant_quote *quote; /* judged alone, over this nonce */
	const uint8_t *nonce;
	size_t nonce_len;
	const struct deep_ak *ak;
	struct quote_attest attest;
	char why[DEEP_WHY_MAX];
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

/* --- the leaf --------------------------------------------------------------
 */

static bool
leaf_format(struct dv *v)
{
	const struct bundle_blob *b = &v->ev->part[BUNDLE_DEEP];

	if (deep_answer_get(b->p, b->len, &v->a) != VT_OK)
		return why(
		    v, "the answer to the deep quote is not well-formed");
	return true;
}

static bool
leaf_quote(struct dv *v)
{
	const struct bundle_blob *b = v->ev->part;
	const struct iov_part parts[] = {
		{ b[BUNDLE_QUOTE].p, b[BUNDLE_QUOTE].len },
		{ b[BUNDLE_SIGNATURE].p, b[BUNDLE_SIGNATURE].len },
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
	const struct bundle_blob *n = &v->ev->part[BUNDLE_NONCE];

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
	const struct bundle_blob *b = v->ev->part;
	const struct deep_leaf *l = &v->a.leaf;
	struct tpm_name ek, ak;
	const uint8_t *pub;
	struct tpm_pub p;
	size_t len;

	if (tpm_pub_unwrap(b[BUNDLE_AK_PUBLIC].p, b[BUNDLE_AK_PUBLIC].len, &pub,
		&len) != VT_OK ||
	    tpm_pub_get(pub, len, &p) != VT_OK ||
	    tpm_name_of(p.name_alg, pub, len, &ak) != VT_OK ||
	    !name_is(&ak, l->ak_name, l->ak_name_len))
		return why(v, "the host vouches for another AK");
	if (v->rep->certs.outcome[XS_EK_KEY] == STEP_PASS)
		ek = v->rep->certs.ek_name;
	else if (b[BUNDLE_EK_CERT].p == NULL ||
		 x509_ek_name(
		     b[BUNDLE_EK_CERT].p, b[BUNDLE_EK_CERT].len, &ek) != VT_OK)
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
		return why(v, "the vTPM's certificates were refused: nothing "
			      "proves which vTPM the host vouches for");
	if (memcmp(l->uuid, x->uuid, UUID_LEN) != 0 || l->group != x->group)
		return why(v, "the host vouches for another vTPM or group "
			      "than the certificates name");
	if (l->generation < x->generation)
		return why(v, "the host runs an older generation of this vTPM "
			      "than its certificate: a copy or an older state");
	return true;
}

static bool
part_is(struct dv *v, enum bundle_part part, const uint8_t want[SHA256_LEN])
{
	if (!v->dig->there[part])
		return is_zero(want, SHA256_LEN);
	return mem_equal(v->dig->d[part], want, SHA256_LEN);
}

static bool
leaf_launch(struct dv *v)
{
	if (!part_is(v, BUNDLE_LAUNCH, v->a.leaf.launch))
		return why(v, "the launch record shown is not the host's: "
			      "left out, or another");
	return true;
}

static bool
leaf_journal(struct dv *v)
{
	if (!part_is(v, BUNDLE_JOURNAL, v->a.leaf.journal))
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
	{ "deep-channel",
	    "its channel's key is the expected one, if one is expected",
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
host_ak_cert(struct dv *v)
{
	v->ak = deep_host_ak(v->h, v->a.ak_cert, v->a.ak_cert_len, v->why);
	return v->ak != NULL;
}

static bool
host_ak_group(struct dv *v)
{
	if (v->ak->inst.group != v->a.leaf.group)
		return why(v,
		    "the host's quote was signed for group %u, the "
		    "vTPM is of group %u",
		    v->ak->inst.group, v->a.leaf.group);
	if (v->ak->inst.group == 0 && !deep_host_enrolled(v->h, v->ak))
		return why(v, "the host's quote was not signed by the AK that "
			      "was enrolled");
	return true;
}

/* --- the host's quote ------------------------------------------------------
 */

static bool
host_signature(struct dv *v)
{
	const struct iov_part attest = { v->a.attest, v->a.attest_len };
	const struct iov_part sig = { v->a.sig, v->a.sig_len };

	if (!deep_host_signed(v->h, v->ak, &attest, &sig))
		return why(v, "the host's AK did not sign this quote");
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
	if (!deep_host_signer(v->h, v->ak, &v->attest.signer))
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
state_fits(const struct dv *v, const struct host_state *s, bool *ret_sel)
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
state_counts(const struct dv *v, const struct host_state *s)
{
	return !s->dead && (!s->signed_ || s->a.group == v->a.leaf.group);
}

static bool
host_selection(struct dv *v)
{
	const struct host_states *st = deep_host_states(v->h);
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
	const struct host_states *st = deep_host_states(v->h);
	bool same, dead = false;
	uint32_t i;

	for (i = 0; i < st->n; i++) {
		if (!state_fits(v, &st->state[i], &same))
			continue;
		if (state_counts(v, &st->state[i])) {
			report_say(v->rep, "host-state", REPORT_NOTE,
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

	if (tenant_qualify(v->quote->group, v->quote->sequence, v->nonce,
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
			report_say(v->rep, c[i].id, REPORT_FAIL, "%s", v->why);
			return false;
		}
		report_say(v->rep, c[i].id, REPORT_PASS, "%s", c[i].words);
	}
	return true;
}

void
verify_deep(const struct bundle *ev, const struct bundle_digests *dig,
    const struct verify_want *want, struct report *rep)
{
	struct dv v = {
		.ev = ev, .dig = dig, .want = want, .rep = rep, .h = want->host
	};
	size_t n = VT_NELEM(host_checks);

	deep_host_say(v.h, rep);
	if (ev->part[BUNDLE_DEEP].p == NULL) {
		report_say(rep, "deep", REPORT_CANNOT,
		    "the evidence has no deep quote: nothing ties it to the "
		    "host (vtpm-attest --deep)");
		return;
	}
	if (!run(&v, leaf_checks, 1)) /* without it there is nothing */
		return;
	(void)run(&v, leaf_checks + 1, VT_NELEM(leaf_checks) - 1);
	if (!deep_host_ok(v.h))
		return; /* the host record's own checks say why */
	if (deep_host_states(v.h) == NULL) {
		n -= 2;
		report_say(rep, "deep-host-state", REPORT_CANNOT,
		    "no host states were given (--host-states): whether the "
		    "host is in an accepted state is unknown");
	}
	(void)run(&v, host_checks, n);
}

void
verify_deep_quote(struct deep_host *h, const struct tenant_quote *q,
    const uint8_t *nonce, size_t nonce_len, struct report *rep)
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
	deep_host_say(v.h, rep);
	if (deep_host_states(h) == NULL) {
		n -= 2;
		report_say(rep, "deep-host-state", REPORT_CANNOT,
		    "no host states were given (--host-states)");
	}
	if (deep_host_ok(h) && run(&v, c, n))
		rep->root = v.ak->inst.root;
	rep->verdict = report_verdict(rep);
}
