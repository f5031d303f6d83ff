/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who the host is: its endorsement key, an attestation key under it, the CA
 * key certified by that; and the quotes that the attestation keys make.
 *
 * The AK is used with a value derived from the master key, so that another
 * program on this host, which can load it, cannot have it sign a quote over
 * data of its choice.  It is loaded when it is needed for the first time.
 */
#include <tss2/tss2_mu.h>

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/util.h"
#include "measure/evidence/deep_leaf.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "vtpm_manager/hwtpm/keys_priv.h"

#include "vtpm_manager/hwtpm/embed/ek_ecc_hex.h"
#include "vtpm_manager/hwtpm/embed/ek_rsa_hex.h"
#include "vtpm_manager/hwtpm/embed/hostak_hex.h"

#define NONE ESYS_TR_NONE
#define NV_EK_RSA 0x01c00002u /* TCG EK Credential Profile, 2.2.1.4 */
#define NV_EK_ECC 0x01c0000au
#define NV_PART 512
#define EK_CERT_MAX 2000
#define AK_CERT_SECONDS (7 * 86400)
#define AK_CERT_FRESH_US (UINT64_C(12) * 3600 * 1000000)

static const char ak_label[] = "vTPM manager host AK authorisation";

void
hwident_unload(struct hwtpm *h)
{
	hwkeys_flush(h, &h->ak);
	ak_context_forget(h);
	memset(h->ak_certs, 0, sizeof(h->ak_certs));
}

int
hwident_ready(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN])
{
	return hwkeys_auth(h, master, ak_label, sizeof(ak_label), &h->ak_auth);
}

/* --- the endorsement key -------------------------------------------------- */

/* 1: there is such an index. */
static int
nv_there(struct hwtpm *h, uint32_t index, ESYS_TR *ret)
{
	TSS2_RC r =
	    Esys_TR_FromTPMPublic(h->esys, index, NONE, NONE, NONE, ret);

	if (r == TSS2_RC_SUCCESS)
		return 1;
	if ((r & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER &&
	    (r & TPM2_RC_FMT1) != 0 &&
	    (r & (TPM2_RC_FMT1 | 0x3f)) == TPM2_RC_HANDLE)
		return 0;
	return hwtpm_check(h, r, "looking for the EK's certificate");
}

/* The EK that has a certificate in the TPM, P-256 before RSA. */
static int
choose_ek(struct hwtpm *h, uint8_t *ret)
{
	static const struct {
		uint32_t index;
		uint8_t ek;
	} certs[] = { { NV_EK_ECC, HWEK_ECC }, { NV_EK_RSA, HWEK_RSA } };
	ESYS_TR nv;
	size_t i;
	int rc;

	*ret = HWEK_ECC;
	for (i = 0; i < VT_NELEM(certs); i++) {
		if ((rc = nv_there(h, certs[i].index, &nv)) < 0)
			return rc;
		if (rc == 0)
			continue;
		*ret = certs[i].ek;
		return hwtpm_check(
		    h, Esys_TR_Close(h->esys, &nv), "the EK's certificate");
	}
	return VT_OK;
}

/* DER, without what the index has behind it; 0 bytes if there is none. */
static int
read_ek_cert(struct hwtpm *h, uint8_t ek, uint8_t *out, size_t *ret_len)
{
	TPM2B_NV_PUBLIC *pub = NULL;
	TPM2B_MAX_NV_BUFFER *part;
	uint16_t size, at, n;
	ESYS_TR nv;
	int rc;

	*ret_len = 0;
	rc = nv_there(h, ek == HWEK_RSA ? NV_EK_RSA : NV_EK_ECC, &nv);
	if (rc <= 0)
		return rc;
	rc = hwtpm_check(h,
	    Esys_NV_ReadPublic(h->esys, nv, NONE, NONE, NONE, &pub, NULL),
	    "reading the EK's certificate");
	size = rc == VT_OK ? pub->nvPublic.dataSize : 0;
	Esys_Free(pub);
	if (size > EK_CERT_MAX)
		rc = hwtpm_fail(
		    h, VT_E_RANGE, "the EK's certificate has %u bytes", size);
	for (at = 0; rc == VT_OK && at < size; at = (uint16_t)(at + n)) {
		n = (uint16_t)(size - at < NV_PART ? size - at : NV_PART);
		rc = hwtpm_check(h,
		    Esys_NV_Read(h->esys, nv, nv, ESYS_TR_PASSWORD, NONE, NONE,
			n, at, &part),
		    "reading the EK's certificate");
		if (rc != VT_OK)
			break;
		memcpy(out + at, part->buffer, n);
		Esys_Free(part);
	}
	(void)Esys_TR_Close(h->esys, &nv);
	if (rc == VT_OK && size >= 4 && out[0] == 0x30 && out[1] == 0x82 &&
	    (size_t)be16_get(out + 2) + 4 <= size)
		*ret_len = (size_t)be16_get(out + 2) + 4;
	return rc;
}

static int
make_ek(struct hwtpm *h, uint8_t ek, TPM2B_PUBLIC **ret_pub, ESYS_TR *ret)
{
	const TPM2B_SENSITIVE_CREATE sens = { 0 };
	const TPML_PCR_SELECTION pcrs = { 0 };
	const TPM2B_DATA info = { 0 };
	TPM2B_PUBLIC in;
	TSS2_RC r;
	int rc;

	rc = ek == HWEK_RSA ? hwkeys_template(ek_rsa_hex, ek_rsa_hex_len, &in)
			    : hwkeys_template(ek_ecc_hex, ek_ecc_hex_len, &in);
	if (rc != VT_OK)
		return hwtpm_fail(h, rc, "EK template");
	r = Esys_CreatePrimary(h->esys, ESYS_TR_RH_ENDORSEMENT,
	    ESYS_TR_PASSWORD, NONE, NONE, &sens, &in, &info, &pcrs, ret,
	    ret_pub, NULL, NULL, NULL);
	return hwtpm_check(h, r, "making the endorsement key");
}

/* What the EK's policy asks for: the endorsement hierarchy's (empty) word. */
static int
ek_session(struct hwtpm *h, ESYS_TR *ret)
{
	const TPMT_SYM_DEF none = { .algorithm = TPM2_ALG_NULL };
	int rc;

	rc = hwtpm_check(h,
	    Esys_StartAuthSession(h->esys, NONE, NONE, NONE, NONE, NONE, NULL,
		TPM2_SE_POLICY, &none, TPM2_ALG_SHA256, ret),
	    "opening a session for the endorsement key");
	if (rc != VT_OK)
		return rc;
	rc = hwtpm_check(h,
	    Esys_PolicySecret(h->esys, ESYS_TR_RH_ENDORSEMENT, *ret,
		ESYS_TR_PASSWORD, NONE, NONE, NULL, NULL, NULL, 0, NULL, NULL),
	    "using the endorsement key");
	if (rc != VT_OK)
		hwkeys_flush(h, ret);
	return rc;
}

/* --- attestation keys ----------------------------------------------------- */

static int
create_ak(struct hwtpm *h, ESYS_TR ek, ESYS_TR shield, struct key_bytes *ret)
{
	TPM2B_SENSITIVE_CREATE sens = { 0 };
	const TPML_PCR_SELECTION pcrs = { 0 };
	const TPM2B_DATA info = { 0 };
	TPM2B_PRIVATE *priv = NULL;
	TPM2B_PUBLIC in, *pub = NULL;
	ESYS_TR policy = NONE;
	TSS2_RC r;
	int rc;

	if ((rc = hwkeys_template(hostak_hex, hostak_hex_len, &in)) != VT_OK)
		return hwtpm_fail(h, rc, "AK template");
	if ((rc = ek_session(h, &policy)) != VT_OK)
		return rc;
	sens.sensitive.userAuth = h->ak_auth;
	r = Esys_Create(h->esys, ek, policy, shield, NONE, &sens, &in, &info,
	    &pcrs, &priv, &pub, NULL, NULL, NULL);
	explicit_bzero(&sens, sizeof(sens));
	rc = hwtpm_check(h, r, "making an attestation key");
	hwkeys_flush(h, &policy);
	if (rc != VT_OK)
		return rc;
	rc = hwkeys_to_bytes(h, pub, priv, ret);
	Esys_Free(priv);
	Esys_Free(pub);
	return rc;
}

int
hwident_make_ak(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN],
    struct ident_bytes *ret)
{
	ESYS_TR ek = NONE;
	int rc;

	if ((rc = hwident_ready(h, master)) != VT_OK ||
	    (rc = choose_ek(h, &ret->ek)) != VT_OK ||
	    (rc = make_ek(h, ret->ek, NULL, &ek)) != VT_OK)
		return rc;
	/* h->session hides the new key's authorisation on the way. */
	rc = hwtpm_check(h,
	    Esys_TRSess_SetAttributes(h->esys, h->session,
		TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT, 0xff),
	    "preparing a session");
	if (rc == VT_OK)
		rc = create_ak(h, ek, h->session, &ret->ak);
	hwkeys_flush(h, &ek);
	return rc;
}

static int
load_ak(struct hwtpm *h, ESYS_TR ek, const uint8_t *pub, size_t pub_len,
    const uint8_t *priv, size_t priv_len, ESYS_TR *ret)
{
	static const char what[] = "loading an attestation key";
	TPM2B_PRIVATE in_priv;
	TPM2B_PUBLIC in_pub;
	ESYS_TR policy = NONE;
	int rc;

	rc = hwkeys_from_bytes(
	    h, pub, pub_len, priv, priv_len, what, &in_pub, &in_priv);
	if (rc != VT_OK || (rc = ek_session(h, &policy)) != VT_OK)
		return rc;
	rc = hwtpm_check(h,
	    Esys_Load(h->esys, ek, policy, NONE, NONE, &in_priv, &in_pub, ret),
	    what);
	hwkeys_flush(h, &policy);
	if (rc == VT_OK)
		rc = hwtpm_check(
		    h, Esys_TR_SetAuth(h->esys, *ret, &h->ak_auth), what);
	return rc;
}

int
hwident_load_under_ek(struct hwtpm *h, uint8_t ek_kind, const struct wblob *pub,
    const struct wblob *priv, ESYS_TR *ret)
{
	ESYS_TR ek = NONE;
	int rc;

	if ((rc = make_ek(h, ek_kind, NULL, &ek)) != VT_OK)
		return rc;
	rc = load_ak(h, ek, pub->p, pub->len, priv->p, priv->len, ret);
	hwkeys_flush(h, &ek);
	return rc;
}

/* The blob, if it has an AK. */
static int
blob_with_ak(struct hwtpm *h, struct hwblob *b)
{
	h->again = false;
	if (h->root == 0 || h->ca == NULL ||
	    hwblob_get(h->blob, h->blob_len, b) != VT_OK)
		return hwtpm_fail(h, VT_E_STATE, "no host keys are loaded");
	if (b->ek == HWEK_NONE)
		return hwtpm_fail(h, VT_E_UNSUPPORTED,
		    "this store was made before hosts had attestation keys: "
		    "it cannot vouch for guests with the host's TPM");
	return VT_OK;
}

static int
need_ak(struct hwtpm *h, struct hwblob *b)
{
	int rc;

	if ((rc = blob_with_ak(h, b)) != VT_OK || h->ak != NONE)
		return rc;
	return ak_context_load(h, b->ek, &b->ak_pub, &b->ak_priv, &h->ak);
}

/* --- the CA key, certified ------------------------------------------------ */

int
hwident_certify_ca(struct hwtpm *h, ESYS_TR *srk, const struct hwblob *b,
    struct ident_bytes *ret)
{
	static const char what[] = "certifying the CA key";
	const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
	const TPM2B_DATA none = { 0 };
	ESYS_TR session = NONE, auth = ESYS_TR_PASSWORD;
	TPM2B_ATTEST *attest = NULL;
	TPMT_SIGNATURE *sig = NULL;
	int rc = VT_OK;

	if (h->ca_auth != ESYS_TR_PASSWORD) {
		if ((rc = hwkeys_session(h, *srk, &session)) != VT_OK)
			return rc;
		auth = session;
		rc = hwtpm_check(h,
		    Esys_TRSess_SetAttributes(
			h->esys, session, TPMA_SESSION_CONTINUESESSION, 0xff),
		    what);
	}
	/* A TPM may have room for three objects: CA key, EK, AK. */
	hwkeys_flush(h, srk);
	if (rc == VT_OK)
		rc = hwident_load_under_ek(
		    h, b->ek, &b->ak_pub, &b->ak_priv, &h->ak);
	if (rc == VT_OK)
		rc = hwtpm_check(h,
		    Esys_Certify(h->esys, h->ca_key, h->ak, h->ca_auth, auth,
			NONE, &none, &scheme, &attest, &sig),
		    what);
	hwkeys_flush(h, &session);
	if (rc != VT_OK)
		return rc;
	ret->attest_len = attest->size;
	ret->sig_len = 0;
	if (attest->size <= sizeof(ret->attest))
		memcpy(ret->attest, attest->attestationData, attest->size);
	if (attest->size > sizeof(ret->attest) ||
	    Tss2_MU_TPMT_SIGNATURE_Marshal(sig, ret->sig, sizeof(ret->sig),
		&ret->sig_len) != TSS2_RC_SUCCESS)
		rc = hwtpm_fail(h, VT_E_RANGE, "%s: too long", what);
	Esys_Free(attest);
	Esys_Free(sig);
	return rc;
}

/* --- the requests --------------------------------------------------------- */

int
hwtpm_identity(struct hwtpm *h, struct hw_identity *ret)
{
	TPM2B_PUBLIC *pub = NULL;
	ESYS_TR ek = NONE;
	struct hwblob b;
	size_t len = 0;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if ((rc = blob_with_ak(h, &b)) != VT_OK ||
	    (rc = make_ek(h, b.ek, &pub, &ek)) != VT_OK)
		return rc;
	hwkeys_flush(h, &ek);
	if (Tss2_MU_TPM2B_PUBLIC_Marshal(
		pub, h->out[0], sizeof(h->out[0]), &len) != TSS2_RC_SUCCESS)
		rc = hwtpm_fail(h, VT_E_RANGE, "the EK is too long");
	Esys_Free(pub);
	ret->ek_pub.p = h->out[0];
	ret->ek_pub.len = (uint32_t)len;
	if (rc != VT_OK || (rc = read_ek_cert(h, b.ek, h->out[1], &len)) != 0)
		return rc;
	ret->ek_cert.p = len > 0 ? h->out[1] : NULL;
	ret->ek_cert.len = (uint32_t)len;
	ret->ak_pub = b.ak_pub;
	ret->ca_pub = b.ca_pub;
	ret->ca_cert = b.ca_cert;
	ret->ca_attest = b.ca_attest;
	ret->ca_sig = b.ca_sig;
	return VT_OK;
}

/* What h->session, which is salted, hides besides proving an authorisation. */
static int
session_hides(struct hwtpm *h, TPMA_SESSION what)
{
	if (h->ca_auth == ESYS_TR_PASSWORD) /* a software root: no bus */
		return VT_OK;
	return hwtpm_check(h,
	    Esys_TRSess_SetAttributes(
		h->esys, h->session, TPMA_SESSION_CONTINUESESSION | what, 0xff),
	    "preparing a session");
}

int
hwtpm_activate(struct hwtpm *h, const struct hw_activate *req, uint8_t *secret,
    size_t *ret_len)
{
	static const char what[] = "activating the credential";
	TPM2B_ID_OBJECT id = { 0 };
	TPM2B_ENCRYPTED_SECRET enc = { 0 };
	ESYS_TR ek = NONE, policy = NONE;
	TPM2B_DIGEST *out = NULL;
	size_t a = 0, b = 0;
	struct hwblob blob;
	TSS2_RC r;
	int rc;

	if (Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(req->credential.p,
		req->credential.len, &a, &id) != TSS2_RC_SUCCESS ||
	    a != req->credential.len ||
	    Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(
		req->secret.p, req->secret.len, &b, &enc) != TSS2_RC_SUCCESS ||
	    b != req->secret.len)
		return hwtpm_fail(h, VT_E_FORMAT,
		    "the challenge is not a credential for a TPM");
	if ((rc = need_ak(h, &blob)) != VT_OK ||
	    (rc = make_ek(h, blob.ek, NULL, &ek)) != VT_OK)
		return rc;
	if ((rc = ek_session(h, &policy)) == VT_OK &&
	    (rc = session_hides(h, TPMA_SESSION_ENCRYPT)) == VT_OK) {
		r = Esys_ActivateCredential(h->esys, h->ak, ek, h->ca_auth,
		    policy, NONE, &id, &enc, &out);
		rc = hwtpm_check(h, r, what);
		if (rc == VT_E_TPM && !h->again)
			rc = hwtpm_fail(h, VT_E_AUTH,
			    "this challenge was not made for this TPM and the "
			    "AK of this host");
		/* TPM2_Sign and the like have nothing that can be hidden. */
		if (session_hides(h, 0) != VT_OK && rc == VT_OK)
			rc = VT_E_TPM;
	}
	hwkeys_flush(h, &policy);
	hwkeys_flush(h, &ek);
	if (rc != VT_OK) {
		Esys_Free(out);
		return rc;
	}
	*ret_len = out->size;
	memcpy(secret, out->buffer, out->size);
	explicit_bzero(out, sizeof(*out));
	Esys_Free(out);
	return VT_OK;
}

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

/* `ak` as a group's administrator gets it: be16 length + public, private. */
int
hwtpm_ak(struct hwtpm *h, const struct hw_ak *req, struct hw_aked *ret)
{
	struct key_bytes key;
	ESYS_TR ek = NONE;
	struct ca_der der;
	struct hwblob b;
	struct wr w;
	int rc;

	memset(ret, 0, sizeof(*ret));
	/* Room for three objects: CA key, EK, the new AK. */
	hwkeys_flush(h, &h->ak);
	if ((rc = blob_with_ak(h, &b)) != VT_OK ||
	    (rc = make_ek(h, b.ek, NULL, &ek)) != VT_OK)
		return rc;
	rc = create_ak(h, ek, NONE, &key);
	hwkeys_flush(h, &ek);
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
		if ((rc = need_ak(h, &b)) == VT_OK)
			*ret_pub = b.ak_pub;
		return rc;
	}
	if (req->group == 0)
		return hwtpm_fail(h, VT_E_PROTO,
		    "group 0 quotes with the "
		    "host's own AK only");
	rd_init(&r, req->ak.p, req->ak.len);
	pub.p = rd_blob16(&r, HWBLOB_KEY_MAX, &n);
	pub.len = (uint32_t)n;
	priv.p = rd_blob16(&r, HWBLOB_KEY_MAX, &n);
	priv.len = (uint32_t)n;
	if ((rc = rd_end(&r)) != VT_OK)
		return hwtpm_fail(
		    h, rc, "the AK of group %u is damaged", req->group);
	if ((rc = blob_with_ak(h, &b)) != VT_OK)
		return rc;
	*ret_pub = pub;
	return ak_context_load(h, b.ek, &pub, &priv, own);
}

/*
 * Certificates of host AKs are short-lived and renewed while all is well: one
 * is issued when its key is used and the last one is no longer fresh.  Only
 * for a key that this TPM has just loaded under its EK.
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
	if (c == NULL || now_us() - c->at_us >= AK_CERT_FRESH_US) {
		c = c != NULL ? c : old;
		c->der.len = 0;
		c->at_us = 0;
		rc = certify_ak(
		    h, group, pub->p, pub->len, AK_CERT_SECONDS, &c->der);
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
	TPML_PCR_SELECTION sel = { .count = 1 };
	TPM2B_ATTEST *attest = NULL;
	TPMT_SIGNATURE *sig = NULL;
	size_t len = 0;
	int i, rc;

	memcpy(extra.buffer, req->extra, sizeof(req->extra));
	sel.pcrSelections[0].hash = req->bank;
	sel.pcrSelections[0].sizeofSelect = 3;
	for (i = 0; i < 3; i++)
		sel.pcrSelections[0].pcrSelect[i] =
		    (uint8_t)(req->pcrs >> (8 * i));
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
hwtpm_quote(struct hwtpm *h, const struct hw_quote *req, struct hw_quoted *ret)
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
		rc = hwident_check_quote(h, &pub, req, ret);
	hwkeys_flush(h, &own);
	if (rc != VT_OK)
		return rc;
	ret->ak_cert.p = cert->buf;
	ret->ak_cert.len = (uint32_t)cert->len;
	ret->us = (uint32_t)(now_us() - t0);
	return VT_OK;
}

/* --- the host's PCRs ------------------------------------------------------ */

static int
read_bank(struct hwtpm *h, struct pcr_set *set, uint16_t alg)
{
	TPML_PCR_SELECTION sel, *got;
	TPML_DIGEST *vals;
	uint32_t todo = 0xffffff, i, k, mask;
	int rc = VT_OK;

	while (todo != 0 && rc == VT_OK) {
		memset(&sel, 0, sizeof(sel));
		sel.count = 1;
		sel.pcrSelections[0].hash = alg;
		sel.pcrSelections[0].sizeofSelect = 3;
		for (i = 0; i < 3; i++)
			sel.pcrSelections[0].pcrSelect[i] =
			    (uint8_t)(todo >> (8 * i));
		rc = hwtpm_check(h,
		    Esys_PCR_Read(
			h->esys, NONE, NONE, NONE, &sel, NULL, &got, &vals),
		    "reading the host's PCRs");
		if (rc != VT_OK)
			return rc;
		mask = got->count == 1
			   ? got->pcrSelections[0].pcrSelect[0] |
				 (uint32_t)got->pcrSelections[0].pcrSelect[1]
				     << 8 |
				 (uint32_t)got->pcrSelections[0].pcrSelect[2]
				     << 16
			   : 0;
		if ((mask & todo) == 0)
			todo = 0;
		for (i = k = 0; i < 24 && k < vals->count && rc == VT_OK; i++)
			if (mask >> i & 1)
				rc = pcr_put(
				    set, alg, i, vals->digests[k++].buffer);
		todo &= ~mask;
		Esys_Free(got);
		Esys_Free(vals);
	}
	return rc;
}

int
hwtpm_read_pcrs(struct hwtpm *h, struct pcr_set *ret)
{
	TPMS_CAPABILITY_DATA *cap;
	TPML_PCR_SELECTION *banks;
	uint16_t algs[PCR_MAX_BANKS];
	uint32_t i, n = 0;
	TPMI_YES_NO more;
	int rc;

	rc = hwtpm_check(h,
	    Esys_GetCapability(
		h->esys, NONE, NONE, NONE, TPM2_CAP_PCRS, 0, 1, &more, &cap),
	    "asking for the host's PCRs");
	if (rc != VT_OK)
		return rc;
	banks = &cap->data.assignedPCR;
	for (i = 0; i < banks->count && n < VT_NELEM(algs); i++)
		if (banks->pcrSelections[i].pcrSelect[0] != 0 &&
		    digest_len(banks->pcrSelections[i].hash) > 0)
			algs[n++] = banks->pcrSelections[i].hash;
	Esys_Free(cap);
	if ((rc = pcr_set_init(ret, algs, n)) != VT_OK)
		return hwtpm_fail(h, rc, "the host's PCR banks");
	for (i = 0; i < n; i++)
		if ((rc = read_bank(h, ret, algs[i])) != VT_OK)
			return rc;
	return VT_OK;
}

int
hwtpm_pcrs(struct hwtpm *h, struct wr *w)
{
	struct pcr_set set;
	int rc;

	h->again = false;
	if ((rc = hwtpm_read_pcrs(h, &set)) != VT_OK)
		return rc;
	pcr_set_encode(w, &set);
	return wr_err(w);
}
