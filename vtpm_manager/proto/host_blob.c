/* SPDX-License-Identifier: BSD-3-Clause */
/* host_blob.c - encodes and decodes the host's keys, in all versions. */
#include "vtpm_manager/proto/host_blob.h"

#include <string.h>

#include "base/crypto.h"
#include "measure/host/approval.h"
#include "vtpm_manager/proto/hwtpm_msg.h"

#define HWBLOB_MAGIC 0x56544842u /* "VTHB" */

/* What each version adds; the MAC is behind the last of them. */
/* clang-format off */
static const struct msg_field v1_fields[] = {
	F_RANGE(hwblob, root, ROOT_SOFT, ROOT_HARD),
	F_UINT(hwblob, policy),
	F_BLOB16(hwblob, srk_name, 1, HWBLOB_NAME_MAX),
	F_BLOB16(hwblob, master_pub, 1, HWBLOB_KEY_MAX),
	F_BLOB16(hwblob, master_priv, 1, HWBLOB_KEY_MAX),
	F_BLOB16(hwblob, ca_pub, 1, HWBLOB_KEY_MAX),
	F_BLOB16(hwblob, ca_priv, 1, HWBLOB_KEY_MAX),
	F_BLOB16(hwblob, ca_cert, 1, CERT_MAX_LEN),
	F_END
};
static const struct msg_field v2_fields[] = {
	F_RANGE(hwblob, ek, HWEK_ECC, HWEK_RSA),
	F_BLOB16(hwblob, ak_pub, 1, HWBLOB_KEY_MAX),
	F_BLOB16(hwblob, ak_priv, 1, HWBLOB_KEY_MAX),
	F_BLOB16(hwblob, ca_attest, 1, HWBLOB_KEY_MAX),
	F_BLOB16(hwblob, ca_sig, 1, HWBLOB_KEY_MAX),
	F_END
};
static const struct msg_field v3_fields[] = {
	F_BLOB16(hwblob, approval_key, 0, APPROVAL_KEY_LEN),
	F_UINT(hwblob, nv[0].index),
	F_BLOB16(hwblob, nv[0].name, HWBLOB_NV_NAME_LEN, HWBLOB_NV_NAME_LEN),
	F_UINT(hwblob, nv[1].index),
	F_BLOB16(hwblob, nv[1].name, HWBLOB_NV_NAME_LEN, HWBLOB_NV_NAME_LEN),
	F_END
};
static const struct msg_field mac_field[] = {
	F_BLOB16(hwblob, mac, HWBLOB_MAC_LEN, HWBLOB_MAC_LEN),
	F_END
};
/* clang-format on */

static uint16_t
version_of(const struct hwblob *b)
{
	if (b->ek == HWEK_NONE)
		return 1;
	return b->nv[0].name.len == 0 ? 2 : 3;
}

void
hwblob_put(struct wr *w, const struct hwblob *b)
{
	uint16_t version = version_of(b);
	size_t at;

	wr_be32(w, HWBLOB_MAGIC);
	wr_be16(w, version);
	at = w->len;
	wr_be32(w, 0);
	msg_write(w, v1_fields, b);
	if (version >= 2)
		msg_write(w, v2_fields, b);
	if (version >= 3)
		msg_write(w, v3_fields, b);
	if (version >= 2)
		msg_write(w, mac_field, b);
	if (w->err == VT_OK)
		wr_set_be32(w, at, (uint32_t)(w->len - at - 4));
}

/* Magic, version, and the length, which is that of the rest. */
static uint16_t
get_header(struct rd *r)
{
	uint32_t magic = rd_be32(r);
	uint16_t version = rd_be16(r);
	uint32_t len = rd_be32(r);

	if (magic != HWBLOB_MAGIC)
		rd_fail(r, VT_E_FORMAT);
	if (version == 0 || version > HWBLOB_VERSION)
		rd_fail(r, VT_E_UNSUPPORTED);
	if (len != r->left)
		rd_fail(r, len > r->left ? VT_E_TRUNC : VT_E_FORMAT);
	return version;
}

int
hwblob_get(const uint8_t *data, size_t len, struct hwblob *ret)
{
	struct hwblob b;
	struct rd r;
	uint16_t version;
	int rc;

	memset(&b, 0, sizeof(b));
	rd_init(&r, data, len);
	version = get_header(&r);
	msg_read(&r, v1_fields, &b);
	if (b.policy != HWPOL_NONE &&
	    (version < 3 || b.policy != HWPOL_APPROVED))
		rd_fail(&r, VT_E_UNSUPPORTED);
	if (version >= 2)
		msg_read(&r, v2_fields, &b);
	if (version >= 3) {
		msg_read(&r, v3_fields, &b);
		if (b.approval_key.len !=
		    (b.policy == HWPOL_APPROVED ? APPROVAL_KEY_LEN : 0))
			rd_fail(&r, VT_E_FORMAT);
	}
	if (version >= 2)
		msg_read(&r, mac_field, &b);
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
