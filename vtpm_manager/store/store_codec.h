/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store_codec.h - bytes of the store's leaf, label and root record.
 *
 * Layer:  vtpm_manager/store; no I/O, no logging.
 * Bytes:  big-endian; doc/FORMATS.md, "The store".
 */
#ifndef VTPM_MANAGER_STORE_STORE_CODEC_H
#define VTPM_MANAGER_STORE_STORE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vtpm_manager/store/audit_chain.h"
#include "vtpm_manager/store/hash_tree.h"
#include "vtpm_manager/store/store_ops.h"

#define ROOT_MAX 256   /* bytes of a root record */
#define LEAF_TOMB 0x54 /* fills the leaf of a slot whose guest was deleted */

struct root_rec {
	uint64_t seq;    /* commits since the first */
	uint64_t anchor; /* the physical TPM's NV counter; 0: not used yet */
	uint32_t nslots;
	uint8_t tree[HT_LEN];
	uint8_t meta[HT_LEN]; /* of the values' index; zero: there is none */
	uint64_t gen;         /* the greatest generation any guest ever had */
	struct audit_chain audit;
};

int store_leaf_digest(const struct store_row *r, uint8_t out[HT_LEN]) VT_CHECK;
/* Is every byte of the leaf this one?  0: never used; LEAF_TOMB; HT_POISON. */
bool store_leaf_is(const uint8_t leaf[HT_LEN], uint8_t byte);
void store_label_make(const struct guest *in, uint8_t out[HT_LABEL_LEN]);
/* False: no label, or not a valid one. */
bool store_label_read(const uint8_t label[HT_LABEL_LEN], struct guest *ret);
/* Record and its HMAC-SHA256 under key, *ret_len <= ROOT_MAX bytes. */
int store_root_make(const uint8_t key[32], const struct root_rec *r,
    uint8_t out[ROOT_MAX], size_t *ret_len) VT_CHECK;
/* VT_E_FORMAT, VT_E_TRUNC: not a root record; VT_E_AUTH: another key made it,
 * or it was changed. */
int store_root_read(const uint8_t key[32], const uint8_t *p, size_t len,
    struct root_rec *ret) VT_CHECK;

#endif
