/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/proto/xen_saved.h"

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

/* clang-format off */
static const struct msg_field fields[] = {
	F_BYTES(xensaved, image),
	F_TEXT(xensaved, domain),
	F_UINT(xensaved, launched),
	F_UINT(xensaved, time_ms),
	F_BLOB(xensaved, state, 0, STATE_MAX_LEN),
	F_END
};
/* clang-format on */

void
xen_saved_put(struct wr *w, const struct xensaved *m)
{
	wr_be32(w, MAGIC);
	wr_be16(w, VERSION);
	msg_write(w, fields, m);
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
	msg_read(&r, fields, &m);
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	if (!xen_name_ok(m.domain) || m.launched > 1 || m.state.len == 0)
		return VT_E_FORMAT;
	*ret = m;
	return VT_OK;
}
