/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_evidence.c - any bytes in: a bundle that parses is written and read
 * again the same, and none is accepted without a CA.
 *
 * The first byte chooses: '{' a bundle; else its low bits choose one of the
 * binary structures, which are hard to reach through base64.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/appraise/appraise.h"
#include "measure/appraise/policy.h"
#include "measure/cert/cert_extension.h"
#include "measure/cert/x509.h"
#include "measure/cert/x509_cert.h"
#include "measure/cert/x509_issuing.h"
#include "measure/evidence/bundle.h"
#include "measure/evidence/report.h"
#include "measure/evidence/verify.h"
#include "measure/tpm/pcr_selection.h"
#include "measure/tpm/quote.h"
#include "measure/tpm/tpm_public.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char policy_text[] =
    "{\"format\": \"vtpm-policy 1\", \"name\": \"fuzz\","
    " \"allow_software_root\": true,"
    " \"allow\": {\"no-log\": \"fuzz\", \"unmeasured-initrd\": \"fuzz\"},"
    " \"banks\": {\"sha256\": {\"7\": {\"values\": ["
    "\"65caf8dd1e0ea7a6347b635d2b379c93b9a1351edc2afc3ecda700e534eb3068\""
    "]}}}}";

static struct policy *
policy(void)
{
	static struct policy *p;
	char err[POLICY_ERR_MAX];

	if (p == NULL &&
	    policy_parse(policy_text, strlen(policy_text), &p, err) != VT_OK)
		abort();
	return p;
}

static void
judge(const struct bundle *ev)
{
	struct verify_want w = { .nonce = ev->part[BUNDLE_NONCE].p,
		.nonce_len = ev->part[BUNDLE_NONCE].len,
		.policy = policy() };
	struct report *r = NULL;
	char *text;

	if (verify_bundle(ev, &w, &r) != VT_OK)
		abort();
	if (r->verdict == AP_ACCEPTED)
		abort(); /* there is no CA */
	if (r->n == 0 || r->n > REPORT_MAX_CHECKS)
		abort();
	if ((text = report_json(r)) == NULL)
		abort(); /* whatever the words were */
	free(text);
	report_free(r);
}

static void
bundle(const uint8_t *data, size_t len)
{
	struct bundle *ev = NULL, *again = NULL;
	char err[BUNDLE_ERR_MAX] = "", *one, *two;

	if (bundle_parse(data, len, &ev, err) != VT_OK) {
		if (ev != NULL || err[0] == '\0')
			abort();
		return;
	}
	if (bundle_format(ev, &one) != VT_OK ||
	    bundle_parse(one, strlen(one), &again, err) != VT_OK ||
	    bundle_format(again, &two) != VT_OK || strcmp(one, two) != 0)
		abort();
	judge(ev);
	free(one);
	free(two);
	bundle_free(ev);
	bundle_free(again);
}

static void
attest(const uint8_t *data, size_t len)
{
	struct quote_attest a;

	if (quote_attest_get(data, len, &a) == VT_OK &&
	    (a.signer.len > sizeof(a.signer.b) ||
		a.extra_len > sizeof(a.extra) ||
		a.digest_len > sizeof(a.digest) || a.sel.n > PCR_MAX_BANKS))
		abort();
}

static void
public_area(const uint8_t *data, size_t len)
{
	EVP_PKEY *key = NULL;
	struct tpm_pub p;

	if (tpm_pub_get(data, len, &p) != VT_OK)
		return;
	if (tpm_pub_to_evp(&p, &key) == VT_OK)
		EVP_PKEY_free(key);
	else if (key != NULL)
		abort();
}

static void
certificate(const uint8_t *data, size_t len)
{
	struct x509_want w = { .ek_cert = data, .ek_cert_len = len };
	struct x509_report r;
	struct tpm_name n;
	X509 *x, *by;

	(void)!x509_ek_name(data, len, &n);
	if ((x = x509_chain_get(data, len, &by)) == NULL && by != NULL)
		abort();
	if (by != NULL && x509_issuing_check(by, x) == NULL &&
	    !x509_is_issuing(by))
		abort();
	X509_free(x);
	X509_free(by);
	w.ak_cert = w.ca = data;
	w.ak_cert_len = w.ca_len = len;
	if (x509_verify(&w, &r) == VT_OK)
		abort(); /* one certificate is not three */
}

static void
small(const uint8_t *data, size_t len)
{
	struct cert_ext_instance x;
	struct bundle_info info;
	struct tpm_sig s;
	uint8_t root;

	(void)!cert_ext_instance_get(data, len, &x);
	(void)!cert_ext_root_get(data, len, &root);
	(void)!bundle_info_get(data, len, &info);
	(void)!quote_sig_get(data, len, &s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	switch (data[0]) {
	case '{':
		bundle(data, len);
		break;
	case 'a':
		attest(data + 1, len - 1);
		break;
	case 'p':
		public_area(data + 1, len - 1);
		break;
	case 'c':
		certificate(data + 1, len - 1);
		break;
	default:
		small(data + 1, len - 1);
	}
	return 0;
}
