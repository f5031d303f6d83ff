/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify.c - every check of a bundle, in words.
 *
 * Order: first what is cryptographic (nonce, quote, certificates), then what
 * the vTPM says of itself, then the boot.  Nothing is appraised that a
 * verified quote does not cover; checks that could not be reached are not
 * made, and a report in which something was not reached never accepts,
 * because what stopped it is a failure in the same report.
 */
#include "measure/evidence/bundle.h"

#include <jansson.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"
#include "base/check_on.h"
#include "measure/evidence/verify_deep.h"
#include "measure/evidence/evidence_priv.h"

struct vv { /* one verification under way */
	const struct evidence *ev;
	const struct ev_want *want;
	struct ev_report *rep;
	struct ev_digests dig;
	bool quote_ok, certs_ok, certs_done;
	EVP_PKEY *ak_key; /* borrowed from the host's memory, or NULL */
};

void
ev_say(struct ev_report *rep, const char *id, enum ev_outcome o,
    const char *fmt, ...)
{
	struct ev_check *c;
	va_list ap;
	char *p;

	if (o >= EVO_CANNOT && !check_on(id))
		o = EVO_PASS;
	if (rep->n == EV_MAX_CHECKS) { /* never lose a refusal */
		c = &rep->checks[EV_MAX_CHECKS - 1];
		if (o > c->outcome)
			c->outcome = o;
		return;
	}
	c = &rep->checks[rep->n++];
	c->id = id;
	c->outcome = o;
	va_start(ap, fmt);
	(void)vsnprintf(c->words, sizeof(c->words), fmt, ap);
	va_end(ap);
	/* Names come from certificates and logs: nothing that a terminal or
	 * JSON would take for more than text. */
	for (p = c->words; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
}

/* --- freshness and quote -------------------------------------------------- */

static bool
check_nonce(struct vv *v)
{
	const struct ev_blob *n = &v->ev->part[EV_NONCE];

	if (v->want->nonce_len < EV_NONCE_MIN || n->len != v->want->nonce_len ||
	    !mem_equal(n->p, v->want->nonce, n->len)) {
		ev_say(v->rep, "nonce", EVO_FAIL,
		    "the evidence was made for another nonce: it answers an "
		    "older question, or somebody else's");
		return !check_on("nonce");
	}
	ev_say(v->rep, "nonce", EVO_PASS,
	    "the evidence is for the nonce that was given out");
	return true;
}

/* Certificates first: they give the EK's Name, and a key that was parsed
 * before.  What came of it is said in its turn. */
static void
judge_certs(struct vv *v)
{
	const struct ev_blob *b = v->ev->part;
	struct x509_want w = { .now = v->want->now };

	w.ak_cert = b[EV_AK_CERT].p;
	w.ak_cert_len = b[EV_AK_CERT].len;
	w.ek_cert = b[EV_EK_CERT].p;
	w.ek_cert_len = b[EV_EK_CERT].len;
	w.ca = v->want->ca;
	w.ca_len = v->want->ca_len;
	if (w.ak_cert == NULL || w.ek_cert == NULL ||
	    (w.ca == NULL && v->want->host == NULL) ||
	    tpm_pub_unwrap(b[EV_AK_PUBLIC].p, b[EV_AK_PUBLIC].len, &w.ak_pub,
		&w.ak_pub_len) != VT_OK)
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
	const struct ev_blob *b = v->ev->part;
	uint8_t extra[SHA256_LEN];
	struct quote_want w = { .extra = extra, .extra_len = sizeof(extra) };
	struct pcr_sel sel;
	int s, rc;

	if (evidence_qualify_by(v->ev, &v->dig, extra) != VT_OK ||
	    tpm_pub_unwrap(b[EV_AK_PUBLIC].p, b[EV_AK_PUBLIC].len, &w.ak_pub,
		&w.ak_pub_len) != VT_OK) {
		ev_say(v->rep, "quote", EVO_FAIL,
		    "the AK's public area is not a TPM2B_PUBLIC");
		return;
	}
	evidence_selection(v->ev, &sel);
	w.sel = &sel;
	w.pcrs = &v->ev->pcrs;
	w.last = v->want->last;
	w.firmware = v->want->firmware;
	w.ak_key = v->ak_key;
	if (v->rep->certs.outcome[XS_EK_KEY] == QO_PASS)
		w.ek_name = v->rep->certs.ek_name;
	else if (b[EV_EK_CERT].p != NULL &&
		 x509_ek_name(b[EV_EK_CERT].p, b[EV_EK_CERT].len, &w.ek_name) !=
		     VT_OK)
		w.ek_name.len = 0;
	rc = quote_verify(&w, b[EV_QUOTE].p, b[EV_QUOTE].len, b[EV_SIGNATURE].p,
	    b[EV_SIGNATURE].len, &v->rep->quote);
	v->quote_ok = rc == VT_OK;
	for (s = 0; s < QS_N; s++) {
		enum quote_outcome o = v->rep->quote.outcome[s];

		if (o == QO_PASS)
			ev_say(v->rep, quote_step_id((enum quote_step)s),
			    EVO_PASS, "%s",
			    quote_step_words((enum quote_step)s));
		else if (o == QO_FAIL)
			ev_say(v->rep, quote_step_id((enum quote_step)s),
			    s == QS_SIGNER && b[EV_EK_CERT].p == NULL
				? EVO_CANNOT
				: EVO_FAIL,
			    "%s", v->rep->quote.why);
	}
	if (rc == VT_OK && v->rep->quote.rebooted)
		ev_say(v->rep, "rebooted", EVO_NOTE,
		    "the TPM was reset or restarted since the earlier quote");
}

/* --- certificates ----------------------------------------------------------
 */

static void
check_certs(struct vv *v)
{
	const struct ev_blob *b = v->ev->part;
	int s;

	if (b[EV_AK_CERT].p == NULL || b[EV_EK_CERT].p == NULL) {
		ev_say(v->rep, "certificates", EVO_CANNOT,
		    "the evidence has no %s certificate: whose TPM this is "
		    "cannot be told",
		    b[EV_AK_CERT].p == NULL ? "AK" : "EK");
		return;
	}
	if (v->want->ca == NULL && v->want->host == NULL) {
		ev_say(v->rep, "certificates", EVO_CANNOT,
		    "no CA was given to hold the certificates against: "
		    "name that of the vTPM manager (vtpmctl --json status)");
		return;
	}
	for (s = 0; v->certs_done && s < XS_N; s++) {
		enum quote_outcome o = v->rep->certs.outcome[s];

		if (o == QO_PASS)
			ev_say(v->rep, x509_step_id((enum x509_step)s),
			    EVO_PASS, "%s", x509_step_words((enum x509_step)s));
		else if (o == QO_FAIL)
			ev_say(v->rep, x509_step_id((enum x509_step)s),
			    EVO_FAIL, "%s", v->rep->certs.why);
	}
}

/* Law 8: what it stands on, said always; software only if the policy wants
 * to live with it. */
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
	ev_say(v->rep, "identity", EVO_NOTE,
	    "virtual TPM %s, group %u, generation %llu, certified by %s", uuid,
	    x->group, (unsigned long long)x->generation,
	    v->rep->certs.ca_subject);
	if (v->rep->root == CERT_EXT_HARDWARE)
		ev_say(v->rep, "root-kind", EVO_PASS,
		    "hardware root: the CA's key is in a physical TPM");
	else if (v->want->policy->allow_software_root)
		ev_say(v->rep, "root-kind", EVO_NOTE,
		    "software root: no physical TPM stands behind this "
		    "evidence, which the policy allows");
	else
		ev_say(v->rep, "root-kind", EVO_FAIL,
		    "software root: no physical TPM stands behind this "
		    "evidence, and the policy does not allow that "
		    "(allow_software_root)");
	if (v->want->uuid != NULL && memcmp(v->want->uuid, x->uuid, 16) != 0)
		ev_say(v->rep, "uuid", EVO_FAIL,
		    "this is another vTPM than the one asked for");
	else if (v->want->uuid != NULL)
		ev_say(v->rep, "uuid", EVO_PASS, "this is the vTPM asked for");
}

/* --- what the vTPM says of itself ------------------------------------------
 */

static void
info_vs_certificate(struct vv *v, const struct ev_info *info)
{
	const struct cert_ext_instance *x = &v->rep->instance;
	bool soft = (info->flags & EVI_SOFT_ROOT) != 0;

	if (!v->rep->have_instance)
		return;
	if (memcmp(info->uuid, x->uuid, UUID_LEN) != 0 ||
	    info->group != x->group)
		ev_say(v->rep, "info-instance", EVO_FAIL,
		    "the vTPM calls itself by another uuid or group than its "
		    "certificate does");
	else if (info->generation < x->generation)
		ev_say(v->rep, "info-instance", EVO_FAIL,
		    "the vTPM runs in an older generation than its "
		    "certificate: an older copy was put back");
	else if (soft && v->rep->root == CERT_EXT_HARDWARE)
		ev_say(v->rep, "info-instance", EVO_FAIL,
		    "the certificate claims a hardware root, the vTPM says "
		    "that its manager has none");
	else
		ev_say(v->rep, "info-instance", EVO_PASS,
		    "the vTPM says of itself what its certificate says");
}

/* The flags are the worker's words over the guest's channel; nothing signs
 * them but the guest's own qualifyingData.  They can only make it worse. */
static void
check_info(struct vv *v)
{
	const struct ev_blob *b = &v->ev->part[EV_INFO];
	struct ev_info info;

	if (b->p == NULL) {
		ev_say(v->rep, "info", EVO_NOTE,
		    "the vTPM's own account of itself is not in the evidence");
		return;
	}
	if (evidence_info_get(b->p, b->len, &info) != VT_OK) {
		ev_say(v->rep, "info", EVO_FAIL,
		    "the vTPM's account of itself is not well-formed");
		return;
	}
	info_vs_certificate(v, &info);
	if ((info.flags & EVI_CAPPED) != 0)
		v->rep->worker_restarted = true;
	if ((info.flags & EVI_RESTORED) != 0)
		v->rep->restored = true;
}

enum ap_verdict
ev_verdict(const struct ev_report *rep)
{
	enum ap_verdict v = AP_ACCEPTED;
	uint32_t i;

	for (i = 0; i < rep->n; i++) {
		if (rep->checks[i].outcome == EVO_FAIL)
			return AP_REFUSED;
		if (rep->checks[i].outcome == EVO_CANNOT)
			v = AP_UNDECIDED;
	}
	return v;
}

int
evidence_verify(const struct evidence *ev, const struct ev_want *want,
    struct ev_report **ret)
{
	struct vv v = { .ev = ev, .want = want };
	int rc = VT_OK;

	if ((rc = evidence_digests(ev, &v.dig)) != VT_OK)
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
		deep_verify(ev, &v.dig, want, v.rep);
	else if (ev->part[EV_DEEP].p != NULL)
		ev_say(v.rep, "deep", EVO_NOTE,
		    "there is a deep quote, but no host record to hold it "
		    "against (--host): it is not judged");
	if (v.quote_ok) {
		check_info(&v);
		rc = ev_boot(ev, &v.dig, want, v.rep);
	}
	if (rc != VT_OK) {
		evidence_report_free(v.rep);
		return rc;
	}
	v.rep->verdict = ev_verdict(v.rep);
	/* Belt and braces: accepted means that all of it was gone through. */
	if (v.rep->verdict == AP_ACCEPTED &&
	    (!v.quote_ok || !v.certs_ok || v.rep->appraisal == NULL))
		v.rep->verdict = AP_UNDECIDED;
	*ret = v.rep;
	return VT_OK;
}

void
evidence_report_free(struct ev_report *r)
{
	if (r == NULL)
		return;
	ap_report_free(r->appraisal);
	free(r);
}

const char *
ev_outcome_name(enum ev_outcome o)
{
	static const char *const names[] = { [EVO_PASS] = "pass",
		[EVO_NOTE] = "note",
		[EVO_CANNOT] = "cannot decide",
		[EVO_FAIL] = "fail" };

	return (size_t)o < VT_NELEM(names) ? names[o] : "?";
}

static json_t *
json_checks(const struct ev_report *r)
{
	json_t *arr = json_array();
	uint32_t i;

	for (i = 0; arr != NULL && i < r->n; i++)
		if (json_array_append_new(arr,
			json_pack("{s:s, s:s, s:s}", "check", r->checks[i].id,
			    "outcome", ev_outcome_name(r->checks[i].outcome),
			    "words", r->checks[i].words)) != 0) {
			json_decref(arr);
			return NULL;
		}
	return arr;
}

static json_t *
json_instance(const struct ev_report *r)
{
	char uuid[UUID_STRLEN + 1];

	if (!r->have_instance)
		return json_null();
	uuid_format(r->instance.uuid, uuid);
	return json_pack("{s:s, s:I, s:I, s:b}", "uuid", uuid, "group",
	    (json_int_t)r->instance.group, "generation",
	    (json_int_t)r->instance.generation, "virtual",
	    r->instance.is_virtual);
}

char *
evidence_report_json(const struct ev_report *r)
{
	json_t *root, *boot = NULL;
	char *text, *ap = NULL;

	if (r->appraisal != NULL && (ap = ap_report_json(r->appraisal)) != NULL)
		boot = json_loads(ap, 0, NULL);
	free(ap);
	root = json_pack("{s:s, s:s, s:o, s:s?, s:b, s:b, s:o, s:o}", "format",
	    "vtpm-verdict", "verdict", ap_verdict_name(r->verdict), "instance",
	    json_instance(r), "root",
	    r->root != 0 ? cert_ext_root_name(r->root) : NULL,
	    "worker_restarted", r->worker_restarted, "restored", r->restored,
	    "checks", json_checks(r), "boot",
	    boot != NULL ? boot : json_null());
	text = root != NULL ? json_dumps(root, JSON_INDENT(1)) : NULL;
	json_decref(root);
	return text;
}
