/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host_approvals.h - approvals of host states as files, one for each sequence
 * number: STATE/approvals/NUMBER.approval.
 *
 * Layer:  vtpm_manager.
 * Why files: they are needed before the store is open, and any program may put
 * one there while no manager runs: an approval proves itself
 * (measure/host/approval.h).  host_keys.c has the store's memory of them, once
 * it is open.
 */
#ifndef VTPM_MANAGER_HOST_HOST_APPROVALS_H
#define VTPM_MANAGER_HOST_HOST_APPROVALS_H

#include "base/err.h"
#include "measure/host/approval.h"
#include "vtpm_manager/proto/hwtpm_msg.h"

#define APPROVALS_FOLDER "approvals"
#define APPROVALS_SUFFIX ".approval"

struct approvals {
	uint32_t n; /* by sequence, the lowest first */
	struct approvals_one {
		struct approval a;
		uint8_t raw[APPROVAL_MAX_LEN];
		uint32_t len;
	} one[HW_APPROVALS_MAX];
	uint32_t others; /* files that are for another key or TPM, or damaged */
};

/* Approvals of group 0 that `key` signed for the counter of that Name, at most
 * the newest HW_APPROVALS_MAX.  No folder: none. */
int approvals_read(const char *state, const uint8_t key[APPROVAL_KEY_LEN],
    const uint8_t name[APPROVAL_NAME_LEN], struct approvals *ret) VT_CHECK;
/* The same test for one.  VT_E_FORMAT, VT_E_AUTH, VT_E_POLICY; text says why.
 */
int approvals_check(const uint8_t *raw, size_t len,
    const uint8_t key[APPROVAL_KEY_LEN], const uint8_t name[APPROVAL_NAME_LEN],
    struct approval *ret, char *text, size_t cap) VT_CHECK;
/* Durable when it returns. */
int approvals_write(const char *state, uint64_t sequence, const uint8_t *raw,
    size_t len) VT_CHECK;
void approvals_remove(const char *state, uint64_t sequence);
void approvals_list(const struct approvals *ap, uint32_t *n,
    struct wblob ret[HW_APPROVALS_MAX]); /* borrowed from ap */

#endif
