/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpmback/swtpm/wire.h"

#include <string.h>

#define TPM_ST_NO_SESSIONS 0x8001
#define TPM_TAG_RSP 0x00c4

/* Fixed bytes behind the command word, at least. */
static const uint8_t fixed_len[SO_LAST + 1] = {
	[SO_INIT] = 4,
	[SO_SET_LOCALITY] = 1,
	[SO_HASH_DATA] = 4,
	[SO_RESET_ESTABLISHED] = 1,
	[SO_GET_STATEBLOB] = 12,
	[SO_SET_STATEBLOB] = 12,
	[SO_SET_BUFFERSIZE] = 4,
	[SO_GET_INFO] = 16,
	[SO_LOCK_STORAGE] = 4,
};

static uint32_t
body_max(uint32_t op)
{
	return op == SO_HASH_DATA ? SWTPM_HASH_MAX : SWTPM_BLOB_MAX;
}

static void
get_fields(struct rd *r, struct swtpm_req *q)
{
	switch (q->op) {
	case SO_INIT:
		q->flags = rd_be32(r);
		break;
	case SO_SET_LOCALITY:
	case SO_RESET_ESTABLISHED:
		q->locality = rd_u8(r);
		break;
	case SO_HASH_DATA:
		q->bodylen = rd_be32(r);
		break;
	case SO_GET_STATEBLOB:
		q->flags = rd_be32(r);
		q->type = rd_be32(r);
		q->offset = rd_be32(r);
		break;
	case SO_SET_STATEBLOB:
		q->flags = rd_be32(r);
		q->type = rd_be32(r);
		q->bodylen = rd_be32(r);
		break;
	case SO_SET_BUFFERSIZE:
	case SO_LOCK_STORAGE:
		q->size = rd_be32(r);
		break;
	case SO_GET_INFO:
		q->info = rd_be64(r);
		q->offset = rd_be32(r);
		(void)rd_be32(r);
		break;
	default:
		break;
	}
}

int
swtpm_req_size(const uint8_t *buf, size_t len, uint64_t *ret)
{
	struct swtpm_req q = { 0 };
	struct rd r;

	rd_init(&r, buf, len);
	q.op = rd_be32(&r);
	if (rd_err(&r) == VT_OK && (q.op == 0 || q.op > SO_LAST))
		return VT_E_UNSUPPORTED;
	get_fields(&r, &q);
	if (rd_err(&r) != VT_OK)
		return rd_err(&r);
	*ret = (uint64_t)4 + fixed_len[q.op] + q.bodylen;
	return VT_OK;
}

int
swtpm_req_get(
    const uint8_t *buf, size_t len, struct swtpm_req *ret, size_t *ret_used)
{
	struct swtpm_req q = { 0 };
	struct rd r;
	int rc;

	rd_init(&r, buf, len);
	q.op = rd_be32(&r);
	if ((rc = rd_err(&r)) != VT_OK)
		return rc;
	if (q.op == 0 || q.op > SO_LAST) {
		*ret = q;
		return VT_E_UNSUPPORTED;
	}
	get_fields(&r, &q);
	if ((rc = rd_err(&r)) != VT_OK)
		return rc;
	*ret_used = (size_t)4 + fixed_len[q.op] + q.bodylen;
	if (q.bodylen > body_max(q.op)) {
		*ret = q;
		return VT_E_RANGE;
	}
	q.body = rd_span(&r, q.bodylen);
	if ((rc = rd_err(&r)) != VT_OK)
		return rc;
	*ret = q;
	return VT_OK;
}

unsigned int
swtpm_req_pad(uint32_t op)
{
	return op == SO_SET_LOCALITY || op == SO_RESET_ESTABLISHED ? 3 : 0;
}

size_t
swtpm_skip_pad(const uint8_t *buf, size_t len, unsigned int pad)
{
	if (pad == 0 || len < 4 || be32_get(buf) != 0)
		return 0;
	return pad;
}

bool
swtpm_looks_like_req(const uint8_t *buf, size_t len)
{
	uint32_t op;

	if (len < 4)
		return false;
	op = be32_get(buf);
	return op != 0 && op <= SO_LAST;
}

bool
swtpm_op_repeatable(uint32_t op)
{
	return op == SO_GET_CAPABILITY || op == SO_GET_ESTABLISHED ||
	       op == SO_GET_STATEBLOB || op == SO_GET_CONFIG ||
	       op == SO_SET_BUFFERSIZE || op == SO_GET_INFO;
}

int
swtpm_cmd_frame(const uint8_t *buf, size_t len, size_t max, size_t *ret_size)
{
	uint32_t size;

	if (len < 6)
		return VT_E_TRUNC;
	size = be32_get(buf + 2);
	if (size < TPM_HDR_LEN || size > max)
		return VT_E_RANGE;
	if (len < size)
		return VT_E_TRUNC;
	*ret_size = size;
	return VT_OK;
}

static bool
has_tag(const uint8_t *buf, size_t len, bool tpm2)
{
	uint16_t first = tpm2 ? 0x8001 : 0x00c1, n = tpm2 ? 2 : 3;

	if (len < 2)
		return buf[0] == first >> 8;
	return be16_get(buf) - first < n && be16_get(buf) >= first;
}

bool
swtpm_are_cmds(const uint8_t *buf, size_t len, size_t max, bool tpm2, bool more)
{
	uint32_t size;

	for (; len >= TPM_HDR_LEN; buf += size, len -= size) {
		size = be32_get(buf + 2);
		if (!has_tag(buf, len, tpm2) || size < TPM_HDR_LEN ||
		    size > max)
			return false;
		if (size > len)
			return true;
	}
	return len == 0 || (more && has_tag(buf, len, tpm2));
}

uint32_t
swtpm_cmd_code(const uint8_t *cmd)
{
	return be32_get(cmd + 6);
}

void
swtpm_error_put(uint8_t out[TPM_HDR_LEN], bool tpm2, enum swtpm_error e)
{
	static const struct {
		uint32_t rc2; /* TPM 2.0 Library, Part 2, 6.6.3 */
		uint32_t rc1; /* TPM Main, Part 2, 16 */
	} codes[] = {
		[SE_NOT_READY] = { 0x101, 0x09 },   /* FAILURE, FAIL */
		[SE_FAILURE] = { 0x101, 0x09 },     /* FAILURE, FAIL */
		[SE_SIZE] = { 0x142, 0x19 },        /* COMMAND_SIZE */
		[SE_UNSUPPORTED] = { 0x143, 0x0a }, /* COMMAND_CODE */
		[SE_LOCALITY] = { 0x907, 0x3d },    /* LOCALITY */
		[SE_TOO_LONG] = { 0x95, 0x17 },     /* SIZE */
	};

	be16_put(out, tpm2 ? TPM_ST_NO_SESSIONS : TPM_TAG_RSP);
	be32_put(out + 2, TPM_HDR_LEN);
	be32_put(out + 6, tpm2 ? codes[e].rc2 : codes[e].rc1);
}

int
swtpm_status_check(const struct swtpm_status *st)
{
	if (st->magic != SWTPM_STATUS_MAGIC || st->locality > 4 ||
	    st->data_busy > 1 || st->ctl_busy > 1 || st->pad > 3 ||
	    st->data_len > sizeof(st->data) || st->data_hand > st->data_len ||
	    st->ctl_have > SWTPM_HEAD_MAX + SWTPM_BLOB_MAX ||
	    st->cmd_max > CHAN_CMD_MAX)
		return VT_E_FORMAT;
	return VT_OK;
}
