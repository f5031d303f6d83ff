/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tpm_command.c - decodes a guest's command; builds and runs one of ours.
 */
#include "vtpm/engine/tpm_command.h"

#include <string.h>

#include "base/util.h"
#include "vtpm/engine/command_table.h"
#include "vtpm/engine/engine.h"

#define SIZE_OFF 2
#define SA_ENCRYPT 0x40u /* TPMA_SESSION, Part 2, 8.4 */
#define SA_CONTINUE 0x01u
#define STIR_LEN 32
#define CAP_TPM_PROPERTIES 6

/* The authorization area; leaves r at the parameters. */
static bool
get_sessions(struct rd *r)
{
	bool encrypts = false;
	struct rd a;
	size_t n, len;

	len = rd_be32(r);
	rd_init(&a, rd_span(r, len), len);
	while (a.left > 0 && a.err == VT_OK && r->err == VT_OK) {
		(void)rd_be32(&a);
		(void)rd_blob16(&a, a.left, &n);
		if ((rd_u8(&a) & SA_ENCRYPT) != 0)
			encrypts = true;
		(void)rd_blob16(&a, a.left, &n);
	}
	if (a.err != VT_OK)
		rd_fail(r, a.err);
	return encrypts;
}

void
tpm_cmd_decode(struct tpm_cmd *ret, bool tpm2, uint8_t locality,
    const uint8_t *bytes, size_t len)
{
	struct rd r;

	memset(ret, 0, sizeof(*ret));
	ret->bytes = bytes;
	ret->len = len;
	ret->locality = locality;
	ret->tpm2 = tpm2;
	rd_init(&r, bytes, len);
	ret->tag = rd_be16(&r);
	(void)rd_be32(&r); /* the channel has compared it with len */
	ret->code = rd_be32(&r);
	ret->flags = command_table_flags(tpm2, ret->code);
	if ((ret->flags & (CT_H1 | CT_H2)) != 0) {
		ret->handle[0] = rd_be32(&r);
		if ((ret->flags & CT_H2) != 0)
			ret->handle[1] = rd_be32(&r);
		if (ret->tag == ST_SESSIONS)
			ret->encrypts = get_sessions(&r);
	}
	ret->err = r.err;
	ret->params_off = (uint16_t)(len - r.left);
}

struct rd
tpm_cmd_params(const struct tpm_cmd *c)
{
	struct rd r;

	rd_init(&r, c->bytes + c->params_off, c->len - c->params_off);
	if (c->err != VT_OK)
		rd_fail(&r, c->err);
	return r;
}

struct hdr { /* of a response */
	uint16_t tag;
	uint32_t rc;
};

static int
get_header(struct rd *r, struct hdr *ret)
{
	ret->tag = rd_be16(r);
	(void)rd_be32(r); /* size */
	ret->rc = rd_be32(r);
	return rd_err(r);
}

uint32_t
tp_response_code(const uint8_t *resp, size_t len)
{
	return len < TPM_HDR_LEN ? RC_FAILURE : be32_get(resp + 6);
}

void
tp_error(bool tpm2, uint32_t rc, uint8_t out[TPM_HDR_LEN])
{
	be16_put(out, tpm2 ? ST_NO_SESSIONS : TAG_RSP);
	be32_put(out + SIZE_OFF, TPM_HDR_LEN);
	be32_put(out + 6, rc);
}

int
tp_response(const uint8_t *resp, size_t len, bool has_handle,
    uint32_t *ret_handle, struct rd *ret_params)
{
	struct hdr h;
	struct rd r;
	uint32_t handle = 0;
	size_t n;
	int rc;

	rd_init(&r, resp, len);
	if ((rc = get_header(&r, &h)) != VT_OK)
		return rc;
	if (has_handle)
		handle = rd_be32(&r);
	if (h.tag == ST_SESSIONS) {
		n = rd_be32(&r);
		if (n > r.left)
			rd_fail(&r, VT_E_TRUNC);
		r.left = r.err == VT_OK ? n : 0;
	}
	if ((rc = rd_err(&r)) != VT_OK)
		return rc;
	if (has_handle)
		*ret_handle = handle;
	*ret_params = r;
	return VT_OK;
}

void
tcmd_begin(struct tcmd *c, uint16_t tag, uint32_t code)
{
	c->locality = 0;
	c->tpm_rc = RC_FAILURE;
	wr_init(&c->w, c->buf, sizeof(c->buf));
	wr_be16(&c->w, tag);
	wr_be32(&c->w, 0); /* size, see tcmd_run() */
	wr_be32(&c->w, code);
}

static void
put_auth(struct tcmd *c, uint32_t handle, uint8_t attributes)
{
	wr_be32(&c->w, 9);
	wr_be32(&c->w, handle);
	wr_be16(&c->w, 0); /* nonce */
	wr_u8(&c->w, attributes);
	wr_be16(&c->w, 0); /* HMAC or password */
}

void
tcmd_auth_empty(struct tcmd *c)
{
	put_auth(c, RS_PW, 0);
}

void
tcmd_auth_policy(struct tcmd *c, uint32_t session)
{
	put_auth(c, session, SA_CONTINUE);
}

int
tcmd_run(struct tcmd *c, uint32_t *ret_handle, struct rd *ret)
{
	const uint8_t *resp;
	struct hdr h;
	struct rd r;
	size_t len;
	int rc;

	c->tpm_rc = RC_FAILURE;
	wr_set_be32(&c->w, SIZE_OFF, (uint32_t)c->w.len);
	if ((rc = wr_err(&c->w)) != VT_OK)
		return rc;
	rc = eng_process(c->locality, c->buf, c->w.len, &resp, &len);
	explicit_bzero(c->buf, c->w.len);
	if (rc != VT_OK)
		return rc;
	rd_init(&r, resp, len);
	if ((rc = get_header(&r, &h)) != VT_OK)
		return rc;
	if ((c->tpm_rc = h.rc) != 0)
		return VT_E_TPM;
	if (!eng_is_tpm2()) {
		*ret = r;
		return VT_OK;
	}
	return tp_response(resp, len, ret_handle != NULL, ret_handle, ret);
}

int
tcmd_startup(uint8_t locality)
{
	struct tcmd c;
	struct rd r;

	if (eng_is_tpm2()) {
		tcmd_begin(&c, ST_NO_SESSIONS, CC_Startup);
		wr_be16(&c.w, 0); /* TPM_SU_CLEAR */
	} else {
		tcmd_begin(&c, TAG_RQU, ORD_Startup);
		wr_be16(&c.w, 1); /* TPM_ST_CLEAR */
	}
	c.locality = locality;
	return tcmd_run(&c, NULL, &r);
}

int
tcmd_shutdown(bool state)
{
	struct tcmd c;
	struct rd r;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_Shutdown);
	wr_be16(&c.w, state); /* TPM_SU_STATE, TPM_SU_CLEAR */
	return tcmd_run(&c, NULL, &r);
}

int
tcmd_property(uint32_t property, uint32_t *ret)
{
	uint32_t n, got, value;
	struct tcmd c;
	struct rd r;
	int rc;

	tcmd_begin(&c, ST_NO_SESSIONS, CC_GetCapability);
	wr_be32(&c.w, CAP_TPM_PROPERTIES);
	wr_be32(&c.w, property);
	wr_be32(&c.w, 1);
	if ((rc = tcmd_run(&c, NULL, &r)) != VT_OK)
		return rc;
	(void)rd_u8(&r);   /* moreData */
	(void)rd_be32(&r); /* capability */
	n = rd_be32(&r);
	got = rd_be32(&r);
	value = rd_be32(&r);
	if (rd_end(&r) != VT_OK || n != 1 || got != property)
		return VT_E_TPM;
	*ret = value;
	return VT_OK;
}

/*
 * Law 9.  A TPM's generator is part of its volatile state: two that resume
 * from one copy would give the same bytes, and make the same keys.
 */
int
tcmd_stir(void)
{
	uint8_t fresh[STIR_LEN];
	struct tcmd c;
	struct rd r;
	int rc;

	if ((rc = random_bytes(fresh, sizeof(fresh))) != VT_OK)
		return rc;
	if (eng_is_tpm2()) {
		tcmd_begin(&c, ST_NO_SESSIONS, CC_StirRandom);
		wr_blob16(&c.w, fresh, sizeof(fresh));
	} else {
		tcmd_begin(&c, TAG_RQU, ORD_StirRandom);
		wr_blob32(&c.w, fresh, sizeof(fresh));
	}
	rc = tcmd_run(&c, NULL, &r);
	explicit_bzero(fresh, sizeof(fresh));
	/* A deactivated TPM makes no random bytes before its next Startup. */
	if (rc == VT_E_TPM && !eng_is_tpm2() &&
	    (c.tpm_rc == R12_DEACTIVATED || c.tpm_rc == R12_DISABLED))
		return VT_OK;
	return rc;
}
