/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attestation keys in turn.  To load one takes the EK, and that a physical TPM
 * makes anew each time, as slowly as it signs: so a key's context is saved
 * when it was loaded once, and comes back with one quick command.  A
 * context is of no use after the TPM's reset, nor to another TPM.
 */
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/util.h"
#include "vtpm_manager/hwtpm/keys_priv.h"

void
ak_context_forget(struct hwtpm *h)
{
	size_t i;

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

/* That it cannot be kept is no reason to fail: it is only slower. */
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

/* 1: it is loaded; 0: it has to be loaded by the EK. */
static int
bring_back(struct hwtpm *h, const uint8_t id[SHA256_LEN], ESYS_TR *ret)
{
	static const char what[] = "taking up an attestation key";
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
	hwkeys_flush(h, ret);
	free(c->ctx);
	c->ctx = NULL;
	if (h->again)
		return rc;
	h->text[0] = '\0';
	return 0;
}

int
ak_context_load(struct hwtpm *h, uint8_t ek, const struct wblob *pub,
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
	hwkeys_flush(h, &h->ak);
	rc = hwident_load_under_ek(h, ek, pub, priv, ret);
	if (rc == VT_OK)
		keep(h, id, *ret);
	return rc;
}
