/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_deep_leaf.c - any bytes as an answer to a deep quote: no crash; what
 * decodes encodes to the same bytes, and its path leads to one root only. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/evidence/deep_leaf.h"
#include "tests/unit/deeptree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t buf[DEEP_ANSWER_MAX], hash[SHA256_LEN];
	struct deep_answer a;
	struct deep_leaf l;
	struct wr w;

	if (deep_leaf_get(data, len, &l) == VT_OK) {
		wr_init(&w, buf, sizeof(buf));
		deep_leaf_put(&w, &l);
		if (wr_err(&w) != VT_OK || w.len != len ||
		    memcmp(buf, data, len) != 0)
			abort();
	}
	if (deep_answer_get(data, len, &a) != VT_OK)
		return 0;
	wr_init(&w, buf, sizeof(buf));
	deep_answer_put(&w, &a);
	if (wr_err(&w) != VT_OK || w.len != len || memcmp(buf, data, len) != 0)
		abort();
	if (deep_leaf_hash(&a.leaf, hash) != VT_OK)
		abort();
	/* A hash is not its own root, but in a tree of one leaf. */
	if (deep_path_check(hash, a.index, a.count, (const void *)a.path,
		a.path_len, hash) == VT_OK &&
	    a.count != 1)
		abort();
	return 0;
}
