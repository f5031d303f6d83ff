/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * attestation_key.c - attestation keys under the endorsement key.
 *
 * They are used with a value derived from the master key, so that another
 * program on this host, which can load one, cannot have it sign a quote over
 * data of its choice.
 *
 * Loading one requires the endorsement key, which a physical TPM regenerates
 * each time, as slowly as it signs.  So the context of a loaded key is saved;
 * one quick command loads it again.  A context is void after a TPM reset, and
 * for any other TPM.
 */
#include "vtpm_manager/hwtpm/attestation_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/util.h"
#include "vtpm_manager/hwtpm/endorsement.h"

#include "vtpm_manager/hwtpm/embed/hostak_hex.h"

#define NONE ESYS_TR_NONE

static const char ak_label[] = "vTPM manager host AK authorisation";

int
hwak_ready(struct hwtpm *h, const uint8_t master[HW_MASTER_LEN])
{
	return hwkey_auth(h, master, ak_label, sizeof(ak_label), &h->ak_auth);
}

/* --- made and loaded ----------------------------------------------------- */

int
hwak_create(struct hwtpm *h, ESYS_TR ek, ESYS_TR shield, struct key_bytes *ret)
{
	TPM2B_SENSITIVE_CREATE sens = { 0 };
	ESYS_TR policy = NONE;
	TPM2B_PUBLIC in;
	int rc;

	if ((rc = hwkey_template(hostak_hex, hostak_hex_len, &in)) != VT_OK)
		return hwtpm_fail(h, rc, "AK template");
	if ((rc = hwek_session(h, &policy)) != VT_OK)
		return rc;
	sens.sensitive.userAuth = h->ak_auth;
	rc = hwkey_create(h, ek, policy, shield, &sens, &in,
	    "making an attestation key", ret);
	explicit_bzero(&sens, sizeof(sens));
	hwtpm_flush(h, &policy);
	return rc;
}

int
hwak_load_slow(struct hwtpm *h, uint8_t ek_kind, const struct wblob *pub,
    const struct wblob *priv, ESYS_TR *ret)
{
	static const char what[] = "loading an attestation key";
	ESYS_TR ek = NONE, policy = NONE;
	TPM2B_PRIVATE in_priv;
	TPM2B_PUBLIC in_pub;
	int rc;

	rc = hwkey_from_bytes(
	    h, pub->p, pub->len, priv->p, priv->len, what, &in_pub, &in_priv);
	if (rc != VT_OK || (rc = hwek_make(h, ek_kind, NULL, &ek)) != VT_OK)
		return rc;
	if ((rc = hwek_session(h, &policy)) == VT_OK)
		rc = hwtpm_check(h,
		    Esys_Load(h->esys, ek, policy, NONE, NONE, &in_priv,
			&in_pub, ret),
		    what);
	hwtpm_flush(h, &policy);
	if (rc == VT_OK)
		rc = hwtpm_check(
		    h, Esys_TR_SetAuth(h->esys, *ret, &h->ak_auth), what);
	hwtpm_flush(h, &ek);
	return rc;
}

/* --- loaded from a saved context ----------------------------------------- */

void
hwak_unload(struct hwtpm *h)
{
	size_t i;

	hwtpm_flush(h, &h->ak);
	memset(h->ak_certs, 0, sizeof(h->ak_certs));
	for (i = 0; i < HW_AK_CTXS; i++) {
		free(h->ak_ctx[i].ctx);
		memset(&h->ak_ctx[i], 0, sizeof(h->ak_ctx[i]));
	}
}

static struct hw_ak_ctx *
find(struct hwtpm *h, const uint8_t id[SHA256_LEN])
{
	size_t i;

	for (i = 0; i < HW_AK_CTXS; i++)
		if (h->ak_ctx[i].ctx != NULL &&
		    memcmp(h->ak_ctx[i].id, id, SHA256_LEN) == 0)
			return &h->ak_ctx[i];
	return NULL;
}

/* Without a saved context the next use is only slower, so errors are
 * ignored. */
static void
keep(struct hwtpm *h, const uint8_t id[SHA256_LEN], ESYS_TR key)
{
	struct hw_ak_ctx *c = &h->ak_ctx[0];
	TPMS_CONTEXT *ctx = NULL, *copy;
	size_t i;

	if (Esys_ContextSave(h->esys, key, &ctx) != TSS2_RC_SUCCESS)
		return;
	for (i = 1; i < HW_AK_CTXS && c->ctx != NULL; i++)
		if (h->ak_ctx[i].ctx == NULL ||
		    h->ak_ctx[i].used_us < c->used_us)
			c = &h->ak_ctx[i];
	if ((copy = malloc(sizeof(*copy))) != NULL) {
		*copy = *ctx;
		free(c->ctx);
		c->ctx = copy;
		c->used_us = now_us();
		memcpy(c->id, id, SHA256_LEN);
	}
	Esys_Free(ctx);
}

/* Returns 1: loaded; 0: the EK must load it. */
static int
bring_back(struct hwtpm *h, const uint8_t id[SHA256_LEN], ESYS_TR *ret)
{
	static const char what[] = "loading an attestation key's context";
	struct hw_ak_ctx *c = find(h, id);
	int rc;

	if (c == NULL)
		return 0;
	rc = hwtpm_check(h, Esys_ContextLoad(h->esys, c->ctx, ret), what);
	if (rc == VT_OK)
		rc = hwtpm_check(
		    h, Esys_TR_SetAuth(h->esys, *ret, &h->ak_auth), what);
	if (rc == VT_OK) {
		c->used_us = now_us();
		return 1;
	}
	hwtpm_flush(h, ret);
	free(c->ctx);
	c->ctx = NULL;
	if (h->again)
		return rc;
	h->text[0] = '\0';
	return 0;
}

int
hwak_load(struct hwtpm *h, uint8_t ek, const struct wblob *pub,
    const struct wblob *priv, ESYS_TR *ret)
{
	const struct iov_part parts[] = { { pub->p, pub->len },
		{ priv->p, priv->len } };
	uint8_t id[SHA256_LEN];
	int rc;

	if ((rc = digest_parts(ALG_SHA256, parts, 2, id)) != VT_OK)
		return hwtpm_fail(h, rc, "hashing an AK");
	if ((rc = bring_back(h, id, ret)) != 0)
		return rc == 1 ? VT_OK : rc;
	/* A TPM may have room for three objects: CA key, EK, this one. */
	hwtpm_flush(h, &h->ak);
	rc = hwak_load_slow(h, ek, pub, priv, ret);
	if (rc == VT_OK)
		keep(h, id, *ret);
	return rc;
}

/* --- the host's own ------------------------------------------------------ */

/* The host blob, if it has an AK. */
int
hwak_blob(struct hwtpm *h, struct hwblob *b)
{
	int rc = hwtpm_blob(h, b);

	if (rc != VT_OK)
		return rc;
	if (b->ek == HWEK_NONE)
		return hwtpm_fail(h, VT_E_UNSUPPORTED,
		    "this store predates host attestation keys: it cannot "
		    "vouch for guests with the host's TPM");
	return VT_OK;
}

int
hwak_need(struct hwtpm *h, struct hwblob *b)
{
	int rc;

	if ((rc = hwak_blob(h, b)) != VT_OK || h->ak != NONE)
		return rc;
	return hwak_load(h, b->ek, &b->ak_pub, &b->ak_priv, &h->ak);
}
