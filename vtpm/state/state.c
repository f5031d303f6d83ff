/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * state.c - the plain text of a sealed state.
 */
#include "vtpm/state/state.h"

#include <stdbool.h>
#include <string.h>

#include "measure/log/journal.h"

#define STATE_FORMAT 1
#define STATE_FORMAT_AK 2 /* a permanent one with the AK's private part */

static void
get_blob(struct rd *r, size_t max, struct wblob *ret)
{
	size_t len = 0;
	const uint8_t *p = rd_blob32(r, max, &len);

	ret->p = len > 0 ? p : NULL;
	ret->len = (uint32_t)len;
}

static void
put_blob(struct wr *w, const struct wblob *b)
{
	wr_blob32(w, b->p, b->len);
}

static uint16_t
get_format(struct rd *r, uint16_t last)
{
	uint16_t format = rd_be16(r);

	if (r->err == VT_OK && (format < STATE_FORMAT || format > last))
		rd_fail(r, VT_E_FORMAT);
	return format;
}

void
state_perm_put(struct wr *w, const struct state_perm *s)
{
	bool has_private = s->ak_private.len > 0;

	wr_be16(w, has_private ? STATE_FORMAT_AK : STATE_FORMAT);
	wr_u8(w, s->tpm_version);
	wr_u8(w, s->flags);
	put_blob(w, &s->tpm);
	put_blob(w, &s->ek_rsa);
	put_blob(w, &s->ek_ecc);
	put_blob(w, &s->ak);
	if (has_private)
		put_blob(w, &s->ak_private);
}

int
state_perm_get(const uint8_t *buf, size_t len, struct state_perm *ret)
{
	struct state_perm s;
	uint16_t format;
	struct rd r;
	int rc;

	memset(&s, 0, sizeof(s));
	rd_init(&r, buf, len);
	format = get_format(&r, STATE_FORMAT_AK);
	s.tpm_version = rd_u8(&r);
	s.flags = rd_u8(&r);
	get_blob(&r, STATE_PLAIN_MAX, &s.tpm);
	get_blob(&r, PUB_MAX_LEN, &s.ek_rsa);
	get_blob(&r, PUB_MAX_LEN, &s.ek_ecc);
	get_blob(&r, PUB_MAX_LEN, &s.ak);
	if (format == STATE_FORMAT_AK)
		get_blob(&r, PUB_MAX_LEN, &s.ak_private);
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	if ((s.tpm_version != TPM_VER_12 && s.tpm_version != TPM_VER_20) ||
	    (s.flags & ~(SP_RESTORED | SP_ORDERLY | SP_SRK_ECC | SP_SRK_RSA)) !=
		0 ||
	    s.tpm.len == 0 ||
	    (format == STATE_FORMAT_AK) != (s.ak_private.len > 0))
		return VT_E_RANGE;
	*ret = s;
	return VT_OK;
}

void
state_vol_put(struct wr *w, const struct state_vol *s)
{
	wr_be16(w, STATE_FORMAT);
	wr_u8(w, s->flags);
	wr_be32(w, s->power_cycles);
	put_blob(w, &s->tpm);
	put_blob(w, &s->savestate);
	put_blob(w, &s->journal);
	put_blob(w, &s->launch);
	wr_be32(w, s->quotes.len / QUOTE_LEN);
	wr_bytes(w, s->quotes.p, s->quotes.len);
}

int
state_vol_get(const uint8_t *buf, size_t len, struct state_vol *ret)
{
	struct state_vol s;
	struct rd r;
	uint32_t n;
	int rc;

	memset(&s, 0, sizeof(s));
	rd_init(&r, buf, len);
	(void)get_format(&r, STATE_FORMAT);
	s.flags = rd_u8(&r);
	s.power_cycles = rd_be32(&r);
	get_blob(&r, STATE_PLAIN_MAX, &s.tpm);
	get_blob(&r, STATE_PLAIN_MAX, &s.savestate);
	get_blob(&r, JOURNAL_MAX_LEN, &s.journal);
	get_blob(&r, 2 * RECORD_MAX_LEN + 16, &s.launch);
	n = rd_be32(&r);
	if (r.err == VT_OK && n > QUOTES_MAX)
		rd_fail(&r, VT_E_RANGE);
	s.quotes.len = n * QUOTE_LEN;
	s.quotes.p = rd_span(&r, s.quotes.len);
	if ((rc = rd_end(&r)) != VT_OK)
		return rc;
	if ((s.flags & ~(SV_STARTED | SV_CAPPED | SV_LAUNCHED | SV_WAKING |
			   SV_UNSEEN)) != 0 ||
	    s.tpm.len == 0)
		return VT_E_RANGE;
	*ret = s;
	return VT_OK;
}
