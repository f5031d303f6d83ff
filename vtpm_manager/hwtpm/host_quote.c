/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_quote.c - quotes of the host's PCRs, by its own attestation key or by a
 * tenant's, with a certificate of that key.
 */
#include "vtpm_manager/hwtpm/host_quote.h"

#include <tss2/tss2_mu.h>

#include <string.h>

#include "base/crypto.h"
#include "base/util.h"
#include "measure/evidence/deep_leaf.h"
#include "vtpm_manager/hwtpm/attestation_key.h"
#include "vtpm_manager/hwtpm/endorsement.h"
#include "vtpm_manager/hwtpm/pcrs.h"
#include "vtpm_manager/hwtpm/quote_check.h"

#define NONE ESYS_TR_NONE
#define CERT_SECONDS (7 * 86400)
#define CERT_FRESH_US (UINT64_C(12) * 3600 * 1000000)

static int
certify_ak(struct hwtpm *h, uint32_t group, const uint8_t *pub, size_t len,
    uint32_t seconds, struct ca_der *ret)
{
	const struct ca_subject sub = { .name = "",
		.group = group,
		.tpm_version = TPM_VER_20,
		.ak_seconds = seconds,
		.host = true };
	int rc;

	h->text[0] = '\0';
	rc = ca_issue(h->ca, &sub, WCERT_AK, pub, len, ret);
	if (rc != VT_OK && h->text[0] == '\0')
		return hwtpm_fail(h, rc, "certificate for the host's AK: %s",
		    vt_strerror(rc));
	return rc;
}

/* The AK as a tenant keeps it: be16 length + public, then private. */
int
hwquote_new_ak(struct hwtpm *h, const struct hw_ak *req, struct hw_aked *ret)
{
	struct key_bytes key;
	ESYS_TR ek = NONE;
	struct ca_der der;
	struct hwblob b;
	struct wr w;
	int rc;

	memset(ret, 0, sizeof(*ret));
	/* Room for three objects: CA key, EK, the new AK. */
	hwtpm_flush(h, &h->ak);
	if ((rc = hwak_blob(h, &b)) != VT_OK ||
	    (rc = hwek_make(h, b.ek, NULL, &ek)) != VT_OK)
		return rc;
	rc = hwak_create(h, ek, NONE, &key);
	hwtpm_flush(h, &ek);
	if (rc != VT_OK || (rc = certify_ak(h, req->group, key.pub, key.pub_len,
				0, &der)) != VT_OK)
		return rc;
	wr_init(&w, h->out[0], sizeof(h->out[0]));
	wr_blob16(&w, key.pub, key.pub_len);
	wr_blob16(&w, key.priv, key.priv_len);
	memcpy(h->out[1], key.pub, key.pub_len);
	memcpy(h->out[2], der.buf, der.len);
	if ((rc = wr_err(&w)) != VT_OK)
		return hwtpm_fail(h, rc, "a new AK is too long");
	ret->ak.p = h->out[0];
	ret->ak.len = (uint32_t)w.len;
	ret->ak_pub.p = h->out[1];
	ret->ak_pub.len = (uint32_t)key.pub_len;
	ret->ak_cert.p = h->out[2];
	ret->ak_cert.len = (uint32_t)der.len;
	return VT_OK;
}

/* The key that quotes for this group: h->ak, or *own, which the caller
 * flushes; and its public area. */
static int
quoting_key(struct hwtpm *h, const struct hw_quote *req, ESYS_TR *own,
    struct wblob *ret_pub)
{
	struct wblob pub, priv;
	struct hwblob b;
	struct rd r;
	size_t n;
	int rc;

	if (req->ak.len == 0 && req->group != 0)
		return hwtpm_fail(
		    h, VT_E_PROTO, "group %u has no AK", req->group);
	if (req->ak.len == 0) {
		if ((rc = hwak_need(h, &b)) == VT_OK)
			*ret_pub = b.ak_pub;
		return rc;
	}
	if (req->group == 0)
		return hwtpm_fail(
		    h, VT_E_PROTO, "group 0 must quote with the host's own AK");
	rd_init(&r, req->ak.p, req->ak.len);
	pub.p = rd_blob16(&r, HWBLOB_KEY_MAX, &n);
	pub.len = (uint32_t)n;
	priv.p = rd_blob16(&r, HWBLOB_KEY_MAX, &n);
	priv.len = (uint32_t)n;
	if ((rc = rd_end(&r)) != VT_OK)
		return hwtpm_fail(
		    h, rc, "the AK of group %u is damaged", req->group);
	if ((rc = hwak_blob(h, &b)) != VT_OK)
		return rc;
	*ret_pub = pub;
	return hwak_load(h, b.ek, &pub, &priv, own);
}

/*
 * Certificates of host AKs are short-lived.  A key gets a new one when it is
 * used and the last one is no longer fresh, provided that this TPM has just
 * loaded it under its EK.
 */
static int
fresh_cert(struct hwtpm *h, uint32_t group, const struct wblob *pub,
    const struct ca_der **ret)
{
	struct hw_ak_cert *c = NULL, *old = &h->ak_certs[0];
	uint8_t d[SHA256_LEN];
	size_t i;
	int rc;

	if ((rc = digest_buf(ALG_SHA256, pub->p, pub->len, d)) != VT_OK)
		return hwtpm_fail(h, rc, "hashing an AK");
	for (i = 0; i < HW_AK_CERTS && c == NULL; i++) {
		if (h->ak_certs[i].der.len > 0 &&
		    h->ak_certs[i].group == group &&
		    memcmp(h->ak_certs[i].pub, d, sizeof(d)) == 0)
			c = &h->ak_certs[i];
		else if (h->ak_certs[i].at_us < old->at_us)
			old = &h->ak_certs[i];
	}
	if (c == NULL || now_us() - c->at_us >= CERT_FRESH_US) {
		c = c != NULL ? c : old;
		c->der.len = 0;
		c->at_us = 0;
		rc = certify_ak(
		    h, group, pub->p, pub->len, CERT_SECONDS, &c->der);
		if (rc != VT_OK) {
			c->der.len = 0;
			return rc;
		}
		c->group = group;
		memcpy(c->pub, d, sizeof(d));
		c->at_us = now_us();
	}
	*ret = &c->der;
	return VT_OK;
}

static int
quote_with(struct hwtpm *h, ESYS_TR key, const struct hw_quote *req,
    struct hw_quoted *ret)
{
	const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
	TPM2B_DATA extra = { .size = sizeof(req->extra) };
	TPML_PCR_SELECTION sel;
	TPM2B_ATTEST *attest = NULL;
	TPMT_SIGNATURE *sig = NULL;
	size_t len = 0;
	int rc;

	memcpy(extra.buffer, req->extra, sizeof(req->extra));
	hwpcrs_select(&sel, req->bank, req->pcrs);
	rc = hwtpm_check(h,
	    Esys_Quote(h->esys, key, h->ca_auth, NONE, NONE, &extra, &scheme,
		&sel, &attest, &sig),
	    "quoting the host");
	if (rc != VT_OK)
		return rc;
	if (attest->size > DEEP_ATTEST_MAX ||
	    Tss2_MU_TPMT_SIGNATURE_Marshal(
		sig, h->out[1], DEEP_SIG_MAX, &len) != TSS2_RC_SUCCESS)
		rc = hwtpm_fail(h, VT_E_RANGE, "the host's quote is too long");
	else
		memcpy(h->out[0], attest->attestationData, attest->size);
	ret->attest.p = h->out[0];
	ret->attest.len = attest->size;
	ret->signature.p = h->out[1];
	ret->signature.len = (uint32_t)len;
	Esys_Free(attest);
	Esys_Free(sig);
	return rc;
}

int
hwquote_make(struct hwtpm *h, const struct hw_quote *req, struct hw_quoted *ret)
{
	const struct ca_der *cert = NULL;
	uint64_t t0 = now_us();
	ESYS_TR own = NONE;
	struct wblob pub = { 0 };
	int rc;

	memset(ret, 0, sizeof(*ret));
	if ((rc = quoting_key(h, req, &own, &pub)) == VT_OK)
		rc = fresh_cert(h, req->group, &pub, &cert);
	if (rc == VT_OK)
		rc = quote_with(h, own != NONE ? own : h->ak, req, ret);
	if (rc == VT_OK)
		rc = hwquote_check(h, &pub, req, ret);
	hwtpm_flush(h, &own);
	if (rc != VT_OK || cert == NULL)
		return rc != VT_OK ? rc : VT_E_STATE;
	ret->ak_cert.p = cert->buf;
	ret->ak_cert.len = (uint32_t)cert->len;
	ret->us = (uint32_t)(now_us() - t0);
	return VT_OK;
}
