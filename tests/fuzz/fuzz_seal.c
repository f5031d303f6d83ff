/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_seal.c - any bytes as a sealed state, and as the plain text inside:
 * nothing opens that was not sealed, and what is parsed is encoded to the
 * very same bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm/state/seal.h"
#include "vtpm/state/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
open_any(const uint8_t *data, size_t len)
{
	static const uint8_t key[GCM_KEY_LEN] = { 7 };
	struct seal_id want, got;
	uint8_t *plain = NULL;
	size_t n;

	if (seal_peek(data, len, &want) != VT_OK)
		return;
	if (seal_open(key, &want, data, len, &got, &plain, &n) == VT_OK)
		abort(); /* a forgery */
	if (plain != NULL)
		abort();
}

static void
parse_any(const uint8_t *data, size_t len)
{
	struct state_perm p;
	struct state_vol v;
	struct wr w;

	wr_grow(&w, 2 * STATE_PLAIN_MAX);
	if (state_perm_get(data, len, &p) == VT_OK) {
		state_perm_put(&w, &p);
		if (wr_err(&w) != VT_OK || w.len != len ||
		    memcmp(w.buf, data, len) != 0)
			abort();
	}
	wr_free(&w);
	wr_grow(&w, 2 * STATE_PLAIN_MAX);
	if (state_vol_get(data, len, &v) == VT_OK) {
		state_vol_put(&w, &v);
		if (wr_err(&w) != VT_OK || w.len != len ||
		    memcmp(w.buf, data, len) != 0)
			abort();
	}
	wr_free(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	open_any(data, len);
	parse_any(data, len);
	return 0;
}
