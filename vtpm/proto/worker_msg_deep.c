/* SPDX-License-Identifier: BSD-3-Clause */
/* The messages of worker_msg.h about deep quotes. */
#include <string.h>

#include "vtpm/proto/worker_msg.h"

void
wdeep_put(struct wr *w, const struct wdeep *m)
{
	wr_be64(w, m->ticket);
	wr_be32(w, m->flags);
	wr_bytes(w, m->quote, sizeof(m->quote));
	wr_bytes(w, m->channel_key, sizeof(m->channel_key));
	wr_bytes(w, m->launch, sizeof(m->launch));
	wr_bytes(w, m->journal, sizeof(m->journal));
	wblob_put(w, &m->nonce);
}

int
wdeep_get(const uint8_t *data, size_t len, struct wdeep *ret)
{
	struct wdeep m;
	struct rd r;
	int rc;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.ticket = rd_be64(&r);
	m.flags = rd_be32(&r);
	rd_bytes(&r, m.quote, sizeof(m.quote));
	rd_bytes(&r, m.channel_key, sizeof(m.channel_key));
	rd_bytes(&r, m.launch, sizeof(m.launch));
	rd_bytes(&r, m.journal, sizeof(m.journal));
	wblob_get(&r, WDEEP_NONCE_MAX, &m.nonce);
	if ((rc = rd_end(&r)) == VT_OK)
		*ret = m;
	return rc;
}

void
wdeeped_put(struct wr *w, const struct wdeeped *m)
{
	wr_be64(w, m->ticket);
	wr_be32(w, (uint32_t)m->rc);
	wr_str(w, m->text);
	wblob_put(w, &m->answer);
}

int
wdeeped_get(const uint8_t *data, size_t len, struct wdeeped *ret)
{
	struct wdeeped m;
	struct rd r;
	int rc;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	m.ticket = rd_be64(&r);
	m.rc = (int32_t)rd_be32(&r);
	if (r.err == VT_OK && m.rc > VT_OK)
		rd_fail(&r, VT_E_RANGE);
	rd_str(&r, m.text, sizeof(m.text));
	wblob_get(&r, WDEEP_ANSWER_MAX, &m.answer);
	if ((rc = rd_end(&r)) == VT_OK)
		*ret = m;
	return rc;
}

/* An AK's says nothing of its kind: so workers that an older manager started
 * take it, too. */
void
wakcert_put(struct wr *w, const struct wakcert *m)
{
	wblob_put(w, &m->der);
	if (m->which != WCERT_AK)
		wr_u8(w, m->which);
}

int
wakcert_get(const uint8_t *data, size_t len, struct wakcert *ret)
{
	struct wakcert m;
	struct rd r;
	int rc;

	memset(&m, 0, sizeof(m));
	rd_init(&r, data, len);
	wblob_get(&r, CERT_MAX_LEN, &m.der);
	if (r.err == VT_OK && m.der.len == 0)
		rd_fail(&r, VT_E_RANGE);
	m.which = WCERT_AK;
	if (r.err == VT_OK && r.left > 0) {
		m.which = rd_u8(&r);
		if (m.which != WCERT_EK_RSA && m.which != WCERT_EK_ECC)
			rd_fail(&r, VT_E_FORMAT);
	}
	if ((rc = rd_end(&r)) == VT_OK)
		*ret = m;
	return rc;
}
