/* SPDX-License-Identifier: BSD-3-Clause */
/* esys_vendor.c - the guest's side of the command TPM_CC_VTPM. */
#include "tools/esys/esys_vendor.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rdwr.h"
#include "base/util.h"
#include "measure/evidence/deep_leaf.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm/engine/vendor.h"

#define CMD_MAX 192
#define RSP_MAX 4096
#define PIECE 2048 /* bytes asked for at once */
#define POLL_MIN_MS 2
#define POLL_MAX_MS 1000

static int
call_code(struct esys *e, uint32_t code, uint16_t sub, const uint8_t *par,
    size_t len, uint8_t *rsp, struct rd *ret)
{
	uint8_t cmd[CMD_MAX];
	size_t n = RSP_MAX;
	uint32_t size, tpm_rc;
	struct rd r;
	struct wr w;
	int rc;

	wr_init(&w, cmd, sizeof(cmd));
	wr_be16(&w, TPM2_ST_NO_SESSIONS);
	wr_be32(&w, (uint32_t)(12 + len));
	wr_be32(&w, code);
	wr_be16(&w, sub);
	wr_bytes(&w, par, len);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	if ((rc = esys_raw(e, cmd, w.len, rsp, &n)) != VT_OK)
		return rc;
	rd_init(&r, rsp, n);
	(void)rd_be16(&r);
	size = rd_be32(&r);
	tpm_rc = rd_be32(&r);
	if (rd_err(&r) != VT_OK || size != n)
		return VT_E_PROTO;
	if (esys_base_rc(tpm_rc & 0xffff) == TPM2_RC_COMMAND_CODE)
		return VT_E_UNSUPPORTED;
	if (tpm_rc != 0)
		return esys_rc(e, tpm_rc);
	if (rd_be16(&r) != sub || rd_err(&r) != VT_OK)
		return VT_E_PROTO;
	*ret = r;
	return VT_OK;
}

/*
 * Ask; *ret is set to the parameters behind the echoed sub command.
 * rsp: RSP_MAX bytes.  A resource manager may know only one of the two
 * forms (vtpm/engine/vendor.h).
 */
static int
vendor_call(struct esys *e, uint16_t sub, const uint8_t *par, size_t len,
    uint8_t *rsp, struct rd *ret)
{
	int rc = call_code(e, TPM_CC_VTPM, sub, par, len, rsp, ret);

	if (rc == VT_E_UNSUPPORTED)
		rc = call_code(e, TPM_CC_VTPM_NO_V, sub, par, len, rsp, ret);
	return rc;
}

int
esys_vendor_info(struct esys *e, uint8_t *buf, size_t cap, size_t *ret_len)
{
	uint8_t rsp[RSP_MAX];
	struct rd r;
	int rc;

	rc = vendor_call(e, VSUB_INFO, NULL, 0, rsp, &r);
	if (rc != VT_OK)
		return rc;
	if (r.left == 0 || r.left > cap)
		return VT_E_RANGE;
	memcpy(buf, r.p, r.left);
	*ret_len = r.left;
	return VT_OK;
}

/* One piece at w->len.  *total: as the TPM says; 0 in *ret_n: the end. */
static int
fetch_piece(struct esys *e, uint16_t sub, struct wr *w, uint32_t *ret_total,
    size_t *ret_n)
{
	uint8_t par[6], rsp[RSP_MAX];
	const uint8_t *p;
	struct rd r;
	size_t n;
	int rc;

	be32_put(par, (uint32_t)w->len);
	be16_put(par + 4, PIECE);
	rc = vendor_call(e, sub, par, sizeof(par), rsp, &r);
	if (rc != VT_OK)
		return rc;
	*ret_total = rd_be32(&r);
	p = rd_blob16(&r, PIECE, &n);
	if (rd_end(&r) != VT_OK)
		return VT_E_PROTO;
	wr_bytes(w, p, n);
	*ret_n = n;
	return wr_err(w);
}

/* One pass; VT_E_AGAIN: its length changed while it was read. */
static int
fetch_pass(struct esys *e, uint16_t sub, struct wr *w)
{
	uint32_t total = 0, first = 0;
	size_t n;
	int rc;

	do {
		if ((rc = fetch_piece(e, sub, w, &total, &n)) != VT_OK)
			return rc;
		if (w->len == n)
			first = total;
		if (total != first)
			return VT_E_AGAIN;
		if (w->len > total || (n == 0 && w->len < total))
			return VT_E_PROTO;
	} while (w->len < total);
	return VT_OK;
}

int
esys_vendor_fetch(struct esys *e, uint16_t sub, uint8_t **ret, size_t *ret_len)
{
	int rc = VT_E_AGAIN, i;
	uint8_t *buf;
	struct wr w;

	for (i = 0; i < ESYS_TRIES && rc == VT_E_AGAIN; i++) {
		wr_grow(&w, ESYS_VENDOR_MAX);
		rc = fetch_pass(e, sub, &w);
		if (rc != VT_OK)
			wr_free(&w);
	}
	if (rc != VT_OK)
		return rc;
	buf = NULL;
	if (w.len > 0 && (buf = malloc(w.len)) == NULL) {
		wr_free(&w);
		return VT_E_NOMEM;
	}
	if (buf != NULL)
		memcpy(buf, w.buf, w.len);
	*ret = buf;
	*ret_len = w.len;
	wr_free(&w);
	return VT_OK;
}

/* --- deep quotes ---------------------------------------------------------- */

static int
deep_submit(struct esys *e, const struct vendor_deep *d, uint64_t *ret_ticket,
    uint32_t *ret_ms)
{
	uint8_t par[160], rsp[RSP_MAX];
	struct rd r;
	struct wr w;
	int rc;

	wr_init(&w, par, sizeof(par));
	wr_bytes(&w, d->quote, sizeof(d->quote));
	wr_bytes(&w, d->channel_key, sizeof(d->channel_key));
	wr_blob16(&w, d->nonce, d->nonce_len);
	if ((rc = wr_err(&w)) != VT_OK)
		return rc;
	rc = vendor_call(e, VSUB_DEEP_SUBMIT, par, w.len, rsp, &r);
	if (rc != VT_OK)
		return rc;
	*ret_ticket = rd_be64(&r);
	*ret_ms = rd_be32(&r);
	return rd_end(&r);
}

/* One piece at *at.  *state: VDQ_*. */
static int
deep_collect(struct esys *e, uint64_t ticket, uint8_t *out, size_t *at,
    uint8_t *state, uint32_t *total)
{
	uint8_t par[14], rsp[RSP_MAX];
	const uint8_t *p;
	struct rd r;
	struct wr w;
	size_t n;
	int rc;

	wr_init(&w, par, sizeof(par));
	wr_be64(&w, ticket);
	wr_be32(&w, (uint32_t)*at);
	wr_be16(&w, PIECE);
	rc = vendor_call(e, VSUB_DEEP_COLLECT, par, w.len, rsp, &r);
	if (rc != VT_OK)
		return rc;
	*state = rd_u8(&r);
	*total = rd_be32(&r);
	p = rd_blob16(&r, PIECE, &n);
	if (rd_end(&r) != VT_OK || *total > DEEP_ANSWER_MAX || *at > *total ||
	    n > *total - *at || *state < VDQ_PENDING || *state > VDQ_FAILED)
		return VT_E_PROTO;
	/* Ready, but without data. */
	if (*state != VDQ_PENDING && n == 0 && *at < *total)
		return VT_E_PROTO;
	if (n > 0)
		memcpy(out + *at, p, n);
	*at += n;
	return VT_OK;
}

/* The TPM says when to poll first; later polls come after an eighth of the time
 * waited so far, so a long wait costs few of them. */
static void
wait_to_poll(uint64_t since, uint32_t first_ms, bool first)
{
	uint64_t ms = first ? first_ms : (now_us() - since) / 8000;
	struct timespec ts;

	if (ms < POLL_MIN_MS)
		ms = POLL_MIN_MS;
	if (ms > POLL_MAX_MS)
		ms = POLL_MAX_MS;
	ts.tv_sec = (time_t)(ms / 1000);
	ts.tv_nsec = (long)(ms % 1000) * 1000000;
	(void)nanosleep(&ts, NULL);
}

int
esys_vendor_deep(struct esys *e, const struct vendor_deep *d, uint32_t wait_ms,
    uint8_t *out, size_t *ret_len, char *why)
{
	uint64_t ticket, t0 = now_us(), until = t0 + wait_ms * UINT64_C(1000);
	uint8_t state = VDQ_PENDING;
	uint32_t total = 0, hint_ms;
	bool first = true;
	size_t at = 0;
	int rc;

	if ((rc = deep_submit(e, d, &ticket, &hint_ms)) != VT_OK)
		return rc;
	for (;;) {
		if (state == VDQ_PENDING) {
			if (now_us() > until)
				return VT_E_TIMEOUT;
			wait_to_poll(t0, hint_ms, first);
			first = false;
		}
		rc = deep_collect(e, ticket, out, &at, &state, &total);
		if (rc != VT_OK)
			return rc;
		if (state != VDQ_PENDING && at >= total)
			break;
	}
	if (state == VDQ_READY) {
		*ret_len = total;
		return VT_OK;
	}
	if (total > TEXT_MAX_LEN)
		total = TEXT_MAX_LEN;
	memcpy(why, out, total);
	why[total] = '\0';
	return VT_E_STATE;
}
