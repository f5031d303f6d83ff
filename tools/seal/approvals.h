/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * approvals.h - the states that an authority has approved for secrets: their
 * file, what is signed, and which of them fits a boot.
 *
 * Layer:  tools; no I/O, no TPM.
 * Spec:   doc/FORMATS.md, "Approvals of sealed secrets".
 * Trust:  a file of approvals is hostile input until a signature in it was
 *         verified; the TPM verifies it again.
 * Limits: AP_*.
 */
#ifndef TOOLS_SEAL_APPROVALS_H
#define TOOLS_SEAL_APPROVALS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "measure/tpm/pcr.h"
#include "measure/tpm/pcr_selection.h"
#include "tools/seal/seal_blob.h"
#include "tools/seal/seal_key.h"

#define AP_FORMAT "vtpm-seal-approvals"
#define AP_MAX 64                /* approvals in a file */
#define AP_FILE_MAX (512 * 1024) /* bytes */
#define AP_LABEL_MAX 63
#define AP_ERR_MAX 200
#define AP_MSG_MAX (SHA256_LEN + SB_REF_MAX)

struct approved {
	char label[AP_LABEL_MAX + 1]; /* for people; not signed */
	char ref[SB_REF_MAX + 1];
	uint64_t made_s; /* seconds since 1970; not signed */
	uint64_t epoch;  /* good while the counter is at most this */
	uint32_t epoch_index;
	struct pcr_sel sel; /* banks in ascending order */
	struct pcr_set pcrs;
	uint8_t print[SHA256_LEN]; /* of the authority's key */
	uint8_t sig[SEAL_SIG_MAX];
	size_t sig_len; /* 0: a request, not signed yet */
};

struct approvals {
	json_t *root; /* the whole file: other members are kept */
	size_t n;
	struct approved *list;
};

/* An empty file.  VT_E_NOMEM.  approvals_free() is due. */
int approvals_new(struct approvals *ret) VT_CHECK;
/* Parse all of buf; err says what is wrong with which approval.  VT_E_FORMAT,
 * VT_E_RANGE, VT_E_UNSUPPORTED (a bank), VT_E_CORRUPT (the policy in it is not
 * that of its PCRs), VT_E_NOMEM.  approvals_free() after VT_OK. */
int approvals_get(const uint8_t *buf, size_t len, struct approvals *ret,
    char err[AP_ERR_MAX]) VT_CHECK;
void approvals_free(struct approvals *a); /* zeroed is a no-op */
/* The blob beside them, if the file has one: heap, free().  VT_E_NOTFOUND,
 * VT_E_FORMAT, VT_E_NOMEM. */
int approvals_blob(
    const struct approvals *a, uint8_t **ret, size_t *ret_len) VT_CHECK;
/*
 * Add one, in place of one of the same state, epoch, ref and key.  With keep
 * (0: all stay) those of this ref and key that have its label go, and of the
 * others all but the newest keep - 1.  Neither goes one that fits `now` (may be
 * NULL), the running boot, nor a signed one for a request.  VT_E_RANGE: over
 * AP_MAX; VT_E_NOMEM.
 */
int approvals_add(struct approvals *a, const struct approved *one,
    uint32_t keep, const struct pcr_set *now) VT_CHECK;
/* Of this key and ref (NULL: any), what approvals_add() of the newest leaves.
 */
void approvals_thin(struct approvals *a, const uint8_t print[SHA256_LEN],
    const char *ref, uint32_t keep);
/* The file as JSON: a new reference.  NULL: no memory. */
json_t *approvals_json(const struct approvals *a);
/* One of them, as in the file. */
json_t *approved_json(const struct approved *one);

/* The policy that is signed, and the bytes: policy || ref. */
int approved_policy(
    const struct approved *one, uint8_t out[SHA256_LEN]) VT_CHECK;
int approved_message(const struct approved *one, uint8_t out[AP_MSG_MAX],
    size_t *ret_len) VT_CHECK;

/* { bank: { PCR: hex } }, banks in ascending order.  VT_E_FORMAT,
 * VT_E_UNSUPPORTED. */
int approved_pcrs_get(
    const json_t *o, struct pcr_sel *ret_sel, struct pcr_set *ret) VT_CHECK;
/* Banks in ascending order, none twice. */
void approved_sel_sort(struct pcr_sel *sel);

/* The PCRs of all approvals together. */
void approvals_sel(const struct approvals *a, struct pcr_sel *ret);
/*
 * The approval of b's authority for b's ref that fits this boot: the one of
 * the highest epoch.  VT_E_POLICY: none; why then says what is missing, was
 * revoked, is forged, or which PCRs differ from the nearest one.
 */
int approvals_choose(const struct approvals *a, const struct seal_blob *b,
    uint64_t epoch, const struct pcr_set *now, const struct approved **ret,
    char *why, size_t cap) VT_CHECK;

#endif
