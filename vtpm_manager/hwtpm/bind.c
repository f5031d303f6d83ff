/* SPDX-License-Identifier: BSD-3-Clause */
/* bind.c - reseals the master key under another approval key or none. */
#include "vtpm_manager/hwtpm/bind.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vtpm_manager/hwtpm/key_object.h"
#include "vtpm_manager/hwtpm/keys.h"
#include "vtpm_manager/hwtpm/nv_counter.h"

#define NONE ESYS_TR_NONE

/* Write to w the host blob with the master key resealed, and with counters
 * if it had none. */
static int
bound_blob(struct hwtpm *h, const struct hw_bind *req,
    const uint8_t master[HW_MASTER_LEN], struct wr *w)
{
	struct nv_bytes nv[HWBLOB_COUNTERS];
	uint8_t mac[HWBLOB_MAC_LEN] = { 0 };
	struct key_bytes sealed;
	ESYS_TR srk = NONE;
	struct hwblob b;
	int rc;

	hwkeys_unload(h);
	if ((rc = hwblob_get(h->blob, h->blob_len, &b)) != VT_OK)
		return hwtpm_fail(h, rc, "the stored host keys are damaged");
	if (b.ek == HWEK_NONE)
		return hwtpm_fail(h, VT_E_UNSUPPORTED,
		    "this store predates host attestation keys: it cannot be "
		    "bound to host states");
	if ((rc = hwkey_srk(h, &srk)) != VT_OK)
		return rc;
	rc = hwkey_session(h, srk, &h->session);
	if (rc == VT_OK)
		rc = hwkeys_seal(h, srk, &req->approval_key, master, &sealed);
	if (rc == VT_OK && b.nv[0].name.len == 0 &&
	    (rc = hwnv_make(h, master, nv)) == VT_OK)
		hwnv_to_blob(nv, &b);
	hwtpm_flush(h, &srk);
	if (rc != VT_OK)
		return rc;
	b.policy = req->approval_key.len != 0 ? HWPOL_APPROVED : HWPOL_NONE;
	b.approval_key = req->approval_key;
	b.master_pub.p = sealed.pub;
	b.master_pub.len = (uint32_t)sealed.pub_len;
	b.master_priv.p = sealed.priv;
	b.master_priv.len = (uint32_t)sealed.priv_len;
	b.mac.p = mac;
	b.mac.len = sizeof(mac);
	return hwkeys_put_blob(h, &b, master, w);
}

/* Load the keys from the new blob; if it does not yield the master key,
 * restore the old one. */
static int
swap_blob(struct hwtpm *h, const struct wr *w, uint8_t *old, size_t old_len,
    const uint8_t master[HW_MASTER_LEN])
{
	uint8_t got[HW_MASTER_LEN] = { 0 };
	char why[HW_TEXT_LEN];
	bool again;
	int rc, back;

	if ((rc = hwkeys_set_blob(h, w->buf, w->len)) != VT_OK)
		return rc;
	rc = hwkeys_load(h, NULL, got);
	if (rc == VT_OK && !mem_equal(got, master, sizeof(got)))
		rc = hwtpm_fail(
		    h, VT_E_CORRUPT, "the new blob yields another master key");
	explicit_bzero(got, sizeof(got));
	if (rc == VT_OK)
		return rc;
	memcpy(why, h->text, sizeof(why));
	again = h->again;
	back = hwkeys_set_blob(h, old, old_len);
	if (back == VT_OK && !again) {
		back = hwkeys_load(h, NULL, got);
		explicit_bzero(got, sizeof(got));
	}
	memcpy(h->text, why, sizeof(why));
	h->again = again || back != VT_OK;
	return rc;
}

int
hwbind_master(struct hwtpm *h, const struct hw_bind *req, struct hw_bound *ret)
{
	uint8_t buf[HOST_BLOB_MAX_LEN], master[HW_MASTER_LEN] = { 0 };
	uint8_t *old = NULL;
	size_t old_len;
	struct wr w;
	int rc;

	if (h->root == 0 || h->ca == NULL)
		return hwtpm_fail(h, VT_E_STATE, "no host keys are loaded");
	hwnv_clean(h); /* left by an attempt that a TPM reset cut short */
	/* The host must be in an approved state now. */
	if ((rc = hwkeys_load(h, NULL, master)) != VT_OK) {
		h->again = true; /* reconnecting loads or refuses the keys */
		return rc;
	}
	wr_init(&w, buf, sizeof(buf));
	if ((rc = bound_blob(h, req, master, &w)) == VT_OK) {
		old = h->blob;
		old_len = h->blob_len;
		h->blob = NULL;
		rc = swap_blob(h, &w, old, old_len, master);
		explicit_bzero(old, old_len);
		free(old);
	} else {
		h->again = true; /* reconnecting loads the keys again */
	}
	explicit_bzero(master, sizeof(master));
	if (rc != VT_OK) {
		hwnv_clean(h);
		return rc;
	}
	hwnv_settle(h);
	memset(ret, 0, sizeof(*ret));
	ret->host_blob.p = h->blob;
	ret->host_blob.len = (uint32_t)h->blob_len;
	return VT_OK;
}
