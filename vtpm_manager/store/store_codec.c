/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_codec.c - bytes of leaf, label and root record.
 *
 * Leaf:   SHA-256(0x00 | "vTPM store leaf" | be16 format 1 | be32 slot |
 *         uuid[16] | name | be32 group | u8 tpm_version | u8 status |
 *         be32 flags | be64 generation | be64 version | be64 created_ms |
 *         5 digests of blobs), name as be16 length + bytes.  Of a guest with
 *         an owner: format 2, and be32 owner behind the digests.
 * Label:  uuid[16] | name, filled with zeros.
 * Root:   "VTSR" | be16 format 2 | be64 seq | be64 anchor | be32 nslots |
 *         tree root[32] | digest of the values' index[32] |
 *         be64 greatest generation | be64 audit cut | hash[32] |
 *         be64 audit seq | hash[32] | HMAC-SHA256[32] over all before it.
 * Key:    HKDF-SHA256(master, "store root").
 */
#include "vtpm_manager/store/store_codec.h"

#include <string.h>

#include "base/rdwr.h"
#include "base/util.h"

#define ROOT_MAGIC 0x56545352u /* "VTSR" */
#define LEAF_FORMAT 1
#define LEAF_FORMAT_OWNED 2
#define ROOT_FORMAT 2

int
store_leaf_digest(const struct store_row *r, uint8_t out[HT_LEN])
{
	static const char tag[] = "\0vTPM store leaf";
	const struct guest *in = &r->in;
	uint8_t buf[512];
	struct wr w;
	int i;

	wr_init(&w, buf, sizeof(buf));
	wr_bytes(&w, tag, sizeof(tag) - 1);
	wr_be16(&w, in->owner != 0 ? LEAF_FORMAT_OWNED : LEAF_FORMAT);
	wr_be32(&w, in->slot);
	wr_bytes(&w, in->uuid, UUID_LEN);
	wr_str(&w, in->name);
	wr_be32(&w, in->group);
	wr_u8(&w, in->tpm_version);
	wr_u8(&w, in->status);
	wr_be32(&w, in->flags);
	wr_be64(&w, in->generation);
	wr_be64(&w, in->version);
	wr_be64(&w, in->created_ms);
	for (i = 0; i < SX_N; i++)
		wr_bytes(&w, r->dig[i], SHA256_LEN);
	if (in->owner != 0)
		wr_be32(&w, in->owner);
	if (wr_err(&w) != VT_OK)
		return w.err;
	return digest_buf(ALG_SHA256, buf, w.len, out);
}

bool
store_leaf_is(const uint8_t leaf[HT_LEN], uint8_t byte)
{
	uint8_t want[HT_LEN];

	memset(want, byte, sizeof(want));
	return memcmp(leaf, want, sizeof(want)) == 0;
}

void
store_label_make(const struct guest *in, uint8_t out[HT_LABEL_LEN])
{
	_Static_assert(UUID_LEN + NAME_MAX_LEN + 1 == HT_LABEL_LEN, "label");
	memset(out, 0, HT_LABEL_LEN);
	memcpy(out, in->uuid, UUID_LEN);
	memcpy(out + UUID_LEN, in->name, strlen(in->name));
}

bool
store_label_read(const uint8_t label[HT_LABEL_LEN], struct guest *ret)
{
	const char *name = (const char *)label + UUID_LEN;

	if (name[0] == '\0' || label[HT_LABEL_LEN - 1] != '\0')
		return false;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->uuid, label, UUID_LEN);
	memcpy(ret->name, name, strlen(name));
	return true;
}

int
store_root_make(const uint8_t key[32], const struct root_rec *r,
    uint8_t out[ROOT_MAX], size_t *ret_len)
{
	uint8_t mac[SHA256_LEN];
	struct iov_part part;
	struct wr w;
	int rc;

	wr_init(&w, out, ROOT_MAX);
	wr_be32(&w, ROOT_MAGIC);
	wr_be16(&w, ROOT_FORMAT);
	wr_be64(&w, r->seq);
	wr_be64(&w, r->anchor);
	wr_be32(&w, r->nslots);
	wr_bytes(&w, r->tree, HT_LEN);
	wr_bytes(&w, r->meta, HT_LEN);
	wr_be64(&w, r->gen);
	wr_be64(&w, r->audit.cut);
	wr_bytes(&w, r->audit.base, SHA256_LEN);
	wr_be64(&w, r->audit.seq);
	wr_bytes(&w, r->audit.head, SHA256_LEN);
	if (wr_err(&w) != VT_OK)
		return w.err;
	part = (struct iov_part){ out, w.len };
	if ((rc = hmac_sha256_parts(key, 32, &part, 1, mac)) != VT_OK)
		return rc;
	wr_bytes(&w, mac, sizeof(mac));
	*ret_len = w.len;
	return wr_err(&w);
}

int
store_root_read(
    const uint8_t key[32], const uint8_t *p, size_t len, struct root_rec *ret)
{
	uint8_t mac[SHA256_LEN], want[SHA256_LEN];
	struct iov_part part = { p, len };
	struct root_rec r = { 0 };
	struct rd d;
	int rc;

	rd_init(&d, p, len);
	if (rd_be32(&d) != ROOT_MAGIC)
		rd_fail(&d, VT_E_FORMAT);
	if (rd_be16(&d) != ROOT_FORMAT)
		rd_fail(&d, VT_E_FORMAT);
	r.seq = rd_be64(&d);
	r.anchor = rd_be64(&d);
	r.nslots = rd_be32(&d);
	rd_bytes(&d, r.tree, HT_LEN);
	rd_bytes(&d, r.meta, HT_LEN);
	r.gen = rd_be64(&d);
	r.audit.cut = rd_be64(&d);
	rd_bytes(&d, r.audit.base, SHA256_LEN);
	r.audit.seq = rd_be64(&d);
	rd_bytes(&d, r.audit.head, SHA256_LEN);
	rd_bytes(&d, mac, sizeof(mac));
	if ((rc = rd_end(&d)) != VT_OK)
		return rc;
	part.len = len - sizeof(mac);
	if ((rc = hmac_sha256_parts(key, 32, &part, 1, want)) != VT_OK)
		return rc;
	if (!mem_equal(mac, want, sizeof(mac)))
		return VT_E_AUTH;
	if (r.nslots > HT_MAX_SLOTS || r.audit.cut > r.audit.seq ||
	    r.gen > INT64_MAX)
		return VT_E_FORMAT;
	*ret = r;
	return VT_OK;
}
