/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vendor_command.c - encodes the answers to TPM_CC_VTPM and completes
 * TPM2_GetCapability.
 */
#include "vtpm/engine/vendor_command.h"

#include <string.h>

#include "vtpm/engine/command_table.h"
#include "vtpm/engine/tpm_command.h"

#define VENDOR_FORMAT 1

_Static_assert(VENDOR_CHUNK_HDR == TPM_HDR_LEN + 2 + 4 + 2, "chunk");

#define CAP_COMMANDS 2u
#define CAP_PROPERTIES 6u
#define PT_TOTAL_COMMANDS 0x129u
#define PT_VENDOR_COMMANDS 0x12bu
#define CC_INDEX_MASK 0x2000ffffu /* V bit and command index */
#define VENDOR_TPMA TPM_CC_VTPM   /* no nv, no handles, nothing flushed */
/* Offsets in a TPM2_GetCapability response without sessions. */
#define CAP_MORE 10
#define CAP_WHICH 11
#define CAP_COUNT 15
#define CAP_LIST 19
#define MAX_CAP_CC 254u /* (MAX_CAP_BUFFER - 8) / 4 */

bool
vendor_is(const struct tpm_cmd *c)
{
	return c->tpm2 &&
	       (c->code == TPM_CC_VTPM || c->code == TPM_CC_VTPM_NO_V);
}

int
vendor_open(const struct tpm_cmd *c, struct vendor_request *ret)
{
	if (c->tag != ST_NO_SESSIONS)
		return VT_E_FORMAT;
	ret->params = tpm_cmd_params(c);
	ret->sub = rd_be16(&ret->params);
	return rd_err(&ret->params);
}

size_t
vendor_fail(uint8_t *out, uint32_t tpm_rc)
{
	tp_error(true, tpm_rc, out);
	return TPM_HDR_LEN;
}

void
vendor_begin(struct wr *w, uint8_t *out, size_t cap, uint16_t sub)
{
	wr_init(w, out, cap);
	wr_be16(w, ST_NO_SESSIONS);
	wr_be32(w, 0);
	wr_be32(w, 0);
	wr_be16(w, sub);
}

size_t
vendor_end(struct wr *w)
{
	if (wr_err(w) != VT_OK)
		return vendor_fail(w->buf, RC_SIZE);
	wr_set_be32(w, 2, (uint32_t)w->len);
	return w->len;
}

static size_t
answer_info(
    const struct vendor_facts *f, struct rd *r, uint8_t *out, size_t cap)
{
	struct wr w;

	if (rd_end(r) != VT_OK)
		return vendor_fail(out, RC_SIZE);
	vendor_begin(&w, out, cap, VSUB_INFO);
	wr_be16(&w, VENDOR_FORMAT);
	wr_bytes(&w, f->uuid, sizeof(f->uuid));
	wr_be32(&w, f->group);
	wr_be64(&w, f->generation);
	wr_be64(&w, f->version);
	wr_be32(&w, f->power_cycles);
	wr_be32(&w, f->flags);
	wr_str(&w, f->build);
	return vendor_end(&w);
}

/* A part of a longer text; empty past its end. */
static size_t
answer_chunk(
    const struct wblob *b, uint16_t sub, struct rd *r, uint8_t *out, size_t cap)
{
	uint32_t off = rd_be32(r);
	size_t n = rd_be16(r);
	struct wr w;

	if (rd_end(r) != VT_OK)
		return vendor_fail(out, RC_SIZE);
	if (n > cap - VENDOR_CHUNK_HDR)
		n = cap - VENDOR_CHUNK_HDR;
	if (off > b->len)
		off = b->len;
	if (n > b->len - off)
		n = b->len - off;
	vendor_begin(&w, out, cap, sub);
	wr_be32(&w, b->len);
	wr_be16(&w, (uint16_t)n);
	if (n > 0)
		wr_bytes(&w, b->p + off, n);
	return vendor_end(&w);
}

size_t
vendor_answer(const struct vendor_facts *f, const struct vendor_request *q,
    uint8_t *out, size_t cap)
{
	struct rd r = q->params;

	switch (q->sub) {
	case VSUB_INFO:
		return answer_info(f, &r, out, cap);
	case VSUB_LOG:
	case VSUB_JOURNAL:
	case VSUB_LAUNCH:
	case VSUB_AK_CERT:
	case VSUB_EK_RSA_CERT:
	case VSUB_EK_ECC_CERT:
		return answer_chunk(&f->text[q->sub], q->sub, &r, out, cap);
	default:
		return vendor_fail(out, RC_COMMAND_CODE);
	}
}

/* --- TPM2_GetCapability ----------------------------------------------------
 */

/* The list is sorted and ours has the highest code, so it follows the last of
 * libtpms' own. */
static size_t
patch_commands(
    uint32_t first, uint32_t want, uint8_t *resp, size_t len, size_t cap)
{
	uint32_t count = be32_get(resp + CAP_COUNT);

	if (resp[CAP_MORE] != 0 || (first & CC_INDEX_MASK) > TPM_CC_VTPM)
		return len;
	if (count >= want || count >= MAX_CAP_CC || cap - len < 4) {
		resp[CAP_MORE] = 1;
		return len;
	}
	be32_put(resp + len, VENDOR_TPMA);
	be32_put(resp + CAP_COUNT, count + 1);
	be32_put(resp + 2, (uint32_t)len + 4);
	return len + 4;
}

static size_t
patch_properties(uint8_t *resp, size_t len)
{
	uint32_t i, count = be32_get(resp + CAP_COUNT);
	uint8_t *p = resp + CAP_LIST;

	for (i = 0; i < count && p + 8 <= resp + len; i++, p += 8) {
		uint32_t pt = be32_get(p);

		if (pt == PT_TOTAL_COMMANDS || pt == PT_VENDOR_COMMANDS)
			be32_put(p + 4, be32_get(p + 4) + 1);
	}
	return len;
}

size_t
vendor_patch_capability(
    const struct tpm_cmd *cmd, uint8_t *resp, size_t len, size_t cap)
{
	struct rd r = tpm_cmd_params(cmd);
	uint32_t which, first, want;

	if (cmd->tag != ST_NO_SESSIONS)
		return len;
	which = rd_be32(&r);
	first = rd_be32(&r);
	want = rd_be32(&r);
	if (rd_end(&r) != VT_OK || len < CAP_LIST || len > cap ||
	    tp_response_code(resp, len) != 0 ||
	    be32_get(resp + CAP_WHICH) != which)
		return len;
	if (which == CAP_COMMANDS)
		return patch_commands(first, want, resp, len, cap);
	if (which == CAP_PROPERTIES)
		return patch_properties(resp, len);
	return len;
}
