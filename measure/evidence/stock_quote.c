/* SPDX-License-Identifier: BSD-3-Clause */
/* stock_quote.c - a quote of tpm2_quote, step by step. */
#include "measure/evidence/stock_quote.h"

#include "base/crypto.h"
#include "measure/cert/x509.h"
#include "measure/tpm/pcr_file.h"
#include "measure/tpm/quote.h"
#include "measure/tpm/quote_verify.h"
#include "measure/tpm/tpm_public.h"

/* The TPMT_PUBLIC of a file that may have a size in front. */
static void
unwrap(const struct stock_part *in, const uint8_t **ret, size_t *ret_len)
{
	if (tpm_pub_unwrap(in->p, in->len, ret, ret_len) == VT_OK)
		return;
	*ret = in->p;
	*ret_len = in->len;
}

static int
ek_name(const struct stock_part *in, struct tpm_name *ret)
{
	struct tpm_pub pub;
	const uint8_t *p;
	size_t len;

	if (x509_ek_name(in->p, in->len, ret) == VT_OK)
		return VT_OK;
	unwrap(in, &p, &len);
	if (tpm_pub_get(p, len, &pub) != VT_OK)
		return VT_E_FORMAT;
	return tpm_name_of(pub.name_alg, p, len, ret);
}

/* The values, if the file can be read; else the check says why. */
static bool
get_pcrs(const struct stock_quote *in, struct pcr_sel *sel,
    struct pcr_set *pcrs, struct report *rep)
{
	struct quote_attest a = { 0 };
	int rc;

	/* Only a file of values alone takes its selection from here; what the
	 * quote says is verified below. */
	if (quote_attest_get(in->quote.p, in->quote.len, &a) != VT_OK)
		a.sel.n = 0;
	rc = pcr_file_get(in->pcrs.p, in->pcrs.len, &a.sel, sel, pcrs);
	if (rc == VT_OK)
		return true;
	report_say(rep, "pcrs", REPORT_FAIL,
	    "the file of PCR values %s, or has other PCRs than were quoted",
	    vt_input_error(rc, in->pcrs.len));
	return false;
}

static void
say_steps(struct report *rep, bool have_ek)
{
	const struct quote_report *q = &rep->quote;
	int s;

	for (s = 0; s < QS_N; s++) {
		const char *id = quote_step_id((enum quote_step)s);

		if (s == QS_SIGNER && !have_ek && q->outcome[s] == STEP_PASS)
			report_say(rep, id, REPORT_NOTE,
			    "no EK was given: whose AK this is, is the "
			    "caller's to know (--ek)");
		else if (q->outcome[s] == STEP_PASS)
			report_say(rep, id, REPORT_PASS, "%s",
			    quote_step_words((enum quote_step)s));
		else if (q->outcome[s] == STEP_FAIL)
			report_say(rep, id, REPORT_FAIL, "%s", q->why);
	}
}

void
stock_quote_verify(const struct stock_quote *in, struct report *rep)
{
	struct quote_want w = {
		.extra = in->nonce.p, .extra_len = in->nonce.len, .stock = true
	};
	struct pcr_sel sel = { 0 };
	struct pcr_set pcrs = { 0 };
	bool known;
	int rc;

	rep->verdict = AP_REFUSED;
	known = get_pcrs(in, &sel, &pcrs, rep);
	unwrap(&in->ak, &w.ak_pub, &w.ak_pub_len);
	w.sel = &sel;
	w.pcrs = &pcrs;
	w.any_signer = in->ek.p == NULL;
	if (in->ek.p != NULL && ek_name(&in->ek, &w.ek_name) != VT_OK)
		w.ek_name.len = 0;
	rc = quote_verify(&w, in->quote.p, in->quote.len, in->sig.p,
	    in->sig.len, &rep->quote);
	say_steps(rep, in->ek.p != NULL);
	rep->verdict = report_verdict(rep);
	if (rep->verdict == AP_ACCEPTED && (rc != VT_OK || !known))
		rep->verdict = AP_REFUSED;
}
