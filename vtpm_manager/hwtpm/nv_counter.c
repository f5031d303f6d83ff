/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nv_counter.c - two counters in the NV memory of the host's TPM: the epoch,
 * which voids older approvals of host states, and the store's anchor.
 *
 * Any user of the owner hierarchy can read them; incrementing them requires a
 * value derived from the master key.  The host blob holds their Names.  An
 * index that is undefined and defined again has the same Name, but neither the
 * old value (Part 3, 31.3.1: a new counter starts above every counter there
 * was) nor the authorisation, so the next increment fails.
 */
#include "vtpm_manager/hwtpm/nv_counter.h"

#include <string.h>

#include "base/crypto.h"
#include "base/util.h"
#include "vtpm_manager/hwtpm/key_object.h"

#define NONE ESYS_TR_NONE
/* TCG Registry of Reserved TPM 2.0 Handles, 2.2: the owner's indices. */
#define OWNER_FIRST 0x01800000u
#define OWNER_MASK 0x003fffffu
#define TRIES 16
#define COUNTER_LEN 8
#define ATTRIBUTES                                                        \
	((TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT) | TPMA_NV_AUTHWRITE | \
	    TPMA_NV_AUTHREAD | TPMA_NV_OWNERREAD | TPMA_NV_NO_DA)

static const char nv_label[] = "vTPM manager counter authorisation";
static const char *const names[] = {
	[HWC_EPOCH] = "epoch", [HWC_ANCHOR] = "anchor"
};

int
hwnv_ready(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN])
{
	return hwkey_auth(h, master, nv_label, sizeof(nv_label), &h->nv_auth);
}

void
hwnv_unload(struct hwtpm *h)
{
	size_t i;

	for (i = 0; i < HWBLOB_COUNTERS; i++) {
		/* Sends no command: the index stays in the TPM. */
		if (h->nv[i] != NONE && h->esys != NULL)
			(void)Esys_TR_Close(h->esys, &h->nv[i]);
		h->nv[i] = NONE;
	}
}

/* --- making them ---------------------------------------------------------- */

/* *half is set while an index may exist that no blob names yet. */
static int
define(struct hwtpm *h, uint32_t *half, ESYS_TR *ret)
{
	TPM2B_NV_PUBLIC pub = { .nvPublic = { .nameAlg = TPM2_ALG_SHA256,
				    .attributes = ATTRIBUTES,
				    .dataSize = COUNTER_LEN } };
	uint8_t rnd[4];
	TSS2_RC r;
	int i, rc;

	for (i = 0; i < TRIES; i++) {
		if ((rc = random_bytes(rnd, sizeof(rnd))) != VT_OK)
			return hwtpm_fail(h, rc, "random bytes");
		pub.nvPublic.nvIndex =
		    OWNER_FIRST | (be32_get(rnd) & OWNER_MASK);
		*half = pub.nvPublic.nvIndex;
		r = Esys_NV_DefineSpace(h->esys, ESYS_TR_RH_OWNER, h->session,
		    NONE, NONE, &h->nv_auth, &pub, ret);
		if (r != TPM2_RC_NV_DEFINED)
			return hwtpm_check(h, r, "making a counter in the TPM");
		*half = 0; /* another owner's index */
	}
	return hwtpm_fail(h, VT_E_SPACE, "no free index for a counter");
}

/* Before its first increment an index has no value and not its final Name. */
static int
make_one(struct hwtpm *h, uint32_t *half, ESYS_TR *tr, struct nv_bytes *ret)
{
	static const char what[] = "making a counter in the TPM";
	TPM2B_NAME *name;
	int rc;

	if ((rc = hwtpm_session_use(h, h->session, TPMA_SESSION_DECRYPT)) !=
		VT_OK ||
	    (rc = define(h, half, tr)) != VT_OK ||
	    (rc = hwtpm_check(h, Esys_TR_SetAuth(h->esys, *tr, &h->nv_auth),
		 what)) != VT_OK ||
	    (rc = hwtpm_session_use(h, h->session, 0)) != VT_OK)
		return rc;
	rc = hwtpm_check(h,
	    Esys_NV_Increment(h->esys, *tr, *tr, h->session, NONE, NONE), what);
	if (rc != VT_OK)
		return rc;
	rc = hwtpm_check(h, Esys_TR_GetName(h->esys, *tr, &name), what);
	if (rc != VT_OK)
		return rc;
	ret->index = *half;
	if (name->size == sizeof(ret->name))
		memcpy(ret->name, name->name, sizeof(ret->name));
	else
		rc = hwtpm_fail(h, VT_E_RANGE, "%s: its Name", what);
	Esys_Free(name);
	return rc;
}

int
hwnv_make(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN],
    struct nv_bytes ret[HWBLOB_COUNTERS])
{
	size_t i;
	int rc;

	if ((rc = hwnv_ready(h, master)) != VT_OK)
		return rc;
	for (i = 0; i < HWBLOB_COUNTERS; i++) {
		ESYS_TR tr = NONE;

		rc = make_one(h, &h->nv_half[i], &tr, &ret[i]);
		if (tr != NONE)
			(void)Esys_TR_Close(h->esys, &tr);
		if (rc != VT_OK)
			return rc;
	}
	return hwtpm_session_use(h, h->session, HW_HIDE_BOTH);
}

void
hwnv_settle(struct hwtpm *h)
{
	memset(h->nv_half, 0, sizeof(h->nv_half));
}

/* Only an index with our attributes; the owner may undefine it without its
 * authorisation. */
static TSS2_RC
undefine(struct hwtpm *h, uint32_t index)
{
	TPM2B_NV_PUBLIC *pub = NULL;
	ESYS_TR tr;
	TSS2_RC r;

	r = Esys_TR_FromTPMPublic(h->esys, index, NONE, NONE, NONE, &tr);
	if (r != TSS2_RC_SUCCESS)
		return hwtpm_rc_is(r, TPM2_RC_HANDLE) ? TSS2_RC_SUCCESS : r;
	r = Esys_NV_ReadPublic(h->esys, tr, NONE, NONE, NONE, &pub, NULL);
	if (r == TSS2_RC_SUCCESS &&
	    (pub->nvPublic.attributes & ~TPMA_NV_WRITTEN) == ATTRIBUTES)
		r = Esys_NV_UndefineSpace(h->esys, ESYS_TR_RH_OWNER, tr,
		    ESYS_TR_PASSWORD, NONE, NONE);
	Esys_Free(pub);
	if (r != TSS2_RC_SUCCESS)
		(void)Esys_TR_Close(h->esys, &tr);
	return r;
}

void
hwnv_clean(struct hwtpm *h)
{
	size_t i;

	for (i = 0; i < HWBLOB_COUNTERS; i++) {
		if (h->esys == NULL || hwtcti_is_lost(h->tcti))
			return; /* the next attempt removes it */
		if (h->nv_half[i] != 0 &&
		    undefine(h, h->nv_half[i]) == TSS2_RC_SUCCESS)
			h->nv_half[i] = 0;
	}
}

void
hwnv_to_blob(const struct nv_bytes nv[HWBLOB_COUNTERS], struct hwblob *ret)
{
	size_t i;

	for (i = 0; i < HWBLOB_COUNTERS; i++) {
		ret->nv[i].index = nv[i].index;
		ret->nv[i].name.p = nv[i].name;
		ret->nv[i].name.len = sizeof(nv[i].name);
	}
}

/* --- using them ----------------------------------------------------------- */

static int
gone(struct hwtpm *h, uint32_t index, enum hw_which which, const char *how)
{
	return hwtpm_fail(h, VT_E_POLICY,
	    "the %s counter, NV index 0x%08x of the TPM at %s, %s since the "
	    "keys of this store were made: if you did that, see \"recovery\" "
	    "in vtpm-managerd(8)",
	    names[which], index, h->conf, how);
}

int
hwnv_open(struct hwtpm *h, const struct hwblob *b, enum hw_which which)
{
	const struct hwblob_nv *nv = &b->nv[which - 1];
	ESYS_TR tr = NONE;
	TPM2B_NAME *name;
	TSS2_RC r;
	int rc;

	if (h->nv[which - 1] != NONE)
		return VT_OK;
	if (nv->name.len == 0)
		return hwtpm_fail(h, VT_E_UNSUPPORTED,
		    "this store predates counters: \"vtpmctl host bind\" makes "
		    "them");
	r = Esys_TR_FromTPMPublic(h->esys, nv->index, NONE, NONE, NONE, &tr);
	if (hwtpm_rc_is(r, TPM2_RC_HANDLE))
		return gone(h, nv->index, which, "was removed");
	if ((rc = hwtpm_check(h, r, "looking for a counter")) != VT_OK)
		return rc;
	rc = hwtpm_check(
	    h, Esys_TR_GetName(h->esys, tr, &name), "looking for a counter");
	if (rc == VT_OK) {
		if (name->size != nv->name.len ||
		    memcmp(name->name, nv->name.p, name->size) != 0)
			rc = gone(h, nv->index, which, "was replaced");
		Esys_Free(name);
	}
	if (rc != VT_OK)
		(void)Esys_TR_Close(h->esys, &tr);
	else
		h->nv[which - 1] = tr;
	return rc;
}

/* Authorised by the owner.  In a salted session the response's HMAC covers the
 * index's Name, which proves that the pinned index was read. */
int
hwnv_read(struct hwtpm *h, enum hw_which which, ESYS_TR auth, uint64_t *ret)
{
	TPM2B_MAX_NV_BUFFER *data = NULL;
	int rc;

	rc = hwtpm_check(h,
	    Esys_NV_Read(h->esys, ESYS_TR_RH_OWNER, h->nv[which - 1], auth,
		NONE, NONE, COUNTER_LEN, 0, &data),
	    "reading a counter");
	if (rc != VT_OK)
		return rc;
	if (data->size == COUNTER_LEN)
		*ret = be64_get(data->buffer);
	else
		rc = hwtpm_fail(h, VT_E_TPM,
		    "a counter has a wrong length (%u bytes)", data->size);
	Esys_Free(data);
	return rc;
}

static int
count(struct hwtpm *h, const struct hwblob *b, enum hw_which which)
{
	ESYS_TR tr = h->nv[which - 1];
	TSS2_RC r;
	int rc;

	rc = hwtpm_check(h, Esys_TR_SetAuth(h->esys, tr, &h->nv_auth),
	    "preparing a counter");
	if (rc != VT_OK)
		return rc;
	r = Esys_NV_Increment(h->esys, tr, tr, h->ca_auth, NONE, NONE);
	/* The authorisation is ours alone and exempt from lockout. */
	if (hwtpm_rc_is(r, TPM2_RC_BAD_AUTH) ||
	    hwtpm_rc_is(r, TPM2_RC_AUTH_FAIL))
		return gone(h, b->nv[which - 1].index, which, "was replaced");
	return hwtpm_check(h, r, "incrementing a counter in the TPM");
}

int
hwnv_count(struct hwtpm *h, const struct hw_counter *req, uint64_t *ret)
{
	enum hw_which which = (enum hw_which)req->which;
	struct hwblob b;
	uint64_t v = 0;
	int rc;

	if ((rc = hwtpm_blob(h, &b)) != VT_OK ||
	    (rc = hwnv_open(h, &b, which)) != VT_OK ||
	    (rc = hwnv_read(h, which, h->ca_auth, &v)) != VT_OK)
		return rc;
	if (req->expect != 0 && v != req->expect &&
	    !(req->increment != 0 && v == req->expect + 1))
		return hwtpm_fail(h, VT_E_STALE,
		    "the %s counter is %llu, not %llu", names[which],
		    (unsigned long long)v, (unsigned long long)req->expect);
	if (req->increment != 0 && (req->expect == 0 || v == req->expect)) {
		if ((rc = count(h, &b, which)) != VT_OK)
			return rc;
		v++;
	}
	*ret = v;
	return VT_OK;
}

/* Before the keys are loaded there is no session to read it in; then it only
 * serves messages and advice. */
int
hwnv_epoch(struct hwtpm *h, uint64_t *ret)
{
	struct hwblob b;
	int rc;

	*ret = 0;
	if (h->blob == NULL || hwblob_get(h->blob, h->blob_len, &b) != VT_OK ||
	    b.nv[HWC_EPOCH - 1].name.len == 0)
		return VT_OK;
	rc = hwnv_open(h, &b, HWC_EPOCH);
	if (rc == VT_OK)
		rc = hwnv_read(h, HWC_EPOCH,
		    h->ca != NULL ? h->ca_auth : ESYS_TR_PASSWORD, ret);
	/* Another TPM: its PCRs can be reported all the same. */
	if (rc == VT_E_POLICY && h->ca == NULL)
		return VT_OK;
	return rc;
}
