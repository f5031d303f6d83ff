/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify.c - every check of a bundle, in order.
 *
 * Order: first the cryptographic checks (nonce, quote, certificates), then what
 * the vTPM says about itself, then the boot.  Only what a verified quote covers
 * is appraised.  A check that cannot be reached is not made; such a report
 * never accepts, because the check that stopped it failed in the same report.
 */
#include "measure/evidence/verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/check_on.h"
#include "base/rdwr.h"
#include "measure/appraise/appraise.h"
#include "measure/cert/cert_extension.h"
#include "measure/cert/x509.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/deep_host.h"
#include "measure/evidence/report.h"
#include "measure/evidence/verify_boot.h"
#include "measure/evidence/verify_deep.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/quote_verify.h"
#include "measure/tpm/step.h"
#include "measure/tpm/tpm_public.h"

struct vv { /* one verification under way */
	const struct bundle *ev;
	const struct verify_want *want;
	struct report *rep;
	struct bundle_digests dig;
	bool quote_ok, certs_ok, certs_done;
	EVP_PKEY *ak_key; /* borrowed from the host's memory, or NULL */
};

/* --- freshness and quote -------------------------------------------------- */

static bool
check_nonce(struct vv *v)
{
	const struct bundle_blob *n = &v->ev->part[BUNDLE_NONCE];

	if (v->want->nonce_len < BUNDLE_NONCE_MIN ||
	    n->len != v->want->nonce_len ||
	    !mem_equal(n->p, v->want->nonce, n->len)) {
		report_say(v->rep, "nonce", REPORT_FAIL,
		    "the evidence was made for another nonce: it is a replay, "
		    "or it was made for another verifier");
		return !check_on("nonce");
	}
	report_say(v->rep, "nonce", REPORT_PASS,
	    "the evidence is for the nonce that was given out");
	return true;
}

/* Certificates first: they give the EK's Name, and perhaps a key that was
 * parsed before.  check_certs() reports the outcome later. */
static void
judge_certs(struct vv *v)
{
	const struct bundle_blob *b = v->ev->part;
	struct x509_want w = { .now = v->want->now };

	w.ak_cert = b[BUNDLE_AK_CERT].p;
	w.ak_cert_len = b[BUNDLE_AK_CERT].len;
	w.ek_cert = b[BUNDLE_EK_CERT].p;
	w.ek_cert_len = b[BUNDLE_EK_CERT].len;
	w.ca = v->want->ca;
	w.ca_len = v->want->ca_len;
	if (w.ak_cert == NULL || w.ek_cert == NULL ||
	    (w.ca == NULL && v->want->host == NULL) ||
	    tpm_pub_unwrap(b[BUNDLE_AK_PUBLIC].p, b[BUNDLE_AK_PUBLIC].len,
		&w.ak_pub, &w.ak_pub_len) != VT_OK)
		return;
	v->certs_done = true;
	if (w.ca != NULL)
		v->certs_ok = x509_verify(&w, &v->rep->certs) == VT_OK;
	else
		v->certs_ok = deep_host_certs(v->want->host, &w, &v->rep->certs,
				  &v->ak_key) == VT_OK;
}

static void
check_quote(struct vv *v)
{
	const struct bundle_blob *b = v->ev->part;
	uint8_t extra[SHA256_LEN];
	struct quote_want w = { .extra = extra, .extra_len = sizeof(extra) };
	struct pcr_sel sel;
	int s, rc;

	if (bundle_qualify_by(v->ev, &v->dig, extra) != VT_OK ||
	    tpm_pub_unwrap(b[BUNDLE_AK_PUBLIC].p, b[BUNDLE_AK_PUBLIC].len,
		&w.ak_pub, &w.ak_pub_len) != VT_OK) {
		report_say(v->rep, "quote", REPORT_FAIL,
		    "the AK's public area is not a TPM2B_PUBLIC");
		return;
	}
	bundle_selection(v->ev, &sel);
	w.sel = &sel;
	w.pcrs = &v->ev->pcrs;
	w.last = v->want->last;
	w.firmware = v->want->firmware;
	w.ak_key = v->ak_key;
	if (v->rep->certs.outcome[XS_EK_KEY] == STEP_PASS)
		w.ek_name = v->rep->certs.ek_name;
	else if (b[BUNDLE_EK_CERT].p != NULL &&
		 x509_ek_name(b[BUNDLE_EK_CERT].p, b[BUNDLE_EK_CERT].len,
		     &w.ek_name) != VT_OK)
		w.ek_name.len = 0;
	rc = quote_verify(&w, b[BUNDLE_QUOTE].p, b[BUNDLE_QUOTE].len,
	    b[BUNDLE_SIGNATURE].p, b[BUNDLE_SIGNATURE].len, &v->rep->quote);
	v->quote_ok = rc == VT_OK;
	for (s = 0; s < QS_N; s++) {
		enum step_outcome o = v->rep->quote.outcome[s];

		if (o == STEP_PASS)
			report_say(v->rep, quote_step_id((enum quote_step)s),
			    REPORT_PASS, "%s",
			    quote_step_words((enum quote_step)s));
		else if (o == STEP_FAIL)
			report_say(v->rep, quote_step_id((enum quote_step)s),
			    s == QS_SIGNER && b[BUNDLE_EK_CERT].p == NULL
				? REPORT_CANNOT
				: REPORT_FAIL,
			    "%s", v->rep->quote.why);
	}
	if (rc == VT_OK && v->rep->quote.rebooted)
		report_say(v->rep, "rebooted", REPORT_NOTE,
		    "the TPM was reset or restarted since the earlier quote");
}

/* --- certificates ----------------------------------------------------------
 */

static void
check_certs(struct vv *v)
{
	const struct bundle_blob *b = v->ev->part;
	int s;

	if (b[BUNDLE_AK_CERT].p == NULL || b[BUNDLE_EK_CERT].p == NULL) {
		report_say(v->rep, "certificates", REPORT_CANNOT,
		    "the evidence has no %s certificate: which TPM made it is "
		    "unknown",
		    b[BUNDLE_AK_CERT].p == NULL ? "AK" : "EK");
		return;
	}
	if (v->want->ca == NULL && v->want->host == NULL) {
		report_say(v->rep, "certificates", REPORT_CANNOT,
		    "no CA was given to verify the certificates: give that of "
		    "the vTPM manager (vtpmctl --json status)");
		return;
	}
	for (s = 0; v->certs_done && s < XS_N; s++) {
		enum step_outcome o = v->rep->certs.outcome[s];

		if (o == STEP_PASS)
			report_say(v->rep, x509_step_id((enum x509_step)s),
			    REPORT_PASS, "%s",
			    x509_step_words((enum x509_step)s));
		else if (o == STEP_FAIL)
			report_say(v->rep, x509_step_id((enum x509_step)s),
			    REPORT_FAIL, "%s", v->rep->certs.why);
	}
}

/* Law 8: always say what the evidence stands on.  A software root passes only
 * if the policy allows it. */
static void
check_root(struct vv *v)
{
	const struct cert_ext_instance *x = &v->rep->instance;
	char uuid[UUID_STRLEN + 1];

	if (!v->certs_ok)
		return;
	v->rep->have_instance = true;
	v->rep->instance = v->rep->certs.instance;
	v->rep->root = v->rep->certs.root;
	uuid_format(x->uuid, uuid);
	report_say(v->rep, "identity", REPORT_NOTE,
	    "virtual TPM %s, group %u, generation %llu, certified by %s", uuid,
	    x->group, (unsigned long long)x->generation,
	    v->rep->certs.ca_subject);
	if (v->rep->root == CERT_EXT_HARDWARE)
		report_say(v->rep, "root-kind", REPORT_PASS,
		    "hardware root: the CA's key is in a physical TPM");
	else if (v->want->policy->allow_software_root)
		report_say(v->rep, "root-kind", REPORT_NOTE,
		    "software root: no physical TPM stands behind this "
		    "evidence, which the policy allows");
	else
		report_say(v->rep, "root-kind", REPORT_FAIL,
		    "software root: no physical TPM stands behind this "
		    "evidence, and the policy does not allow that "
		    "(allow_software_root)");
	if (v->want->uuid == NULL && v->want->channel_key == NULL)
		report_say(v->rep, "relay", REPORT_NOTE,
		    "any vTPM of this CA is accepted: another guest's evidence "
		    "may have been passed on; name the vTPM (--uuid) or the "
		    "channel (--channel-key)");
	if (v->want->uuid != NULL && memcmp(v->want->uuid, x->uuid, 16) != 0)
		report_say(v->rep, "uuid", REPORT_FAIL,
		    "this is another vTPM than the one asked for");
	else if (v->want->uuid != NULL)
		report_say(
		    v->rep, "uuid", REPORT_PASS, "this is the vTPM asked for");
}

/* --- what the vTPM says about itself
 * ------------------------------------------
 */

static void
info_vs_certificate(struct vv *v, const struct bundle_info *info)
{
	const struct cert_ext_instance *x = &v->rep->instance;
	bool soft = (info->flags & BUNDLE_F_SOFT_ROOT) != 0;

	if (!v->rep->have_instance)
		return;
	if (memcmp(info->uuid, x->uuid, UUID_LEN) != 0 ||
	    info->group != x->group)
		report_say(v->rep, "info-instance", REPORT_FAIL,
		    "the vTPM reports another uuid or group than its "
		    "certificate");
	else if (info->generation < x->generation)
		report_say(v->rep, "info-instance", REPORT_FAIL,
		    "the vTPM runs in an older generation than its "
		    "certificate: an older copy was restored");
	else if (soft && v->rep->root == CERT_EXT_HARDWARE)
		report_say(v->rep, "info-instance", REPORT_FAIL,
		    "the certificate claims a hardware root, the vTPM says "
		    "that its manager has none");
	else
		report_say(v->rep, "info-instance", REPORT_PASS,
		    "the vTPM reports what its certificate says");
}

/* The worker sets the flags, and the guest passes them on; only the guest's
 * own qualifyingData covers them.  They can refuse, but never accept. */
static void
check_info(struct vv *v)
{
	const struct bundle_blob *b = &v->ev->part[BUNDLE_INFO];
	struct bundle_info info;

	if (b->p == NULL) {
		report_say(v->rep, "info", REPORT_NOTE,
		    "the vTPM's report about itself is not in the evidence");
		return;
	}
	if (bundle_info_get(b->p, b->len, &info) != VT_OK) {
		report_say(v->rep, "info", REPORT_FAIL,
		    "the vTPM's report about itself is not well-formed");
		return;
	}
	info_vs_certificate(v, &info);
	if ((info.flags & BUNDLE_F_CAPPED) != 0)
		v->rep->worker_restarted = true;
	if ((info.flags & BUNDLE_F_RESTORED) != 0)
		v->rep->restored = true;
	if ((info.flags & BUNDLE_F_UNSEEN) != 0)
		report_say(v->rep, "unseen-reset", REPORT_NOTE,
		    "the vTPM reports that its host did not see the guest's "
		    "last reset");
}

int
verify_bundle(const struct bundle *ev, const struct verify_want *want,
    struct report **ret)
{
	struct vv v = { .ev = ev, .want = want };
	int rc = VT_OK;

	if ((rc = bundle_digests(ev, &v.dig)) != VT_OK)
		return rc;
	if ((v.rep = calloc(1, sizeof(*v.rep))) == NULL)
		return VT_E_NOMEM;
	v.rep->verdict = AP_REFUSED;
	judge_certs(&v);
	if (check_nonce(&v))
		check_quote(&v);
	check_certs(&v);
	check_root(&v);
	if (want->host != NULL)
		verify_deep(ev, &v.dig, want, v.rep);
	else if (ev->part[BUNDLE_DEEP].p != NULL)
		report_say(v.rep, "deep", REPORT_NOTE,
		    "the deep quote is not judged: no host record was given "
		    "(--host)");
	if (v.quote_ok) {
		check_info(&v);
		rc = verify_boot(ev, &v.dig, want, v.rep);
	}
	if (rc != VT_OK) {
		report_free(v.rep);
		return rc;
	}
	v.rep->verdict = report_verdict(v.rep);
	/* Belt and braces: accepted means that every part was judged. */
	if (v.rep->verdict == AP_ACCEPTED &&
	    (!v.quote_ok || !v.certs_ok || v.rep->appraisal == NULL))
		v.rep->verdict = AP_UNDECIDED;
	*ret = v.rep;
	return VT_OK;
}
