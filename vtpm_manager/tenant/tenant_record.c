/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tenant_record.c - bytes of a tenant's record and of the index.
 */
#include "vtpm_manager/tenant/tenant_record.h"

#include <string.h>

#define MAGIC_LEN 4
#define REC_MAGIC "VTGR"
#define INDEX_MAGIC "VTGI"
#define VERSION 1

static void
get_magic(struct rd *r, const char *want)
{
	const uint8_t *magic = rd_span(r, MAGIC_LEN);

	if (magic != NULL && memcmp(magic, want, MAGIC_LEN) != 0)
		rd_fail(r, VT_E_FORMAT);
	if (rd_be16(r) != VERSION)
		rd_fail(r, VT_E_UNSUPPORTED);
}

void
tenant_rec_put(struct wr *w, const struct tenant_rec *r)
{
	wr_bytes(w, REC_MAGIC, MAGIC_LEN);
	wr_be16(w, VERSION);
	wr_be32(w, r->number);
	wr_str(w, r->name);
	wr_bytes(w, r->key, sizeof(r->key));
	wr_be32(w, r->quota.vtpms);
	wr_be64(w, r->quota.bytes);
	wr_be32(w, r->quota.hw_ms);
	wr_be64(w, r->created_ms);
	wr_blob16(w, r->config, r->config_len);
	wr_blob16(w, r->ak, r->ak_len);
	wr_blob16(w, r->ak_pub, r->ak_pub_len);
}

int
tenant_rec_get(const uint8_t *data, size_t len, struct tenant_rec *ret)
{
	struct tenant_rec g;
	struct rd r;
	int rc;

	memset(&g, 0, sizeof(g));
	rd_init(&r, data, len);
	get_magic(&r, REC_MAGIC);
	g.number = rd_be32(&r);
	rd_str(&r, g.name, sizeof(g.name));
	rd_bytes(&r, g.key, sizeof(g.key));
	g.quota.vtpms = rd_be32(&r);
	g.quota.bytes = rd_be64(&r);
	g.quota.hw_ms = rd_be32(&r);
	g.created_ms = rd_be64(&r);
	rd_copy16(&r, g.config, sizeof(g.config), &g.config_len);
	rd_copy16(&r, g.ak, sizeof(g.ak), &g.ak_len);
	rd_copy16(&r, g.ak_pub, sizeof(g.ak_pub), &g.ak_pub_len);
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	if (g.name[0] == '\0' || g.quota.hw_ms > 60000)
		return VT_E_RANGE;
	*ret = g;
	return VT_OK;
}

void
tenant_index_put(struct wr *w, const struct tenant_index *x)
{
	uint32_t i;

	if (x->n > TENANTS_MAX) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	wr_bytes(w, INDEX_MAGIC, MAGIC_LEN);
	wr_be16(w, VERSION);
	wr_be32(w, x->next);
	wr_be32(w, x->n);
	for (i = 0; i < x->n; i++)
		wr_be32(w, x->numbers[i]);
}

int
tenant_index_get(const uint8_t *data, size_t len, struct tenant_index *ret)
{
	struct tenant_index x;
	struct rd r;
	uint32_t i;
	int rc;

	memset(&x, 0, sizeof(x));
	rd_init(&r, data, len);
	get_magic(&r, INDEX_MAGIC);
	x.next = rd_be32(&r);
	x.n = rd_be32(&r);
	if (rd_err(&r) == VT_OK && x.n > TENANTS_MAX)
		rd_fail(&r, VT_E_RANGE);
	for (i = 0; rd_err(&r) == VT_OK && i < x.n; i++) {
		x.numbers[i] = rd_be32(&r);
		if (rd_err(&r) == VT_OK &&
		    (x.numbers[i] == 0 || x.numbers[i] >= x.next ||
			(i > 0 && x.numbers[i] <= x.numbers[i - 1])))
			rd_fail(&r, VT_E_FORMAT);
	}
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	*ret = x;
	return VT_OK;
}
