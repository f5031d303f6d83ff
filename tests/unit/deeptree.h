/* SPDX-License-Identifier: BSD-3-Clause */
/* deeptree.h - root and path of one tree, and whether a path leads there. */
#ifndef TESTS_DEEPTREE_H
#define TESTS_DEEPTREE_H

#include "base/util.h"
#include "measure/evidence/deep_leaf.h"

static inline int
deep_root(
    const uint8_t (*leaves)[SHA256_LEN], size_t n, uint8_t out[SHA256_LEN])
{
	struct deep_tree *t = NULL;
	int rc = deep_tree_new(leaves, n, &t);

	if (rc == VT_OK)
		deep_tree_root(t, out);
	deep_tree_free(t);
	return rc;
}

static inline int
deep_path(const uint8_t (*leaves)[SHA256_LEN], size_t n, size_t i,
    uint8_t (*path)[SHA256_LEN], size_t *ret_n)
{
	struct deep_tree *t = NULL;
	int rc = deep_tree_new(leaves, n, &t);

	if (rc == VT_OK)
		rc = deep_tree_path(t, i, path, ret_n);
	deep_tree_free(t);
	return rc;
}

static inline int
deep_path_check(const uint8_t leaf[SHA256_LEN], uint64_t index, uint64_t count,
    const uint8_t (*path)[SHA256_LEN], size_t n, const uint8_t root[SHA256_LEN])
{
	uint8_t got[SHA256_LEN];
	int rc = deep_path_root(leaf, index, count, path, n, got);

	if (rc != VT_OK)
		return rc;
	return mem_equal(got, root, sizeof(got)) ? VT_OK : VT_E_AUTH;
}

#endif
