/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/proto/xenback_msg.h"

#include <string.h>

void
xb_dev_put(struct wr *w, const struct xb_dev *m)
{
	wr_be32(w, m->domid);
	wr_be32(w, m->devid);
	wr_bytes(w, m->uuid, UUID_LEN);
	wr_be32(w, m->gref);
	wr_be32(w, m->port);
	wr_u8(w, m->resumed);
}

int
xb_dev_get(const uint8_t *p, size_t len, struct xb_dev *ret)
{
	struct xb_dev m;
	struct rd r;
	int rc;

	memset(&m, 0, sizeof(m));
	rd_init(&r, p, len);
	m.domid = rd_be32(&r);
	m.devid = rd_be32(&r);
	rd_bytes(&r, m.uuid, UUID_LEN);
	m.gref = rd_be32(&r);
	m.port = rd_be32(&r);
	m.resumed = rd_u8(&r);
	if ((rc = rd_end(&r)) == VT_OK)
		*ret = m;
	return rc;
}

void
xb_answer_put(struct wr *w, const struct xb_answer *m)
{
	wr_be32(w, (uint32_t)m->rc);
	wr_u8(w, m->wait);
	wr_str(w, m->text);
}

int
xb_answer_get(const uint8_t *p, size_t len, struct xb_answer *ret)
{
	struct xb_answer m;
	struct rd r;
	int rc;

	rd_init(&r, p, len);
	m.rc = (int32_t)rd_be32(&r);
	m.wait = rd_u8(&r);
	rd_str(&r, m.text, sizeof(m.text));
	if ((rc = rd_end(&r)) == VT_OK)
		*ret = m;
	return rc;
}
