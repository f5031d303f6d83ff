/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seal.c - the container in which a vTPM's state leaves its worker.
 */
#include "vtpm/state/seal.h"

#include <stdlib.h>
#include <string.h>

#include "base/rdwr.h"

#define SEAL_MAGIC 0x56545053u /* "VTPS" */
#define SEAL_FORMAT 1
#define SEAL_IV_OFF (SEAL_HDR_LEN - GCM_IV_LEN)

_Static_assert(
    SEAL_HDR_LEN == 4 + 2 + 2 + UUID_LEN + 8 + 8 + GCM_IV_LEN, "header fields");

int
seal_make(const uint8_t key[GCM_KEY_LEN], const struct seal_id *id,
    const uint8_t *plain, size_t len, uint8_t *out)
{
	uint8_t iv[GCM_IV_LEN];
	struct wr w;
	int rc;

	if ((rc = random_bytes(iv, sizeof(iv))) != VT_OK)
		return rc;
	wr_init(&w, out, SEAL_HDR_LEN);
	wr_be32(&w, SEAL_MAGIC);
	wr_be16(&w, SEAL_FORMAT);
	wr_be16(&w, id->kind);
	wr_bytes(&w, id->uuid, sizeof(id->uuid));
	wr_be64(&w, id->generation);
	wr_be64(&w, id->version);
	wr_bytes(&w, iv, sizeof(iv));
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	return gcm_seal(key, iv, out, SEAL_HDR_LEN, plain, len,
	    out + SEAL_HDR_LEN, out + SEAL_HDR_LEN + len);
}

int
seal_peek(const uint8_t *buf, size_t len, struct seal_id *ret)
{
	struct seal_id id;
	uint32_t magic;
	uint16_t format;
	struct rd r;
	int rc;

	if (len < SEAL_OVERHEAD)
		return VT_E_TRUNC;
	memset(&id, 0, sizeof(id));
	rd_init(&r, buf, len);
	magic = rd_be32(&r);
	format = rd_be16(&r);
	id.kind = rd_be16(&r);
	rd_bytes(&r, id.uuid, sizeof(id.uuid));
	id.generation = rd_be64(&r);
	id.version = rd_be64(&r);
	if ((rc = rd_err(&r)) != VT_OK)
		return rc;
	if (magic != SEAL_MAGIC || format != SEAL_FORMAT)
		return VT_E_FORMAT;
	*ret = id;
	return VT_OK;
}

int
seal_open(const uint8_t key[GCM_KEY_LEN], const struct seal_id *want,
    const uint8_t *buf, size_t len, struct seal_id *ret_id, uint8_t **ret,
    size_t *ret_len)
{
	struct seal_id id;
	uint8_t *plain;
	size_t plen;
	int rc;

	if ((rc = seal_peek(buf, len, &id)) != VT_OK)
		return rc;
	if (id.kind != want->kind || !mem_equal(id.uuid, want->uuid, UUID_LEN))
		return VT_E_AUTH;
	plen = len - SEAL_OVERHEAD;
	if ((plain = malloc(plen > 0 ? plen : 1)) == NULL)
		return VT_E_NOMEM;
	rc = gcm_open(key, buf + SEAL_IV_OFF, buf, SEAL_HDR_LEN,
	    buf + SEAL_HDR_LEN, plen, buf + SEAL_HDR_LEN + plen, plain);
	if (rc != VT_OK) {
		explicit_bzero(plain, plen);
		free(plain);
		return rc;
	}
	*ret_id = id;
	*ret = plain;
	*ret_len = plen;
	return VT_OK;
}
