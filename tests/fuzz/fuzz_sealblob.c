/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_sealblob.c - any bytes in: a blob that parses is written again the
 * same, stays inside its bytes, and opens by its policy only.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/seal/seal_blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
inside(const uint8_t *data, size_t len, const uint8_t *p, size_t n)
{
	if (n > 0 && (p < data || n > len || p > data + len - n))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct seal_branches br;
	struct seal_blob b;
	char words[64];
	struct wr w;

	if (seal_blob_get(data, len, &b) != VT_OK)
		return 0;
	inside(data, len, b.pub, b.pub_len);
	inside(data, len, b.priv, b.priv_len);
	inside(data, len, b.ad, b.ad_len);
	if ((b.flags & SB_BULK) != 0) {
		inside(data, len, b.iv, GCM_IV_LEN);
		inside(data, len, b.bulk, b.bulk_len);
		inside(data, len, b.tag, GCM_TAG_LEN);
	}
	if (seal_blob_policy(&b, &br) != VT_OK)
		abort(); /* it was checked */
	if (b.pub_len < 10 + SHA256_LEN ||
	    memcmp(b.pub + 10, br.policy, SHA256_LEN) != 0)
		abort();
	if (seal_differs(&b.sel, &b.pcrs, &b.pcrs, words, sizeof(words)) != 0)
		abort();
	wr_grow(&w, SB_HEAD_MAX);
	seal_blob_head(&w, &b);
	if (wr_err(&w) != VT_OK || w.len != b.ad_len ||
	    memcmp(w.buf, data, w.len) != 0)
		abort();
	wr_free(&w);
	return 0;
}
