/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote_check.c - checks the TPM's quote before thousands of guests get it:
 * one that the bus corrupted is made again, not given out.
 */
#include "vtpm_manager/hwtpm/quote_check.h"

#include <openssl/evp.h>

#include <string.h>

#include "measure/tpm/quote.h"
#include "measure/tpm/quote_verify.h"
#include "measure/tpm/tpm_public.h"

static int
quote_fits(const struct hw_quote *req, const struct hw_quoted *q)
{
	struct quote_attest a;
	int rc;

	if ((rc = quote_attest_get(q->attest.p, q->attest.len, &a)) != VT_OK)
		return rc;
	/* TPM2_Quote silently leaves out banks that the TPM does not have. */
	if (a.sel.n == 0 || (a.sel.n == 1 && a.sel.banks[0].alg == req->bank &&
				a.sel.banks[0].mask == 0))
		return VT_E_UNSUPPORTED;
	if (a.extra_len != sizeof(req->extra) ||
	    memcmp(a.extra, req->extra, sizeof(req->extra)) != 0 ||
	    a.sel.n != 1 || a.sel.banks[0].alg != req->bank ||
	    a.sel.banks[0].mask != req->pcrs)
		return VT_E_AUTH;
	return VT_OK;
}

int
hwquote_check(struct hwtpm *h, const struct wblob *pub,
    const struct hw_quote *req, const struct hw_quoted *q)
{
	EVP_PKEY *key = NULL;
	const uint8_t *in;
	struct tpm_pub p;
	size_t len;
	int rc;

	rc = tpm_pub_unwrap(pub->p, pub->len, &in, &len);
	if (rc == VT_OK)
		rc = tpm_pub_get(in, len, &p);
	if (rc == VT_OK)
		rc = tpm_pub_to_evp(&p, &key);
	if (rc == VT_OK && !quote_signature_ok(&p, key, q->attest.p,
			       q->attest.len, q->signature.p, q->signature.len))
		rc = VT_E_AUTH;
	if (rc == VT_OK)
		rc = quote_fits(req, q);
	EVP_PKEY_free(key);
	if (rc == VT_OK)
		return VT_OK;
	if (rc == VT_E_UNSUPPORTED)
		return hwtpm_fail(h, rc,
		    "the host's TPM has no PCR bank %s to quote: enable that "
		    "bank in the firmware, or choose another one (deep_pcrs in "
		    "vtpm-managerd.conf(5), the group's configuration)",
		    digest_name(req->bank));
	h->again = true;
	return hwtpm_fail(h, VT_E_AUTH,
	    "the host's quote arrived corrupted (%s): something between the "
	    "TPM and the manager alters data",
	    vt_strerror(rc));
}
