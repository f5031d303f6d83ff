/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deep_quote_leaf.h - the leaf of a guest's deep quote, and the key and PCRs
 * that the host vouches with.
 *
 * Layer:  vtpm_manager/host.
 */
#ifndef VTPM_MANAGER_HOST_DEEP_QUOTE_LEAF_H
#define VTPM_MANAGER_HOST_DEEP_QUOTE_LEAF_H

#include "measure/evidence/deep_leaf.h"
#include "vtpm/proto/worker_msg.h"
#include "vtpm_manager/core/context.h"
#include "vtpm_manager/store/store_guest.h"

/* How the host vouches for the guests of one group. */
struct deep_quote_group {
	struct wblob ak;      /* of struct hw_aked; len 0: the host's own AK */
	struct wblob ak_cert; /* DER; len 0: HW_QUOTE gives it */
	uint16_t bank;        /* TPM_ALG_ID */
	uint32_t pcrs;        /* bit n: the host's PCR n */
	uint64_t sequence;    /* of the group's configuration */
};

/* calloc(3), in another file: gcc's analyser does not follow lists with a tail
 * pointer, and reports their elements as leaked. */
void *deep_quote_alloc(size_t n, size_t size);
/* Blobs in *ret are borrowed until the loop's next turn.  On failure text
 * (TEXT_MAX_LEN + 1 bytes) says what to do. */
int deep_quote_group(struct mgr *m, uint32_t group,
    struct deep_quote_group *ret, char *text) VT_CHECK;
/* The host's present statement about this guest, without its keys' Names. */
void deep_quote_leaf(const struct mgr *m, const struct guest *in,
    const struct wdeep *d, struct deep_leaf *ret);

#endif
