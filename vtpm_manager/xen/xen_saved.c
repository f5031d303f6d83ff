/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/xen/xen_saved.h"

#include <string.h>

#define MAGIC 0x76545853u /* "vTXS" */
#define VERSION 1

bool
xen_name_ok(const char *name)
{
	size_t i, len = strlen(name);

	/* A name of digits only would be taken for a domain id. */
	if (len == 0 || len > XEN_NAME_MAX || name[0] == '-' ||
	    strspn(name, "0123456789") == len)
		return false;
	for (i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '/')
			return false;
	return true;
}

void
xen_saved_put(struct wr *w, const struct xensaved *m)
{
	wr_be32(w, MAGIC);
	wr_be16(w, VERSION);
	wr_bytes(w, m->image, SHA256_LEN);
	wr_str(w, m->domain);
	wr_u8(w, m->launched);
	wr_be64(w, m->time_ms);
	wblob_put(w, &m->state);
}

int
xen_saved_get(const uint8_t *p, size_t len, struct xensaved *ret)
{
	struct xensaved m;
	struct rd r;
	int rc;

	memset(&m, 0, sizeof(m));
	rd_init(&r, p, len);
	if (rd_be32(&r) != MAGIC || rd_be16(&r) != VERSION)
		rd_fail(&r, VT_E_FORMAT);
	rd_bytes(&r, m.image, SHA256_LEN);
	rd_str(&r, m.domain, sizeof(m.domain));
	m.launched = rd_u8(&r);
	m.time_ms = rd_be64(&r);
	wblob_get(&r, STATE_MAX_LEN, &m.state);
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	if (!xen_name_ok(m.domain) || m.launched > 1 || m.state.len == 0)
		return VT_E_FORMAT;
	*ret = m;
	return VT_OK;
}
