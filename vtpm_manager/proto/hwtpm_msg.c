/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtpm_manager/proto/hwtpm_msg.h"

#include <string.h>

#include "measure/host/approval.h"

/* Decoders fill a copy and hand it out when every byte was right. */
#define COMMIT(r, tmp, ret)             \
	do {                            \
		int rc_ = rd_end(r);    \
		if (rc_ == VT_OK)       \
			*(ret) = (tmp); \
		return rc_;             \
	} while (0)

static uint8_t
get_root(struct rd *r, uint8_t min)
{
	uint8_t root = rd_u8(r);

	if (r->err == VT_OK && (root < min || root > ROOT_HARD))
		rd_fail(r, VT_E_RANGE);
	return root;
}

/* A count of keys or certificates. */
static uint32_t
get_n(struct rd *r, uint32_t min)
{
	uint32_t n = rd_be32(r);

	if (r->err == VT_OK && (n < min || n > HW_CERTS_MAX))
		rd_fail(r, VT_E_RANGE);
	return r->err == VT_OK ? n : 0;
}

void
hw_init_put(struct wr *w, const struct hw_init *m)
{
	wr_u8(w, m->root);
	wr_str(w, m->host);
	wblob_put(w, &m->approval_key);
	wblob_put(w, &m->master);
}

int
hw_init_get(const uint8_t *data, size_t len, struct hw_init *ret)
{
	struct hw_init m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.root = get_root(&r, ROOT_SOFT);
	rd_str(&r, m.host, sizeof(m.host));
	wblob_get(&r, APPROVAL_KEY_LEN, &m.approval_key);
	wblob_get(&r, 32, &m.master);
	if (r.err == VT_OK && ((m.approval_key.len != 0 &&
				   m.approval_key.len != APPROVAL_KEY_LEN) ||
				  (m.master.len != 0 && m.master.len != 32)))
		rd_fail(&r, VT_E_RANGE);
	COMMIT(&r, m, ret);
}

void
hw_inited_put(struct wr *w, const struct hw_inited *m)
{
	wblob_put(w, &m->host_blob);
	wr_bytes(w, m->master, sizeof(m->master));
	wblob_put(w, &m->ca_cert);
}

int
hw_inited_get(const uint8_t *data, size_t len, struct hw_inited *ret)
{
	struct hw_inited m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	wblob_get(&r, HOST_BLOB_MAX_LEN, &m.host_blob);
	rd_bytes(&r, m.master, sizeof(m.master));
	wblob_get(&r, CERT_MAX_LEN, &m.ca_cert);
	COMMIT(&r, m, ret);
}

void
hw_approvals_put(struct wr *w, const struct hw_approvals *m)
{
	uint32_t i;

	if (m->n > HW_APPROVALS_MAX) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	wr_be32(w, m->n);
	for (i = 0; i < m->n; i++)
		wblob_put(w, &m->approvals[i]);
}

static void
get_approvals(struct rd *r, uint32_t *n, struct wblob *ret)
{
	uint32_t i;

	*n = rd_be32(r);
	if (r->err == VT_OK && *n > HW_APPROVALS_MAX)
		rd_fail(r, VT_E_RANGE);
	for (i = 0; r->err == VT_OK && i < *n; i++)
		wblob_get(r, APPROVAL_MAX_LEN, &ret[i]);
}

int
hw_approvals_get(const uint8_t *data, size_t len, struct hw_approvals *ret)
{
	struct hw_approvals m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	get_approvals(&r, &m.n, m.approvals);
	COMMIT(&r, m, ret);
}

void
hw_load_put(struct wr *w, const struct hw_load *m)
{
	struct hw_approvals a = { .n = m->n };

	memcpy(a.approvals, m->approvals, sizeof(a.approvals));
	wr_u8(w, m->root);
	wblob_put(w, &m->host_blob);
	hw_approvals_put(w, &a);
}

int
hw_load_get(const uint8_t *data, size_t len, struct hw_load *ret)
{
	struct hw_load m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.root = get_root(&r, ROOT_SOFT);
	wblob_get(&r, HOST_BLOB_MAX_LEN, &m.host_blob);
	get_approvals(&r, &m.n, m.approvals);
	COMMIT(&r, m, ret);
}

void
hw_loaded_put(struct wr *w, const struct hw_loaded *m)
{
	wr_bytes(w, m->master, sizeof(m->master));
	wblob_put(w, &m->ca_cert);
}

int
hw_loaded_get(const uint8_t *data, size_t len, struct hw_loaded *ret)
{
	struct hw_loaded m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	rd_bytes(&r, m.master, sizeof(m.master));
	wblob_get(&r, CERT_MAX_LEN, &m.ca_cert);
	COMMIT(&r, m, ret);
}

void
hw_certs_put(struct wr *w, const struct hw_certs *m)
{
	uint32_t i;

	if (m->n > HW_CERTS_MAX) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	wr_bytes(w, m->uuid, sizeof(m->uuid));
	wr_str(w, m->name);
	wr_be32(w, m->group);
	wr_be64(w, m->generation);
	wr_u8(w, m->tpm_version);
	wr_be32(w, m->ak_seconds);
	wr_be32(w, m->n);
	for (i = 0; i < m->n; i++) {
		wr_u8(w, m->keys[i].which);
		wblob_put(w, &m->keys[i].pub);
	}
}

int
hw_certs_get(const uint8_t *data, size_t len, struct hw_certs *ret)
{
	struct hw_certs m;
	struct rd r;
	uint32_t i;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	rd_bytes(&r, m.uuid, sizeof(m.uuid));
	rd_str(&r, m.name, sizeof(m.name));
	m.group = rd_be32(&r);
	m.generation = rd_be64(&r);
	m.tpm_version = rd_u8(&r);
	if (r.err == VT_OK && m.tpm_version != TPM_VER_12 &&
	    m.tpm_version != TPM_VER_20)
		rd_fail(&r, VT_E_RANGE);
	m.ak_seconds = rd_be32(&r);
	m.n = get_n(&r, 1);
	for (i = 0; i < m.n; i++) {
		m.keys[i].which = rd_u8(&r);
		if (r.err == VT_OK && (m.keys[i].which < WCERT_EK_RSA ||
					  m.keys[i].which > WCERT_AK))
			rd_fail(&r, VT_E_RANGE);
		wblob_get(&r, PUB_MAX_LEN, &m.keys[i].pub);
	}
	COMMIT(&r, m, ret);
}

void
hw_certed_put(struct wr *w, const struct hw_certed *m)
{
	uint32_t i;

	if (m->n > HW_CERTS_MAX) {
		wr_fail(w, VT_E_RANGE);
		return;
	}
	wr_be32(w, m->n);
	for (i = 0; i < m->n; i++)
		wblob_put(w, &m->certs[i]);
}

int
hw_certed_get(const uint8_t *data, size_t len, struct hw_certed *ret)
{
	struct hw_certed m;
	struct rd r;
	uint32_t i;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.n = get_n(&r, 1);
	for (i = 0; i < m.n; i++)
		wblob_get(&r, CERT_MAX_LEN, &m.certs[i]);
	COMMIT(&r, m, ret);
}

void
hw_status_put(struct wr *w, const struct hw_status *m)
{
	wr_u8(w, m->root);
	wr_u8(w, m->up);
	wr_str(w, m->manufacturer);
	wr_str(w, m->firmware);
	wr_str(w, m->tcti);
	wr_be64(w, m->commands);
	wr_be64(w, m->retries);
	wr_be64(w, m->failures);
}

int
hw_status_get(const uint8_t *data, size_t len, struct hw_status *ret)
{
	struct hw_status m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.root = get_root(&r, 0);
	m.up = rd_u8(&r);
	if (r.err == VT_OK && m.up > 1)
		rd_fail(&r, VT_E_RANGE);
	rd_str(&r, m.manufacturer, sizeof(m.manufacturer));
	rd_str(&r, m.firmware, sizeof(m.firmware));
	rd_str(&r, m.tcti, sizeof(m.tcti));
	m.commands = rd_be64(&r);
	m.retries = rd_be64(&r);
	m.failures = rd_be64(&r);
	COMMIT(&r, m, ret);
}

void
hw_answer_put(struct wr *w, const struct hw_answer *m)
{
	wr_be32(w, (uint32_t)m->rc);
	wr_str(w, m->text);
	if (m->body_len > 0)
		wr_bytes(w, m->body, m->body_len);
}

int
hw_answer_get(const uint8_t *data, size_t len, struct hw_answer *ret)
{
	struct hw_answer m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.rc = (int32_t)rd_be32(&r);
	if (r.err == VT_OK && m.rc > VT_OK)
		rd_fail(&r, VT_E_RANGE);
	rd_str(&r, m.text, sizeof(m.text));
	m.body_len = r.left;
	m.body = rd_span(&r, r.left);
	if (m.body_len == 0)
		m.body = NULL;
	COMMIT(&r, m, ret);
}
