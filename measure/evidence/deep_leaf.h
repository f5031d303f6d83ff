/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deep_leaf.h - deep quotes: one quote of the host's TPM over a Merkle tree of
 * guests' quotes.
 *
 * Layer:  measure; pure.
 * Spec:   RFC 6962, 2.1 (tree hashing, inclusion proofs); doc/FORMATS.md,
 *         "Deep quotes", has every byte.
 * Domains: leaf data begins with DEEP_LEAF_LABEL, what the host's TPM signs
 *         with DEEP_ROOT_LABEL; leaves are hashed behind 00, nodes behind 01.
 */
#ifndef MEASURE_EVIDENCE_DEEP_LEAF_H
#define MEASURE_EVIDENCE_DEEP_LEAF_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/rdwr.h"
#include "base/util.h"

#define DEEP_VERSION 1
#define DEEP_LEAF_LABEL "vTPM deep quote"
#define DEEP_ROOT_LABEL "vTPM root"
#define DEEP_NONCE_MAX 64
#define DEEP_NAME_MAX 66
#define DEEP_BATCH_MAX 4096 /* leaves under one host quote */
#define DEEP_PATH_MAX 20    /* nodes: 2^20 leaves */
#define DEEP_ATTEST_MAX 512
#define DEEP_SIG_MAX 512
#define DEEP_CERT_MAX 2048
/*
 * Encoded struct deep_answer.  With 2^20 leaves it leaves 2,900 bytes for
 * attest (about 150), signature (72 to 390) and certificate together: fields
 * that are all at their own limit do not fit, and deep_answer_put() then
 * fails with VT_E_RANGE.
 */
#define DEEP_ANSWER_MAX 4000

enum {                       /* deep_leaf.flags */
	DEEP_F_RESTORED = 1, /* from a snapshot, or recovered by an operator */
	DEEP_F_CAPPED = 2,   /* its worker crashed since the power cycle */
	DEEP_F_LAUNCHED = 4, /* the host measured its launch */
	DEEP_F_SOFT_ROOT = 8,
	DEEP_F_UNSEEN = 32,    /* the host did not see the last reset */
	DEEP_F_RECOVERED = 16, /* the store was accepted by `vtpmctl recover` */
};

/* What the host vouches for.  Names: TPM2B_NAME without its size. */
struct deep_leaf {
	uint8_t uuid[UUID_LEN];
	uint32_t group;
	uint8_t ek_name[DEEP_NAME_MAX], ak_name[DEEP_NAME_MAX];
	uint16_t ek_name_len, ak_name_len;
	uint8_t quote[SHA256_LEN]; /* H(TPMS_ATTEST || TPMT_SIGNATURE) */
	uint8_t nonce[DEEP_NONCE_MAX];
	uint16_t nonce_len;
	uint8_t
	    channel_key[SHA256_LEN]; /* H(key) that the guest names; zeros */
	uint8_t launch[SHA256_LEN];  /* H(launch record); zeros: none */
	uint8_t journal[SHA256_LEN]; /* H(journal) when it was submitted */
	uint32_t flags;
	uint64_t generation, version;
};

void deep_leaf_put(struct wr *w, const struct deep_leaf *l); /* leaf data */
int deep_leaf_get(
    const uint8_t *data, size_t len, struct deep_leaf *ret) VT_CHECK;
int deep_leaf_hash(const struct deep_leaf *l, uint8_t out[SHA256_LEN]) VT_CHECK;

/* A tree over n >= 1 leaf hashes; paths run from the leaf's sibling up.
 * VT_E_RANGE, VT_E_NOMEM, VT_E_CRYPTO. */
struct deep_tree; /* opaque */
int deep_tree_new(const uint8_t (*leaves)[SHA256_LEN], size_t n,
    struct deep_tree **ret) VT_CHECK;
void deep_tree_free(struct deep_tree *t);
void deep_tree_root(const struct deep_tree *t, uint8_t out[SHA256_LEN]);
int deep_tree_path(const struct deep_tree *t, size_t i,
    uint8_t (*path)[SHA256_LEN], size_t *ret_n) VT_CHECK;
/* The root that they lead to.  VT_E_AUTH: no tree of count leaves has such a
 * path. */
int deep_path_root(const uint8_t leaf[SHA256_LEN], uint64_t index,
    uint64_t count, const uint8_t (*path)[SHA256_LEN], size_t n,
    uint8_t out[SHA256_LEN]) VT_CHECK;

/* qualifyingData of the host's quote. */
int deep_qualify(const uint8_t root[SHA256_LEN], uint64_t policy_sequence,
    uint8_t out[SHA256_LEN]) VT_CHECK;

/* What a guest collects. */
struct deep_answer {
	struct deep_leaf leaf;
	uint64_t index, count;
	uint8_t path[DEEP_PATH_MAX][SHA256_LEN];
	uint16_t path_len;        /* nodes */
	uint64_t policy_sequence; /* of the group's configuration */
	uint8_t attest[DEEP_ATTEST_MAX], sig[DEEP_SIG_MAX],
	    ak_cert[DEEP_CERT_MAX];
	uint16_t attest_len, sig_len,
	    ak_cert_len; /* TPMS_ATTEST, TPMT_SIGNATURE,
DER: the group's host AK, signed by the host's CA */
};
void deep_answer_put(struct wr *w, const struct deep_answer *a);
int deep_answer_get(
    const uint8_t *data, size_t len, struct deep_answer *ret) VT_CHECK;

#endif
