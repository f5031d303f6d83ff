/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote_memory.c - digests of the quotes that this TPM produced last.
 */
#include "vtpm/engine/quote_memory.h"

#include <string.h>

#include "base/crypto.h"

static void
add(struct quotes *q, const uint8_t digest[QUOTE_LEN])
{
	memcpy(q->digest[q->next], digest, QUOTE_LEN);
	q->next = (uint16_t)((q->next + 1) % QUOTES_MAX);
	if (q->n < QUOTES_MAX)
		q->n++;
}

int
quotes_note(struct quotes *q, const struct tpm_cmd *cmd, const uint8_t *resp,
    size_t rlen)
{
	uint8_t digest[QUOTE_LEN];
	struct iov_part parts[2];
	struct rd r;
	int rc;

	if (tp_response_code(resp, rlen) != 0)
		return 0;
	if (cmd->err != VT_OK)
		return cmd->err;
	if (cmd->encrypts)
		return 0;
	if ((rc = tp_response(resp, rlen, false, NULL, &r)) != VT_OK)
		return rc;
	parts[0].p = rd_blob16(&r, r.left, &parts[0].len);
	parts[1].len = r.left;
	parts[1].p = rd_span(&r, r.left);
	if ((rc = rd_err(&r)) != VT_OK)
		return rc;
	if (parts[0].len == 0 || parts[1].len == 0)
		return VT_E_FORMAT;
	if ((rc = digest_parts(ALG_SHA256, parts, 2, digest)) != VT_OK)
		return rc;
	add(q, digest);
	return 1;
}

bool
quotes_has(const struct quotes *q, const uint8_t digest[QUOTE_LEN])
{
	uint16_t i;

	for (i = 0; i < q->n; i++)
		if (memcmp(q->digest[i], digest, QUOTE_LEN) == 0)
			return true;
	return false;
}

size_t
quotes_save(const struct quotes *q, uint8_t *out)
{
	uint16_t i, first = q->n < QUOTES_MAX ? 0 : q->next;

	for (i = 0; i < q->n; i++)
		memcpy(out + (size_t)i * QUOTE_LEN,
		    q->digest[(first + i) % QUOTES_MAX], QUOTE_LEN);
	return (size_t)q->n * QUOTE_LEN;
}

void
quotes_load(struct quotes *q, const uint8_t *p, size_t len)
{
	size_t off;

	memset(q, 0, sizeof(*q));
	for (off = 0; off + QUOTE_LEN <= len; off += QUOTE_LEN)
		add(q, p + off);
}
