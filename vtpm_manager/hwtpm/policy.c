/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy.c - the policy of the sealed master key: PolicyAuthorize by the
 * approval key over PolicyPCR and PolicyNV of the epoch counter
 * (measure/host/approval.h).
 *
 * The TPM decides.  The checks here only select the approval to present, or
 * find out what to tell the operator when none matches.
 */
#include "vtpm_manager/hwtpm/policy.h"

#include <openssl/ecdsa.h>

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/util.h"
#include "measure/host/approval.h"
#include "vtpm_manager/hwtpm/key_object.h"
#include "vtpm_manager/hwtpm/nv_counter.h"
#include "vtpm_manager/hwtpm/pcrs.h"

#define NONE ESYS_TR_NONE
#define COORD_LEN 32

void
hwpolicy_clear(struct hwtpm *h)
{
	uint32_t i;

	for (i = 0; i < h->napprovals; i++) {
		free(h->approvals[i].p);
		h->approvals[i].p = NULL;
	}
	h->napprovals = 0;
}

int
hwpolicy_set(struct hwtpm *h, uint32_t n, const struct wblob *approvals)
{
	uint32_t i;

	hwpolicy_clear(h);
	for (i = 0; i < n; i++) {
		uint8_t *copy = malloc(approvals[i].len + 1);

		if (copy == NULL)
			return hwtpm_fail(
			    h, VT_E_NOMEM, "%s", vt_strerror(VT_E_NOMEM));
		if (approvals[i].len > 0)
			memcpy(copy, approvals[i].p, approvals[i].len);
		h->approvals[i].p = copy;
		h->approvals[i].len = approvals[i].len;
		h->napprovals = i + 1;
	}
	return VT_OK;
}

bool
hwpolicy_bound(const struct hwtpm *h)
{
	struct hwblob b;

	return h->blob != NULL &&
	       hwblob_get(h->blob, h->blob_len, &b) == VT_OK &&
	       b.policy == HWPOL_APPROVED;
}

int
hwpolicy_template(
    struct hwtpm *h, const struct wblob *approval_key, TPM2B_PUBLIC *in)
{
	TPMT_PUBLIC *pub = &in->publicArea;
	int rc;

	pub->objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_USERWITHAUTH;
	pub->authPolicy.size = SHA256_LEN;
	rc = approval_auth_policy(approval_key->p, 0, pub->authPolicy.buffer);
	return rc == VT_OK
		   ? rc
		   : hwtpm_fail(h, rc, "the approval key: %s", vt_strerror(rc));
}

int
hwpolicy_refused(struct hwtpm *h)
{
	char was[HW_TEXT_LEN];

	memcpy(was, h->text, sizeof(was));
	return hwtpm_fail(h, VT_E_POLICY,
	    "the TPM does not accept the host's state as an approved one "
	    "(%.160s)",
	    was);
}

/* --- which approval ------------------------------------------------------- */

struct choice {
	struct pcr_set now;
	uint64_t epoch;
	struct approval best; /* the newest that matches */
	bool found;
	unsigned int differ; /* PCRs by which the nearest mismatch differs */
	unsigned int dead, foreign;
};

static unsigned int
count_differing(const struct approval *a, const struct pcr_set *now)
{
	const struct pcr_bank *b = &a->pcrs.banks[0];
	unsigned int n = 0;
	uint32_t i;

	for (i = 0; i < PCR_COUNT; i++) {
		const uint8_t *val = pcr_get(now, b->alg, i);

		if ((b->valid >> i & 1) != 0 &&
		    (val == NULL || !mem_equal(val, b->val[i], b->len)))
			n++;
	}
	return n;
}

/* It is for this host, by its approval key. */
static bool
is_ours(const struct approval *a, const struct hwblob *b)
{
	char text[160];

	return a->group == 0 &&
	       mem_equal(a->epoch_name, b->nv[HWC_EPOCH - 1].name.p,
		   sizeof(a->epoch_name)) &&
	       approval_verify(a, b->approval_key.p) == VT_OK &&
	       approval_check(a, text, sizeof(text)) == VT_OK;
}

/* Sets h->text if it is the nearest mismatch so far. */
static void
look_at(struct hwtpm *h, const struct approval *a, struct choice *c)
{
	char text[HW_TEXT_LEN];
	unsigned int n;

	if (a->epoch < c->epoch) {
		c->dead++;
		return;
	}
	if (approval_compare(a, &c->now, text, sizeof(text)) == VT_OK) {
		if (!c->found || a->sequence > c->best.sequence)
			c->best = *a;
		c->found = true;
		return;
	}
	n = count_differing(a, &c->now);
	if (c->differ != 0 && n >= c->differ)
		return;
	c->differ = n;
	(void)hwtpm_fail(h, VT_E_POLICY,
	    "the host is in no approved state; nearest is '%s' (sequence "
	    "%llu): %.170s",
	    a->label, (unsigned long long)a->sequence, text);
}

static int
choose(struct hwtpm *h, const struct hwblob *b, struct choice *c)
{
	struct approval a;
	uint32_t i;
	int rc;

	memset(c, 0, sizeof(*c));
	if ((rc = hwpcrs_read(h, &c->now)) != VT_OK ||
	    (rc = hwnv_open(h, b, HWC_EPOCH)) != VT_OK ||
	    (rc = hwnv_read(h, HWC_EPOCH, h->session, &c->epoch)) != VT_OK)
		return rc;
	for (i = 0; i < h->napprovals; i++) {
		if (approval_get(h->approvals[i].p, h->approvals[i].len, &a) !=
			VT_OK ||
		    !is_ours(&a, b))
			c->foreign++;
		else
			look_at(h, &a, c);
	}
	if (c->found)
		return VT_OK;
	if (c->differ != 0)
		return VT_E_POLICY; /* look_at() said why */
	if (c->dead != 0)
		return hwtpm_fail(h, VT_E_POLICY,
		    "all %u approvals of host states are void: the epoch is "
		    "%llu now, they were made for earlier ones",
		    c->dead, (unsigned long long)c->epoch);
	return hwtpm_fail(h, VT_E_POLICY,
	    "no state of this host was approved%s; approve one with "
	    "\"vtpmctl host approve\"",
	    c->foreign != 0
		? " (there are approvals by another key or for another TPM)"
		: "");
}

/* --- the session ---------------------------------------------------------- */

static int
open_session(struct hwtpm *h, ESYS_TR srk, ESYS_TR *ret)
{
	const TPMT_SYM_DEF aes = { .algorithm = TPM2_ALG_AES,
		.keyBits.aes = 128,
		.mode.aes = TPM2_ALG_CFB };

	return hwtpm_check(h,
	    Esys_StartAuthSession(h->esys, srk, NONE, NONE, NONE, NONE, NULL,
		TPM2_SE_POLICY, &aes, TPM2_ALG_SHA256, ret),
	    "opening a policy session");
}

static int
state_policy(struct hwtpm *h, ESYS_TR policy, const struct approval *a)
{
	static const char what[] = "proving the host's state";
	const struct pcr_bank *bank = &a->pcrs.banks[0];
	struct pcr_sel want = { .n = 1,
		.banks[0] = { bank->alg, bank->valid } };
	TPML_PCR_SELECTION sel;
	TPM2B_DIGEST digest = { .size = SHA256_LEN };
	TPM2B_OPERAND operand = { .size = 8 };
	int rc;

	hwpcrs_select(&sel, bank->alg, bank->valid);
	rc = pcr_digest(&a->pcrs, &want, ALG_SHA256, digest.buffer);
	if (rc != VT_OK)
		return hwtpm_fail(h, rc, "%s", what);
	be64_put(operand.buffer, a->epoch);
	rc = hwtpm_check(h,
	    Esys_PolicyPCR(h->esys, policy, NONE, NONE, NONE, &digest, &sel),
	    what);
	if (rc != VT_OK)
		return rc;
	return hwtpm_check(h,
	    Esys_PolicyNV(h->esys, ESYS_TR_RH_OWNER, h->nv[HWC_EPOCH - 1],
		policy, h->session, NONE, NONE, &operand, 0,
		TPM2_EO_UNSIGNED_LE),
	    what);
}

static int
der_to_tpm(const uint8_t *der, size_t len, TPMT_SIGNATURE *ret)
{
	TPMS_SIGNATURE_ECC *e = &ret->signature.ecdsa;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	int rc = VT_E_FORMAT;

	memset(ret, 0, sizeof(*ret));
	ret->sigAlg = TPM2_ALG_ECDSA;
	e->hash = TPM2_ALG_SHA256;
	e->signatureR.size = e->signatureS.size = COORD_LEN;
	if (sig != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), e->signatureR.buffer,
		COORD_LEN) == COORD_LEN &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), e->signatureS.buffer,
		COORD_LEN) == COORD_LEN)
		rc = VT_OK;
	ECDSA_SIG_free(sig);
	return rc;
}

/* Have the TPM verify the approval key's signature. */
static int
verify(struct hwtpm *h, const struct hwblob *b, const struct approval *a,
    const TPM2B_DIGEST *state, TPM2B_NAME *ret_name, TPMT_TK_VERIFIED **ret)
{
	static const char what[] = "verifying the approval";
	const struct iov_part parts[] = { { state->buffer, state->size },
		{ APPROVAL_REF, strlen(APPROVAL_REF) } };
	TPM2B_DIGEST msg = { .size = SHA256_LEN };
	uint8_t pub[128];
	TPM2B_PUBLIC in;
	TPMT_SIGNATURE sig;
	TPM2B_NAME *name = NULL;
	ESYS_TR key = NONE;
	size_t len = 0;
	int rc;

	if ((rc = digest_parts(ALG_SHA256, parts, 2, msg.buffer)) != VT_OK ||
	    (rc = approval_key_public(
		 b->approval_key.p, pub, sizeof(pub), &len)) != VT_OK ||
	    (rc = hwkey_template(pub, len, &in)) != VT_OK ||
	    (rc = der_to_tpm(a->policy_sig, a->policy_sig_len, &sig)) != VT_OK)
		return hwtpm_fail(h, rc, "%s: %s", what, vt_strerror(rc));
	rc = hwtpm_check(h,
	    Esys_LoadExternal(
		h->esys, NONE, NONE, NONE, NULL, &in, ESYS_TR_RH_OWNER, &key),
	    what);
	if (rc == VT_OK)
		rc = hwtpm_check(h, Esys_TR_GetName(h->esys, key, &name), what);
	if (rc == VT_OK) {
		*ret_name = *name;
		Esys_Free(name);
		rc = hwtpm_check(h,
		    Esys_VerifySignature(
			h->esys, key, NONE, NONE, NONE, &msg, &sig, ret),
		    what);
	}
	hwtpm_flush(h, &key); /* its room is needed */
	return rc;
}

static int
authorize(struct hwtpm *h, ESYS_TR policy, const struct hwblob *b,
    const struct approval *a)
{
	TPM2B_NONCE ref = { .size = (UINT16)strlen(APPROVAL_REF) };
	TPM2B_DIGEST state = { .size = SHA256_LEN };
	TPMT_TK_VERIFIED *ticket = NULL;
	TPM2B_NAME name;
	int rc;

	memcpy(ref.buffer, APPROVAL_REF, ref.size);
	if ((rc = approval_policy(a, state.buffer)) != VT_OK)
		return hwtpm_fail(h, rc, "the approval: %s", vt_strerror(rc));
	if ((rc = verify(h, b, a, &state, &name, &ticket)) != VT_OK)
		return rc;
	rc = hwtpm_check(h,
	    Esys_PolicyAuthorize(
		h->esys, policy, NONE, NONE, NONE, &state, &ref, &name, ticket),
	    "using the approval");
	Esys_Free(ticket);
	return rc;
}

int
hwpolicy_session(
    struct hwtpm *h, ESYS_TR srk, const struct hwblob *b, ESYS_TR *ret)
{
	struct choice c;
	int rc;

	/* For reading and for PolicyNV, which have no secrets. */
	rc = hwtpm_session_use(h, h->session, 0);
	if (rc != VT_OK || (rc = choose(h, b, &c)) != VT_OK ||
	    (rc = open_session(h, srk, ret)) != VT_OK)
		return rc;
	if ((rc = state_policy(h, *ret, &c.best)) == VT_OK)
		rc = authorize(h, *ret, b, &c.best);
	if (rc == VT_E_TPM && !h->again)
		rc = hwpolicy_refused(h);
	if (rc == VT_OK)
		rc = hwtpm_session_use(h, h->session, HW_HIDE_BOTH);
	if (rc != VT_OK)
		hwtpm_flush(h, ret);
	return rc;
}
