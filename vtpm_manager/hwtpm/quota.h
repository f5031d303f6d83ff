/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quota.h - how much of the host's TPM each group has used, and how much
 * it may.
 *
 * Layer:  vtpm_manager; pure: no I/O, no clock, no logging.
 * Bucket: a group with a limit of N milliseconds per minute has N of them to
 *         begin with, gets them back evenly, and never has more than N.  A
 *         request runs while there is something left and costs what it took,
 *         so a group can be in debt by one request; then it waits.
 * Limits: HW_GROUPS_MAX groups are counted; of further ones nothing is known
 *         and nothing limited (the manager makes no more).
 */
#ifndef VTPM_MANAGER_HWTPM_QUOTA_H
#define VTPM_MANAGER_HWTPM_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/token_bucket.h"
#include "vtpm_manager/proto/hwtpm_msg.h"

struct hwquota_account {
	struct hw_used use;
	struct token_bucket us; /* of the TPM's time; unused without a limit */
};

struct hwquota {
	struct hwquota_account *a; /* heap, n of them */
	size_t n;
};

void hwquota_init(struct hwquota *q);
void hwquota_done(struct hwquota *q);
/* Set a limit; ms 0: none.  VT_E_RANGE: over HW_SHARE_MS_MAX; VT_E_SPACE,
 * VT_E_NOMEM. */
int hwquota_limit(
    struct hwquota *q, uint32_t group, uint32_t ms, uint64_t now_us) VT_CHECK;
/* Drop a deleted group. */
void hwquota_drop(struct hwquota *q, uint32_t group);
/* When the group may use the TPM next: now_us or later. */
uint64_t hwquota_when(struct hwquota *q, uint32_t group, uint64_t now_us);
/* A request of the group waited wait_us, then used the TPM for us. */
void hwquota_charge(struct hwquota *q, uint32_t group, uint64_t us,
    uint64_t wait_us, uint64_t now_us);
void hwquota_note_delayed(struct hwquota *q, uint32_t group);
void hwquota_note_refused(struct hwquota *q, uint32_t group);
/* NULL: the group has no account. */
const struct hw_used *hwquota_use(const struct hwquota *q, uint32_t group);

#endif
