/* SPDX-License-Identifier: BSD-3-Clause */
/* The messages of hwtpm_msg.h about the host: state, identity, quotes. */
#include <string.h>

#include "measure/host/approval.h"
#include "measure/evidence/deep_leaf.h"
#include "vtpm_manager/proto/hwtpm_msg.h"

#define PCRS_MAX_LEN 8192
#define CREDENTIAL_MAX_LEN 512
#define SECRET_MAX_LEN 1024
#define CERTIFY_MAX_LEN 2048
#define SIGNATURE_MAX_LEN 1024
#define EK_CERT_MAX_LEN 4096

/* Decoders fill a copy and hand it out when every byte was right. */
#define COMMIT(r, tmp, ret)             \
	do {                            \
		int rc_ = rd_end(r);    \
		if (rc_ == VT_OK)       \
			*(ret) = (tmp); \
		return rc_;             \
	} while (0)

void
hw_pcrs_put(struct wr *w, const struct hw_pcrs *m)
{
	wblob_put(w, &m->pcrs);
	wr_be64(w, m->epoch);
}

int
hw_pcrs_get(const uint8_t *data, size_t len, struct hw_pcrs *ret)
{
	struct hw_pcrs m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	wblob_get(&r, PCRS_MAX_LEN, &m.pcrs);
	m.epoch = rd_be64(&r);
	COMMIT(&r, m, ret);
}

void
hw_counter_put(struct wr *w, const struct hw_counter *m)
{
	wr_u8(w, m->which);
	wr_u8(w, m->increment);
	wr_be64(w, m->expect);
}

int
hw_counter_get(const uint8_t *data, size_t len, struct hw_counter *ret)
{
	struct hw_counter m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.which = rd_u8(&r);
	m.increment = rd_u8(&r);
	m.expect = rd_be64(&r);
	if (r.err == VT_OK &&
	    ((m.which != HWC_EPOCH && m.which != HWC_ANCHOR) ||
		m.increment > 1))
		rd_fail(&r, VT_E_RANGE);
	COMMIT(&r, m, ret);
}

void
hw_bind_put(struct wr *w, const struct hw_bind *m)
{
	wblob_put(w, &m->approval_key);
}

int
hw_bind_get(const uint8_t *data, size_t len, struct hw_bind *ret)
{
	struct hw_bind m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	wblob_get(&r, APPROVAL_KEY_LEN, &m.approval_key);
	if (r.err == VT_OK && m.approval_key.len != 0 &&
	    m.approval_key.len != APPROVAL_KEY_LEN)
		rd_fail(&r, VT_E_RANGE);
	COMMIT(&r, m, ret);
}

void
hw_bound_put(struct wr *w, const struct hw_bound *m)
{
	wblob_put(w, &m->host_blob);
}

int
hw_bound_get(const uint8_t *data, size_t len, struct hw_bound *ret)
{
	struct hw_bound m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	wblob_get(&r, HOST_BLOB_MAX_LEN, &m.host_blob);
	COMMIT(&r, m, ret);
}

void
hw_identity_put(struct wr *w, const struct hw_identity *m)
{
	wblob_put(w, &m->ek_pub);
	wblob_put(w, &m->ek_cert);
	wblob_put(w, &m->ak_pub);
	wblob_put(w, &m->ca_pub);
	wblob_put(w, &m->ca_cert);
	wblob_put(w, &m->ca_attest);
	wblob_put(w, &m->ca_sig);
}

int
hw_identity_get(const uint8_t *data, size_t len, struct hw_identity *ret)
{
	struct hw_identity m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	wblob_get(&r, PUB_MAX_LEN, &m.ek_pub);
	wblob_get(&r, EK_CERT_MAX_LEN, &m.ek_cert);
	wblob_get(&r, PUB_MAX_LEN, &m.ak_pub);
	wblob_get(&r, PUB_MAX_LEN, &m.ca_pub);
	wblob_get(&r, CERT_MAX_LEN, &m.ca_cert);
	wblob_get(&r, CERTIFY_MAX_LEN, &m.ca_attest);
	wblob_get(&r, SIGNATURE_MAX_LEN, &m.ca_sig);
	COMMIT(&r, m, ret);
}

void
hw_activate_put(struct wr *w, const struct hw_activate *m)
{
	wblob_put(w, &m->credential);
	wblob_put(w, &m->secret);
}

int
hw_activate_get(const uint8_t *data, size_t len, struct hw_activate *ret)
{
	struct hw_activate m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	wblob_get(&r, CREDENTIAL_MAX_LEN, &m.credential);
	wblob_get(&r, SECRET_MAX_LEN, &m.secret);
	COMMIT(&r, m, ret);
}

void
hw_ak_put(struct wr *w, const struct hw_ak *m)
{
	wr_be32(w, m->group);
}

int
hw_ak_get(const uint8_t *data, size_t len, struct hw_ak *ret)
{
	struct hw_ak m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.group = rd_be32(&r);
	COMMIT(&r, m, ret);
}

void
hw_aked_put(struct wr *w, const struct hw_aked *m)
{
	wblob_put(w, &m->ak);
	wblob_put(w, &m->ak_pub);
	wblob_put(w, &m->ak_cert);
}

int
hw_aked_get(const uint8_t *data, size_t len, struct hw_aked *ret)
{
	struct hw_aked m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	wblob_get(&r, HW_AK_MAX_LEN, &m.ak);
	wblob_get(&r, PUB_MAX_LEN, &m.ak_pub);
	wblob_get(&r, CERT_MAX_LEN, &m.ak_cert);
	COMMIT(&r, m, ret);
}

void
hw_quote_put(struct wr *w, const struct hw_quote *m)
{
	wr_be32(w, m->group);
	wblob_put(w, &m->ak);
	wr_be16(w, m->bank);
	wr_be32(w, m->pcrs);
	wr_bytes(w, m->extra, sizeof(m->extra));
}

int
hw_quote_get(const uint8_t *data, size_t len, struct hw_quote *ret)
{
	struct hw_quote m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.group = rd_be32(&r);
	wblob_get(&r, HW_AK_MAX_LEN, &m.ak);
	m.bank = rd_be16(&r);
	m.pcrs = rd_be32(&r);
	rd_bytes(&r, m.extra, sizeof(m.extra));
	if (r.err == VT_OK && (m.pcrs == 0 || m.pcrs >> 24 != 0))
		rd_fail(&r, VT_E_RANGE);
	COMMIT(&r, m, ret);
}

void
hw_quoted_put(struct wr *w, const struct hw_quoted *m)
{
	wblob_put(w, &m->attest);
	wblob_put(w, &m->signature);
	wblob_put(w, &m->ak_cert);
	wr_be32(w, m->us);
}

int
hw_quoted_get(const uint8_t *data, size_t len, struct hw_quoted *ret)
{
	struct hw_quoted m;
	struct rd r;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	wblob_get(&r, DEEP_ATTEST_MAX, &m.attest);
	wblob_get(&r, DEEP_SIG_MAX, &m.signature);
	wblob_get(&r, CERT_MAX_LEN, &m.ak_cert);
	m.us = rd_be32(&r);
	COMMIT(&r, m, ret);
}
