/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwtpm_msg_tenant.c - messages about groups' shares of the host's TPM.
 */
#include "vtpm_manager/proto/hwtpm_msg.h"

#include <string.h>

#include "vtpm_manager/hwtpm/quota.h"

_Static_assert(HW_GROUPS_MAX == HWQUOTA_MAX, "one row for each group");

static uint32_t
get_n(struct rd *r)
{
	uint32_t n = rd_be32(r);

	if (rd_err(r) == VT_OK && n > HW_GROUPS_MAX)
		rd_fail(r, VT_E_RANGE);
	return rd_err(r) == VT_OK ? n : 0;
}

static uint32_t
get_ms(struct rd *r)
{
	uint32_t ms = rd_be32(r);

	if (rd_err(r) == VT_OK && ms > HWQUOTA_MS_MAX)
		rd_fail(r, VT_E_RANGE);
	return ms;
}

void
hw_quota_put(struct wr *w, const struct hw_quota *m)
{
	uint32_t i;

	if (m->n > HW_GROUPS_MAX) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	wr_be32(w, m->n);
	for (i = 0; i < m->n; i++) {
		wr_be32(w, m->groups[i].group);
		wr_be32(w, m->groups[i].ms);
	}
}

int
hw_quota_get(const uint8_t *data, size_t len, struct hw_quota *ret)
{
	struct hw_quota m;
	struct rd r;
	uint32_t i;
	int rc;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.n = get_n(&r);
	for (i = 0; i < m.n; i++) {
		m.groups[i].group = rd_be32(&r);
		m.groups[i].ms = get_ms(&r);
	}
	if ((rc = rd_end(&r)) == VT_OK)
		*ret = m;
	return rc;
}

void
hw_usage_put(struct wr *w, const struct hw_usage *m)
{
	uint32_t i;

	if (m->n > HW_GROUPS_MAX) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	wr_be32(w, m->n);
	for (i = 0; i < m->n; i++) {
		wr_be32(w, m->groups[i].group);
		wr_be32(w, m->groups[i].limit_ms);
		wr_be64(w, m->groups[i].requests);
		wr_be64(w, m->groups[i].us);
		wr_be64(w, m->groups[i].wait_us);
		wr_be64(w, m->groups[i].delayed);
		wr_be64(w, m->groups[i].refused);
	}
}

int
hw_usage_get(const uint8_t *data, size_t len, struct hw_usage *ret)
{
	struct hw_usage m;
	struct rd r;
	uint32_t i;
	int rc;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.n = get_n(&r);
	for (i = 0; i < m.n; i++) {
		m.groups[i].group = rd_be32(&r);
		m.groups[i].limit_ms = get_ms(&r);
		m.groups[i].requests = rd_be64(&r);
		m.groups[i].us = rd_be64(&r);
		m.groups[i].wait_us = rd_be64(&r);
		m.groups[i].delayed = rd_be64(&r);
		m.groups[i].refused = rd_be64(&r);
	}
	if ((rc = rd_end(&r)) == VT_OK)
		*ret = m;
	return rc;
}
