/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/proto/host_blob.h"

#include <string.h>

#include "base/crypto.h"
#include "measure/host/approval.h"
#include "vtpm_manager/proto/hwtpm_msg.h"

#define HWBLOB_MAGIC 0x56544842u /* "VTHB" */

static uint16_t
version_of(const struct hwblob *b)
{
	if (b->ek == HWEK_NONE)
		return 1;
	return b->nv[0].name.len == 0 ? 2 : 3;
}

static void
put_v3(struct wr *w, const struct hwblob *b)
{
	size_t i;

	wr_blob16(w, b->approval_key.p, b->approval_key.len);
	for (i = 0; i < HWBLOB_COUNTERS; i++) {
		wr_be32(w, b->nv[i].index);
		wr_blob16(w, b->nv[i].name.p, b->nv[i].name.len);
	}
}

void
hwblob_put(struct wr *w, const struct hwblob *b)
{
	size_t at;

	wr_be32(w, HWBLOB_MAGIC);
	wr_be16(w, version_of(b));
	at = w->len;
	wr_be32(w, 0);
	wr_u8(w, b->root);
	wr_u8(w, b->policy);
	wr_blob16(w, b->srk_name.p, b->srk_name.len);
	wr_blob16(w, b->master_pub.p, b->master_pub.len);
	wr_blob16(w, b->master_priv.p, b->master_priv.len);
	wr_blob16(w, b->ca_pub.p, b->ca_pub.len);
	wr_blob16(w, b->ca_priv.p, b->ca_priv.len);
	wr_blob16(w, b->ca_cert.p, b->ca_cert.len);
	if (b->ek != HWEK_NONE) {
		wr_u8(w, b->ek);
		wr_blob16(w, b->ak_pub.p, b->ak_pub.len);
		wr_blob16(w, b->ak_priv.p, b->ak_priv.len);
		wr_blob16(w, b->ca_attest.p, b->ca_attest.len);
		wr_blob16(w, b->ca_sig.p, b->ca_sig.len);
		if (version_of(b) >= 3)
			put_v3(w, b);
		wr_blob16(w, b->mac.p, b->mac.len);
	}
	if (w->err == VT_OK)
		wr_set_be32(w, at, (uint32_t)(w->len - at - 4));
}

/* None of them may be empty. */
static void
get_part(struct rd *r, size_t max, struct wblob *ret)
{
	size_t len;

	ret->p = rd_blob16(r, max, &len);
	ret->len = (uint32_t)len;
	if (r->err == VT_OK && len == 0)
		rd_fail(r, VT_E_FORMAT);
}

static void
get_v2(struct rd *r, struct hwblob *b)
{
	b->ek = rd_u8(r);
	if (r->err == VT_OK && b->ek != HWEK_ECC && b->ek != HWEK_RSA)
		rd_fail(r, VT_E_RANGE);
	get_part(r, HWBLOB_KEY_MAX, &b->ak_pub);
	get_part(r, HWBLOB_KEY_MAX, &b->ak_priv);
	get_part(r, HWBLOB_KEY_MAX, &b->ca_attest);
	get_part(r, HWBLOB_KEY_MAX, &b->ca_sig);
}

static void
get_v3(struct rd *r, struct hwblob *b)
{
	size_t i, len;

	b->approval_key.p = rd_blob16(r, APPROVAL_KEY_LEN, &len);
	b->approval_key.len = (uint32_t)len;
	if (r->err == VT_OK &&
	    len != (b->policy == HWPOL_APPROVED ? APPROVAL_KEY_LEN : 0))
		rd_fail(r, VT_E_FORMAT);
	for (i = 0; i < HWBLOB_COUNTERS; i++) {
		b->nv[i].index = rd_be32(r);
		get_part(r, HWBLOB_NV_NAME_LEN, &b->nv[i].name);
		if (r->err == VT_OK && b->nv[i].name.len != HWBLOB_NV_NAME_LEN)
			rd_fail(r, VT_E_FORMAT);
	}
}

int
hwblob_get(const uint8_t *data, size_t len, struct hwblob *ret)
{
	struct hwblob b;
	struct rd r;
	uint32_t magic, n;
	uint16_t version;
	int rc;

	memset(&b, 0, sizeof(b));
	rd_init(&r, data, len);
	magic = rd_be32(&r);
	version = rd_be16(&r);
	n = rd_be32(&r);
	if (r.err != VT_OK)
		return r.err;
	if (magic != HWBLOB_MAGIC)
		return VT_E_FORMAT;
	if (version == 0 || version > HWBLOB_VERSION)
		return VT_E_UNSUPPORTED;
	if (n != r.left)
		return n > r.left ? VT_E_TRUNC : VT_E_FORMAT;
	b.root = rd_u8(&r);
	b.policy = rd_u8(&r);
	if (b.root != ROOT_SOFT && b.root != ROOT_HARD)
		rd_fail(&r, VT_E_RANGE);
	if (b.policy != HWPOL_NONE &&
	    (version < 3 || b.policy != HWPOL_APPROVED))
		rd_fail(&r, VT_E_UNSUPPORTED);
	get_part(&r, HWBLOB_NAME_MAX, &b.srk_name);
	get_part(&r, HWBLOB_KEY_MAX, &b.master_pub);
	get_part(&r, HWBLOB_KEY_MAX, &b.master_priv);
	get_part(&r, HWBLOB_KEY_MAX, &b.ca_pub);
	get_part(&r, HWBLOB_KEY_MAX, &b.ca_priv);
	get_part(&r, CERT_MAX_LEN, &b.ca_cert);
	if (version >= 2) {
		get_v2(&r, &b);
		if (version >= 3)
			get_v3(&r, &b);
		get_part(&r, HWBLOB_MAC_LEN, &b.mac);
		if (r.err == VT_OK && b.mac.len != HWBLOB_MAC_LEN)
			rd_fail(&r, VT_E_FORMAT);
	}
	if ((rc = rd_end(&r)) == VT_OK)
		*ret = b;
	return rc;
}

int
hwblob_mac(const uint8_t master[32], const uint8_t *p, size_t len,
    uint8_t out[HWBLOB_MAC_LEN])
{
	static const char label[] = "vTPM manager host blob";
	struct iov_part all = { p, 0 };
	uint8_t key[SHA256_LEN];
	int rc;

	if (len < HWBLOB_MAC_LEN + 2)
		return VT_E_TRUNC;
	all.len = len - HWBLOB_MAC_LEN - 2;
	rc = hkdf_sha256(master, 32, label, sizeof(label), key, sizeof(key));
	if (rc == VT_OK)
		rc = hmac_sha256_parts(key, sizeof(key), &all, 1, out);
	explicit_bzero(key, sizeof(key));
	return rc;
}
