/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue.h - requests waiting for the one slow TPM, fair by group.
 *
 * Layer:  vtpm_manager; pure: no I/O, no clock, no logging.
 * Order:  one request of each group in turn; first come, first served inside a
 *         group.  A group that floods makes itself wait.
 * Quotas: hwq_next() skips groups that have used up their share of the TPM's
 *         time (quota.h).
 * Limits: HWQ_MAX_GROUP requests of one group, HWQ_MAX requests in all; a
 *         group costs memory only while it has requests here.
 */
#ifndef VTPM_MANAGER_HWTPM_QUEUE_H
#define VTPM_MANAGER_HWTPM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "vtpm_manager/hwtpm/quota.h"

#define HWQ_MAX_GROUP 256
#define HWQ_MAX 4096

/* First member of the caller's request; the caller allocates and frees. */
struct hwq_item {
	struct hwq_item *next; /* the queue's own */
	uint32_t group;
	uint32_t put_back;    /* how often; counted by hwq_put_back() */
	bool delayed;         /* it waited for its group's quota */
	uint64_t deadline_us; /* by now_us() of base/util.h */
};

struct hwq_group; /* opaque */
struct hwq {
	struct hwq_group *turn; /* served last; its next is served next */
	size_t n;               /* items in all groups */
};

void hwq_init(struct hwq *q);

/*
 * Append it to its group's items.  The queue borrows it until hwq_take(),
 * hwq_next() or hwq_expired() returns it. VT_E_SPACE: a limit is reached;
 * VT_E_NOMEM.  On error it is not borrowed.
 */
int hwq_put(struct hwq *q, struct hwq_item *it) VT_CHECK;
/* Put an interrupted request back: it is its group's first, and its group is
 * next.  No limits apply. */
int hwq_put_back(struct hwq *q, struct hwq_item *it) VT_CHECK;

/* The next one in turn, NULL if there is none. */
struct hwq_item *hwq_take(struct hwq *q);
/* The next one in turn of a group that may use the TPM now; NULL if there is
 * none before hwq_when(). */
struct hwq_item *hwq_next(
    struct hwq *q, struct hwquota *quota, uint64_t now_us);
/* When hwq_next() returns an item: now_us or later; UINT64_MAX: the queue is
 * empty. */
uint64_t hwq_when(const struct hwq *q, struct hwquota *quota, uint64_t now_us);
/* An item whose deadline is at or before now_us, NULL if there is none. */
struct hwq_item *hwq_expired(struct hwq *q, uint64_t now_us);
/* The earliest deadline of all, UINT64_MAX if the queue is empty. */
uint64_t hwq_deadline(const struct hwq *q);

#endif
