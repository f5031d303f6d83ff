/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * keys.c - the host's keys: under the storage key lie the sealed master key
 * and the CA's signing key.  Using the CA key requires a value derived from
 * the master key, so whatever withholds the master key withholds the CA too,
 * and with it the day's issuing key.
 */
#include "vtpm_manager/hwtpm/keys.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/util.h"
#include "measure/cert/cert_extension.h"
#include "vtpm_manager/hwtpm/attestation_key.h"
#include "vtpm_manager/hwtpm/certificates.h"
#include "vtpm_manager/hwtpm/identity.h"
#include "vtpm_manager/hwtpm/nv_counter.h"
#include "vtpm_manager/hwtpm/policy.h"

#include "vtpm_manager/hwtpm/embed/cakey_hex.h"
#include "vtpm_manager/hwtpm/embed/seal_hex.h"

#define NONE ESYS_TR_NONE

static const char auth_label[] = "vTPM manager CA key authorisation";

void
hwkeys_unload(struct hwtpm *h)
{
	hwak_unload(h);
	hwnv_unload(h);
	hwtpm_flush(h, &h->ca_key);
	hwtpm_flush(h, &h->session);
	ca_free(h->issuing);
	ca_free(h->ca);
	h->issuing = h->ca = NULL;
}

/* --- making keys --------------------------------------------------------- */

/* From the TPM, over an encrypted session, and from the kernel: an attacker
 * who controls one of them does not know the key. */
static int
make_master(struct hwtpm *h, ESYS_TR session, uint8_t out[HW_MASTER_LEN])
{
	static const char label[] = "vTPM manager master key";
	uint8_t tpm[HW_MASTER_LEN], kernel[HW_MASTER_LEN];
	const struct iov_part parts[] = { { label, sizeof(label) },
		{ tpm, sizeof(tpm) }, { kernel, sizeof(kernel) } };
	int rc;

	/* GetRandom has no parameter to encrypt, and the session authorises
	 * nothing. */
	rc = hwtpm_session_use(h, session, TPMA_SESSION_ENCRYPT);
	if (rc == VT_OK)
		rc = hwtpm_random_part(h, session, tpm, sizeof(tpm));
	if (rc == VT_OK)
		rc = hwtpm_session_use(h, session, HW_HIDE_BOTH);
	if (rc == VT_OK &&
	    ((rc = random_bytes(kernel, sizeof(kernel))) != VT_OK ||
		(rc = digest_parts(ALG_SHA256, parts, VT_NELEM(parts), out)) !=
		    VT_OK))
		rc = hwtpm_fail(h, rc, "master key: %s", vt_strerror(rc));
	explicit_bzero(tpm, sizeof(tpm));
	explicit_bzero(kernel, sizeof(kernel));
	return rc;
}

int
hwkeys_seal(struct hwtpm *h, ESYS_TR srk, const struct wblob *approval_key,
    const uint8_t master[HW_MASTER_LEN], struct key_bytes *ret)
{
	TPM2B_SENSITIVE_CREATE sens = { 0 };
	TPM2B_PUBLIC in;
	int rc;

	if ((rc = hwkey_template(seal_hex, seal_hex_len, &in)) != VT_OK)
		return hwtpm_fail(h, rc, "template of the sealed master key");
	if (approval_key->len != 0 &&
	    (rc = hwpolicy_template(h, approval_key, &in)) != VT_OK)
		return rc;
	sens.sensitive.data.size = HW_MASTER_LEN;
	memcpy(sens.sensitive.data.buffer, master, HW_MASTER_LEN);
	rc = hwkey_create(h, srk, h->session, NONE, &sens, &in,
	    "sealing the master key", ret);
	explicit_bzero(&sens, sizeof(sens));
	return rc;
}

static int
ca_auth(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN], TPM2B_AUTH *ret)
{
	return hwkey_auth(h, master, auth_label, sizeof(auth_label), ret);
}

static int
make_ca_key(struct hwtpm *h, ESYS_TR srk, ESYS_TR session,
    const uint8_t master[HW_MASTER_LEN], struct key_bytes *ret)
{
	TPM2B_SENSITIVE_CREATE sens = { 0 };
	TPM2B_PUBLIC in;
	int rc;

	if ((rc = hwkey_template(cakey_hex, cakey_hex_len, &in)) != VT_OK)
		return hwtpm_fail(h, rc, "template of the CA key");
	rc = ca_auth(h, master, &sens.sensitive.userAuth);
	if (rc == VT_OK)
		rc = hwkey_create(h, srk, session, NONE, &sens, &in,
		    "making the CA key", ret);
	explicit_bzero(&sens, sizeof(sens));
	return rc;
}

/* --- loading keys -------------------------------------------------------- */

static int
load(struct hwtpm *h, ESYS_TR srk, ESYS_TR session, const uint8_t *pub,
    size_t pub_len, const uint8_t *priv, size_t priv_len, const char *what,
    ESYS_TR *ret)
{
	TPM2B_PRIVATE in_priv;
	TPM2B_PUBLIC in_pub;
	TSS2_RC r;
	int rc;

	rc = hwkey_from_bytes(
	    h, pub, pub_len, priv, priv_len, what, &in_pub, &in_priv);
	if (rc != VT_OK)
		return rc;
	r = Esys_Load(
	    h->esys, srk, session, NONE, NONE, &in_priv, &in_pub, ret);
	/* A format-one code about a parameter: Part 2, 6.6.3. */
	if ((r & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER &&
	    (r & TPM2_RC_FMT1) != 0 && (r & TPM2_RC_P) != 0)
		return hwtpm_fail(h, VT_E_CORRUPT,
		    "%s: the TPM rejects the stored host keys as changed or "
		    "not its own: restore the store from a backup",
		    what);
	return hwtpm_check(h, r, what);
}

static int
unseal(struct hwtpm *h, ESYS_TR srk, const struct hwblob *b,
    uint8_t master[HW_MASTER_LEN])
{
	TPM2B_SENSITIVE_DATA *data;
	ESYS_TR tr = NONE, policy = NONE;
	int rc;

	if (b->policy == HWPOL_APPROVED &&
	    (rc = hwpolicy_session(h, srk, b, &policy)) != VT_OK)
		return rc;
	rc = load(h, srk, h->session, b->master_pub.p, b->master_pub.len,
	    b->master_priv.p, b->master_priv.len, "loading the master key",
	    &tr);
	if (rc != VT_OK) {
		hwtpm_flush(h, &policy);
		return rc;
	}
	/* TPM2_Unseal has no parameter to encrypt. */
	rc = hwtpm_session_use(h, h->session, TPMA_SESSION_ENCRYPT);
	if (rc == VT_OK)
		rc = hwtpm_check(h,
		    policy == NONE ? Esys_Unseal(h->esys, tr, h->session, NONE,
					 NONE, &data)
				   : Esys_Unseal(h->esys, tr, policy,
					 h->session, NONE, &data),
		    "unsealing the master key");
	if (rc != VT_OK && policy != NONE && !h->again)
		rc = hwpolicy_refused(h);
	hwtpm_flush(h, &tr);
	hwtpm_flush(h, &policy);
	if (rc != VT_OK)
		return rc;
	if (data->size == HW_MASTER_LEN)
		memcpy(master, data->buffer, HW_MASTER_LEN);
	else
		rc = hwtpm_fail(h, VT_E_CORRUPT,
		    "unsealing the master key: wrong length (%u bytes)",
		    data->size);
	explicit_bzero(data, sizeof(*data));
	Esys_Free(data);
	return rc;
}

/*
 * A hardware TPM sits on a bus that can be tapped, so there the CA key is used
 * in the salted session; TPM2_Sign's answer cannot be encrypted.  A software
 * root is reached through this host's memory: a password suffices, and is
 * three times as fast.
 */
static int
choose_auth(struct hwtpm *h, uint8_t root)
{
	if (root == ROOT_SOFT) {
		hwtpm_flush(h, &h->session);
		h->ca_auth = ESYS_TR_PASSWORD;
		return VT_OK;
	}
	h->ca_auth = h->session;
	return hwtpm_session_use(h, h->session, 0);
}

static int
ready_ca_key(struct hwtpm *h, ESYS_TR srk, const struct hwblob *b,
    const uint8_t master[HW_MASTER_LEN])
{
	TPM2B_AUTH auth = { 0 };
	int rc;

	rc = load(h, srk, h->session, b->ca_pub.p, b->ca_pub.len, b->ca_priv.p,
	    b->ca_priv.len, "loading the CA key", &h->ca_key);
	if (rc != VT_OK || (rc = ca_auth(h, master, &auth)) != VT_OK)
		return rc;
	rc = hwtpm_check(h, Esys_TR_SetAuth(h->esys, h->ca_key, &auth),
	    "preparing the CA key");
	explicit_bzero(&auth, sizeof(auth));
	return rc == VT_OK ? choose_auth(h, b->root) : rc;
}

static int
check_srk(struct hwtpm *h, ESYS_TR srk, const struct hwblob *b)
{
	TPM2B_NAME name;
	int rc;

	if ((rc = hwkey_name(h, srk, &name)) != VT_OK)
		return rc;
	if (name.size == b->srk_name.len &&
	    memcmp(name.name, b->srk_name.p, name.size) == 0)
		return VT_OK;
	return hwtpm_fail(h, VT_E_POLICY,
	    "the TPM at %s is not the one this store belongs to, or its owner "
	    "was cleared: nothing was changed; connect the right TPM or "
	    "restore a store of this one",
	    h->conf);
}

static int
open_ca(struct hwtpm *h, const struct hwblob *b)
{
	const struct ca_signer signer = { hwcerts_sign, h };
	int rc;

	rc = ca_open(&signer, b->ca_cert.p, b->ca_cert.len, b->ca_pub.p,
	    b->ca_pub.len, b->root, &h->ca);
	if (rc == VT_OK)
		return rc;
	return hwtpm_fail(h, rc == VT_E_POLICY ? rc : VT_E_CORRUPT,
	    "the stored CA certificate does not match its key (%s): restore "
	    "the store from a backup",
	    vt_strerror(rc));
}

static int
get_master(struct hwtpm *h, ESYS_TR srk, const struct hwblob *b,
    const uint8_t *known, uint8_t master[HW_MASTER_LEN])
{
	if (known == NULL)
		return unseal(h, srk, b, master);
	memcpy(master, known, HW_MASTER_LEN);
	return VT_OK;
}

static int
check_mac(struct hwtpm *h, const struct hwblob *b,
    const uint8_t master[HW_MASTER_LEN])
{
	uint8_t mac[HWBLOB_MAC_LEN];
	int rc;

	if (b->ek == HWEK_NONE)
		return VT_OK;
	rc = hwblob_mac(master, h->blob, h->blob_len, mac);
	if (rc == VT_OK && CRYPTO_memcmp(mac, b->mac.p, sizeof(mac)) != 0)
		rc = VT_E_CORRUPT;
	if (rc == VT_OK)
		return rc;
	return hwtpm_fail(h, rc,
	    "the stored host keys were changed: restore the store from a "
	    "backup");
}

static int
get_blob(struct hwtpm *h, const uint8_t *p, size_t len, struct hwblob *ret)
{
	int rc = hwblob_get(p, len, ret);

	if (rc == VT_OK)
		return VT_OK;
	return hwtpm_fail(h, VT_E_CORRUPT,
	    "the stored host keys are damaged (%s): restore the store from a "
	    "backup",
	    vt_strerror(rc));
}

int
hwkeys_load(
    struct hwtpm *h, const uint8_t *known, uint8_t master[HW_MASTER_LEN])
{
	ESYS_TR srk = NONE;
	struct hwblob b;
	int rc;

	hwkeys_unload(h);
	if ((rc = get_blob(h, h->blob, h->blob_len, &b)) != VT_OK)
		return rc;
	if ((rc = hwkey_srk(h, &srk)) != VT_OK)
		return rc;
	if ((rc = check_srk(h, srk, &b)) == VT_OK &&
	    (rc = hwkey_session(h, srk, &h->session)) == VT_OK &&
	    (rc = get_master(h, srk, &b, known, master)) == VT_OK &&
	    (rc = check_mac(h, &b, master)) == VT_OK &&
	    (rc = ready_ca_key(h, srk, &b, master)) == VT_OK &&
	    (rc = hwak_ready(h, master)) == VT_OK &&
	    (rc = hwnv_ready(h, master)) == VT_OK)
		rc = open_ca(h, &b);
	hwtpm_flush(h, &srk);
	if (rc != VT_OK) {
		explicit_bzero(master, HW_MASTER_LEN);
		hwkeys_unload(h);
	}
	return rc;
}

/* --- the requests -------------------------------------------------------- */

int
hwkeys_set_blob(struct hwtpm *h, const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		return hwtpm_fail(h, VT_E_NOMEM, "%s", vt_strerror(VT_E_NOMEM));
	if (len > 0)
		memcpy(copy, p, len);
	free(h->blob);
	h->blob = copy;
	h->blob_len = len;
	return VT_OK;
}

/* The CA certificate requires the CA key in the TPM, and the blob requires the
 * certificate. */
static int
certify_self(struct hwtpm *h, ESYS_TR srk, const struct hw_init *req,
    const uint8_t master[HW_MASTER_LEN], struct hwblob *b, struct ca_der *der)
{
	const struct ca_signer signer = { hwcerts_sign, h };
	int rc;

	if ((rc = ready_ca_key(h, srk, b, master)) != VT_OK)
		return rc;
	rc = ca_self_signed(
	    &signer, b->ca_pub.p, b->ca_pub.len, req->root, req->host, der);
	if (rc == VT_E_FORMAT)
		return hwtpm_fail(h, rc, "the host's name is not UTF-8 text");
	if (rc != VT_OK && h->text[0] == '\0')
		return hwtpm_fail(h, rc, "CA certificate: %s", vt_strerror(rc));
	b->ca_cert.p = der->buf;
	b->ca_cert.len = (uint32_t)der->len;
	return rc;
}

int
hwkeys_put_blob(struct hwtpm *h, const struct hwblob *b,
    const uint8_t master[HW_MASTER_LEN], struct wr *w)
{
	int rc;

	hwblob_put(w, b);
	if ((rc = wr_err(w)) == VT_OK)
		rc = hwblob_mac(
		    master, w->buf, w->len, w->buf + w->len - HWBLOB_MAC_LEN);
	return rc == VT_OK
		   ? rc
		   : hwtpm_fail(h, rc, "host keys: %s", vt_strerror(rc));
}

/* One recovered from escrow, or a new one. */
static int
new_master(
    struct hwtpm *h, const struct wblob *given, uint8_t master[HW_MASTER_LEN])
{
	if (given->len != HW_MASTER_LEN)
		return make_master(h, h->session, master);
	memcpy(master, given->p, HW_MASTER_LEN);
	return VT_OK;
}

static void
blob_key(struct wblob *pub, struct wblob *priv, const struct key_bytes *k)
{
	pub->p = k->pub;
	pub->len = (uint32_t)k->pub_len;
	priv->p = k->priv;
	priv->len = (uint32_t)k->priv_len;
}

static int
make_keys(struct hwtpm *h, ESYS_TR *srk, const struct hw_init *req,
    uint8_t master[HW_MASTER_LEN], struct wr *w)
{
	struct key_bytes sealed, ca;
	struct ident_bytes id;
	struct nv_bytes nv[HWBLOB_COUNTERS];
	uint8_t mac[HWBLOB_MAC_LEN] = { 0 };
	struct hwblob b = { .root = req->root,
		.policy =
		    req->approval_key.len != 0 ? HWPOL_APPROVED : HWPOL_NONE,
		.approval_key = req->approval_key };
	struct ca_der der;
	TPM2B_NAME name;
	int rc;

	if ((rc = hwkey_name(h, *srk, &name)) != VT_OK ||
	    (rc = hwkey_session(h, *srk, &h->session)) != VT_OK ||
	    (rc = new_master(h, &req->master, master)) != VT_OK)
		return rc;
	if ((rc = hwkeys_seal(h, *srk, &req->approval_key, master, &sealed)) !=
		VT_OK ||
	    (rc = make_ca_key(h, *srk, h->session, master, &ca)) != VT_OK ||
	    (rc = hwnv_make(h, master, nv)) != VT_OK ||
	    (rc = hwident_make_ak(h, master, &id)) != VT_OK)
		return rc;
	b.srk_name.p = name.name;
	b.srk_name.len = name.size;
	blob_key(&b.master_pub, &b.master_priv, &sealed);
	blob_key(&b.ca_pub, &b.ca_priv, &ca);
	if ((rc = certify_self(h, *srk, req, master, &b, &der)) != VT_OK)
		return rc;
	b.ek = id.ek;
	blob_key(&b.ak_pub, &b.ak_priv, &id.ak);
	if ((rc = hwident_certify_ca(h, srk, &b, &id)) != VT_OK)
		return rc;
	b.ca_attest.p = id.attest;
	b.ca_attest.len = (uint32_t)id.attest_len;
	b.ca_sig.p = id.sig;
	b.ca_sig.len = (uint32_t)id.sig_len;
	hwnv_to_blob(nv, &b);
	b.mac.p = mac;
	b.mac.len = sizeof(mac);
	return hwkeys_put_blob(h, &b, master, w);
}

/* What the manager gets, borrowed from h->blob. */
static void
show(const struct hwtpm *h, struct wblob *blob, struct wblob *cert)
{
	struct hwblob b;

	blob->p = h->blob;
	blob->len = (uint32_t)h->blob_len;
	if (hwblob_get(h->blob, h->blob_len, &b) == VT_OK)
		*cert = b.ca_cert;
}

int
hwkeys_init(struct hwtpm *h, const struct hw_init *req, struct hw_inited *ret)
{
	uint8_t buf[HOST_BLOB_MAX_LEN], master[HW_MASTER_LEN] = { 0 };
	ESYS_TR srk = NONE;
	struct wr w;
	int rc;

	if (h->root != 0)
		return hwtpm_fail(h, VT_E_STATE,
		    "this host already has keys; they are not replaced");
	wr_init(&w, buf, sizeof(buf));
	hwnv_clean(h); /* left by an attempt that a TPM reset cut short */
	if ((rc = hwkey_srk(h, &srk)) != VT_OK)
		return rc;
	rc = make_keys(h, &srk, req, master, &w);
	hwtpm_flush(h, &srk);
	hwkeys_unload(h);
	if (rc == VT_OK)
		rc = hwkeys_set_blob(h, buf, w.len);
	/* Give out only what loads again.  No state can be approved yet, since
	 * the epoch counter is new, so a bound master key is not unsealed
	 * here. */
	memset(ret, 0, sizeof(*ret));
	if (rc == VT_OK)
		rc = hwkeys_load(
		    h, req->approval_key.len != 0 ? master : NULL, ret->master);
	explicit_bzero(master, sizeof(master));
	if (rc != VT_OK) {
		hwnv_clean(h);
		return rc;
	}
	hwnv_settle(h);
	h->root = req->root;
	show(h, &ret->host_blob, &ret->ca_cert);
	return VT_OK;
}

int
hwkeys_restore(
    struct hwtpm *h, const struct hw_load *req, struct hw_loaded *ret)
{
	struct wblob blob;
	struct hwblob b;
	int rc;

	rc = get_blob(h, req->host_blob.p, req->host_blob.len, &b);
	if (rc != VT_OK)
		return rc;
	if (b.root != req->root)
		return hwtpm_fail(h, VT_E_POLICY,
		    "this store belongs to a %s, but the manager was started "
		    "with a %s: start it with the root that the store was made "
		    "with",
		    cert_ext_root_name(b.root), cert_ext_root_name(req->root));
	if ((rc = hwkeys_set_blob(h, req->host_blob.p, req->host_blob.len)) !=
		VT_OK ||
	    (rc = hwpolicy_set(h, req->n, req->approvals)) != VT_OK)
		return rc;
	h->root = 0;
	h->refused = false;
	memset(ret, 0, sizeof(*ret));
	if ((rc = hwkeys_load(h, NULL, ret->master)) != VT_OK)
		return rc;
	h->root = req->root;
	show(h, &blob, &ret->ca_cert);
	return VT_OK;
}
